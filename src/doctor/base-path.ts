import type { Request } from 'express'
import type { Flow } from '../http/flow.ts'
import { queryParameters } from '../http/query.ts'
import type { Settings } from '../options/settings.ts'
import { pendingLoginId } from '../storage/pending-logins.ts'
import type { Found } from './finding.ts'

/** A proxy that strips a prefix of which the option basePath says nothing. */
export function examineBasePath(flow: Flow, req: Request): Found[] {
  const { settings } = flow
  const prefix = announcedPrefix(settings, req) ?? prefixOfAnswer(flow, req)
  if (prefix === undefined || prefix === settings.basePath) return []
  return [
    {
      code: 'base_path_missing',
      atFault: 'app',
      message: `A proxy strips ${prefix} of the paths that browsers see, and the option basePath does not say so: links, redirects and routes of this flow miss.`,
      remedy: `Set the option basePath: '${prefix}'.`,
      guide: 'docs/behind-a-proxy.md#a-prefix-that-the-proxy-strips',
    },
  ]
}

/** What the proxy says that it stripped, if redirectUri begins with it and this request does not. */
function announcedPrefix({ redirectUri, basePath }: Settings, req: Request): string | undefined {
  const prefix = req.get('x-forwarded-prefix')?.replace(/\/+$/, '')
  if (!prefix || !new URL(redirectUri).pathname.startsWith(`${prefix}/`)) return undefined
  // Of several proxies that strip something, one may say so.
  return isBelow(basePath, prefix) || isBelow(pathOf(req), prefix) ? undefined : prefix
}

function isBelow(path: string, prefix: string): boolean {
  return `${path}/`.startsWith(`${prefix}/`)
}

function pathOf({ originalUrl }: Request): string {
  return originalUrl.replace(/\?.*$/, '')
}

/** The same by an answer to a login of this very flow and browser, which came to where nobody waits. */
function prefixOfAnswer({ settings, cookies }: Flow, req: Request): string | undefined {
  const state = queryParameters(req).get('state')
  if (state === null || cookies.find(req, pendingLoginId(state)) === undefined) return undefined
  const path = pathOf(req).replace(/\/$/, '')
  const sent = new URL(settings.redirectUri).pathname.replace(/\/$/, '')
  const isStripped =
    path !== settings.routes.callback && path.startsWith('/') && sent.endsWith(path)
  return isStripped ? sent.slice(0, -path.length) : undefined
}
