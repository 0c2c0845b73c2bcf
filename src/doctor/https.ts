import type { Request } from 'express'
import { sessionCookie } from '../http/session.ts'
import type { Settings } from '../options/settings.ts'
import { isBrowserOnHttps } from './browser-place.ts'
import type { Found } from './finding.ts'

/** Requests that look like plain http to Express, and must not. */
export function examineHttps(settings: Settings, req: Request): Found[] {
  if (req.secure) return []
  const isSecureCookie = sessionCookie(req)?.secure === true
  if (!settings.secure) return isSecureCookie ? [insecureCookie] : []
  // Without a sign of https, this may be a request that a login would send on to https first.
  const forwarded = forwardedProtocol(req) === 'https'
  if (!forwarded && !isBrowserOnHttps(req)) return []
  const effect = isSecureCookie
    ? 'The session cookie is secure, so it is never set, and every login fails.'
    : 'Every login makes a detour, and what the app says about https is wrong.'
  return [forwarded ? trustProxyMissing(effect) : httpsHidden(effect)]
}

/** Of the proxy next to the browser, whether or not Express trusts it. */
function forwardedProtocol(req: Request): string | undefined {
  return req.get('x-forwarded-proto')?.split(',')[0]?.trim().toLowerCase()
}

const insecureCookie: Found = {
  code: 'insecure_cookie',
  atFault: 'app',
  message:
    'The session cookie is secure, and this request and redirectUri are plain http: express-session never sets it, and every login fails.',
  remedy:
    "Leave secure out of the session's cookie options in development: secure: process.env.NODE_ENV === 'production'.",
  guide: 'docs/errors.md#insecure_cookie',
}

const trustProxyMissing = (effect: string): Found => ({
  code: 'trust_proxy_missing',
  atFault: 'app',
  message: `A proxy says that this request came by https (X-Forwarded-Proto), and Express does not trust it. ${effect}`,
  remedy: "app.set('trust proxy', 1), or as many proxies as there are in front.",
  guide: 'docs/behind-a-proxy.md#tls-ends-at-the-proxy',
})

const httpsHidden = (effect: string): Found => ({
  code: 'https_hidden',
  atFault: 'proxy',
  message: `The browser is on https, and this request looks like plain http: the proxy that ends TLS does not say X-Forwarded-Proto: https. ${effect}`,
  remedy:
    "Have the proxy send X-Forwarded-Proto (nginx: proxy_set_header X-Forwarded-Proto $scheme), and app.set('trust proxy', 1).",
  guide: 'docs/behind-a-proxy.md#tls-ends-at-the-proxy',
})
