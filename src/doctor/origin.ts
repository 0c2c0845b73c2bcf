import type { Request } from 'express'
import { sessionCookie } from '../http/session.ts'
import { isPerson } from '../http/user-agent.ts'
import type { Settings } from '../options/settings.ts'
import { browserOrigin, shown } from './browser-place.ts'
import type { Found } from './finding.ts'
import { isForHost } from './session-cookie.ts'

/** An app that is open at another origin than redirectUri's, or looks like that. */
export function examineOrigin(settings: Settings, req: Request): Found[] {
  const own = new URL(settings.redirectUri).hostname
  const seen = (req.hostname as string | undefined)?.toLowerCase()
  const origin = browserOrigin(req)
  if (origin === settings.origin)
    return seen === undefined || seen === own ? [] : [hostHidden(seen, own)]
  if (origin !== undefined)
    return isMeant(settings, req, new URL(origin).hostname, own, origin)
      ? []
      : [otherOrigin(origin, settings.origin, '')]
  // Not the port: proxies that pass on the host leave it out. And programs go where they like.
  if (seen === undefined || seen === own || !isPerson(req)) return []
  if (isMeant(settings, req, seen, own)) return []
  const doubt = ' If the browser is there already, the proxy hides that: have it pass on Host.'
  return [otherOrigin(shown(seen), settings.origin, doubt)]
}

/** Whether the app names that place itself, or has one session cookie for both hosts. */
function isMeant(
  { returnToOrigins }: Settings,
  req: Request,
  hostname: string,
  own: string,
  origin?: string,
): boolean {
  const isNamed =
    origin === undefined
      ? [...returnToOrigins].some((named) => new URL(named).hostname === hostname)
      : returnToOrigins.has(origin)
  const cookie = sessionCookie(req)
  const isShared = cookie !== undefined && isForHost(cookie, hostname) && isForHost(cookie, own)
  return isNamed || (isShared && hostname !== own)
}

const otherOrigin = (here: string, origin: string, doubt: string): Found => ({
  code: 'other_origin',
  atFault: 'app',
  message: `The app is open at ${here}, and redirectUri leads to ${origin}: whoever logs in ends up there.`,
  remedy: `Open the app at ${origin}, and redirect people there; or change redirectUri, here and at the authorization server.${doubt}`,
  guide: 'docs/behind-a-proxy.md#one-host',
})

const hostHidden = (seen: string, own: string): Found => ({
  code: 'host_hidden',
  atFault: 'proxy',
  message: `The browser is at ${own}, and the request says ${shown(seen)}: the proxy does not pass on the host. Every login makes a detour.`,
  remedy: 'Have the proxy pass on Host (nginx: proxy_set_header Host $host).',
  guide: 'docs/behind-a-proxy.md#one-host',
})
