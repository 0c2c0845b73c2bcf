import type { Request } from 'express'
import {
  isStoredSession,
  sessionCookie,
  sessionStore,
  type SessionCookie,
} from '../http/session.ts'
import { isCrossSite } from '../http/user-agent.ts'
import type { Settings } from '../options/settings.ts'
import type { Found } from './finding.ts'

/** A session that is not there, or whose cookie the browser will not keep or not send. */
export function examineSessionCookie(settings: Settings, req: Request): Found[] {
  if (sessionStore(req) === undefined) return [sessionMissing]
  const cookie = sessionCookie(req)
  // An app may have ended the session before it asks.
  if (cookie === undefined) return []
  return [
    sameSiteNone(cookie),
    otherDomain(settings, cookie),
    otherPath(settings, cookie),
    inFrame(req, cookie),
  ].filter((found) => found !== undefined)
}

const sessionMissing: Found = {
  code: 'session_missing',
  atFault: 'app',
  message: 'This request has no session of express-session, so nobody can be signed in at it.',
  remedy:
    'Put app.use(session(…)) of express-session before the router and before this handler, with a cookie path that both are in, and see that its store is connected. cookie-session has no store.',
  guide: 'docs/errors.md#session_missing',
}

function sameSiteNone({ sameSite, secure }: SessionCookie): Found | undefined {
  if (sameSite !== 'none' || secure) return undefined
  return {
    code: 'same_site_none',
    atFault: 'app',
    message: 'The session cookie is SameSite=None without Secure: browsers drop such a cookie.',
    remedy: "Give the session's cookie sameSite: 'lax', or secure: true, which needs https.",
    guide: 'docs/same-site.md#which-to-choose',
  }
}

/** Whether a cookie with this domain is for this host (RFC 6265 section 5.1.3). */
export function isForHost({ domain: given }: SessionCookie, hostname: string): boolean {
  const domain = given?.toLowerCase().replace(/^\./, '')
  const host = hostname.toLowerCase()
  return domain !== undefined && (host === domain || host.endsWith(`.${domain}`))
}

function otherDomain(settings: Settings, cookie: SessionCookie): Found | undefined {
  const { hostname } = new URL(settings.redirectUri)
  if (cookie.domain === undefined || isForHost(cookie, hostname)) return undefined
  return {
    code: 'cookie_domain',
    atFault: 'app',
    message: `The session cookie has a domain that ${hostname}, the host of redirectUri, is not in: the browser drops it there.`,
    remedy: "Leave domain out of the session's cookie options, or set one that the host is in.",
    guide: 'docs/troubleshooting.md#redirect-loop',
  }
}

function otherPath({ routes, basePath }: Settings, cookie: SessionCookie): Found | undefined {
  const { callback } = routes
  // express-session compares with the path that the app sees, browsers with the one that they see.
  const isMade = callback.startsWith(cookie.path)
  const inBrowser = basePath + callback
  const folder = cookie.path.endsWith('/') ? cookie.path : `${cookie.path}/`
  if (isMade && (inBrowser === cookie.path || inBrowser.startsWith(folder))) return undefined
  return {
    code: 'cookie_path',
    atFault: 'app',
    message: `The session cookie has a path that ${isMade ? inBrowser : callback} is not in, so there is no session where a login ends.`,
    remedy: "Leave path out of the session's cookie options: it is '/' then.",
    guide: 'docs/troubleshooting.md#redirect-loop',
  }
}

const frames: ReadonlySet<unknown> = new Set(['iframe', 'frame', 'embed', 'object'])

function inFrame(req: Request, { sameSite }: SessionCookie): Found | undefined {
  const isFramed = isCrossSite(req) && frames.has(req.headers['sec-fetch-dest'])
  if (!isFramed || sameSite === 'none' || isStoredSession(req)) return undefined
  return {
    code: 'cookie_in_frame',
    atFault: 'app',
    message: `This page is in a frame of another site, and the session cookie is ${sameSite === undefined ? 'without SameSite, which means Lax in most browsers' : `SameSite=${sameSite}`}: it is not sent there, so nobody is signed in in the frame.`,
    remedy:
      "Open the app at the top, with target=\"_top\"; or give the session's cookie sameSite: 'none' and secure: true, which some browsers block in frames all the same.",
    guide: 'docs/same-site.md#frames',
  }
}
