import type { CookieOptions, Request, Response } from 'express'
import type { BindingSecret } from '../storage/pending-logins.ts'

/** Settings of the cookies that bind pending logins to this browser, one cookie each. */
export interface BindingCookieSettings {
  /** Fingerprint of the flow: two flows on one host do not see each other's cookies. */
  flow: string
  /** Whether redirectUri is `https:`. */
  secure: boolean
  responseMode: 'query' | 'form_post'
  loginTimeout: number
  maxPendingLogins: number
}

/** A binding cookie that the browser sent. What it says is the browser's word only. */
export interface BindingCookie extends BindingSecret {
  name: string
  /** How the login was started, and whether it has been finished. */
  kind: 'own' | 'cross-site' | 'finished'
  /** Milliseconds since the epoch. */
  startedAt: number
}

/** The binding cookies of one flow. */
export interface BindingCookies {
  /** The cookie of this pending login, if this browser has it. */
  find(req: Request, id: string): BindingCookie | undefined
  /**
   * Sets the cookie of a login that just started; the oldest beyond the caps make place, and are
   * what comes back.
   */
  add(req: Request, res: Response, binding: BindingSecret, crossSite: boolean): BindingCookie[]
  /** Keeps the cookie for repetitions, as the first that makes place. */
  finish(res: Response, cookie: BindingCookie): void
  /** How many logins this browser says that it finished in the last minute. */
  countFinished(req: Request): number
  /** Clears the cookie of a login that is no more. */
  clear(res: Response, cookie: BindingCookie): void
}

/** Starts that another site caused have a cap of their own, so that it cannot push out others. */
const maxCrossSite = 3

const letters = { own: 'o', 'cross-site': 'x', finished: 'f' } as const
const kinds = { o: 'own', x: 'cross-site', f: 'finished' } as const

/**
 * The cookies are not the session's: tabs cannot overwrite each other's, and a visitor who never
 * comes back needs no session. Under https the `__Host-` prefix keeps other hosts from planting one.
 */
export function createBindingCookies(settings: BindingCookieSettings): BindingCookies {
  const { secure, loginTimeout } = settings
  const prefix = `${secure ? '__Host-' : ''}pkce.${settings.flow.slice(0, 8)}.`
  const pattern = new RegExp(
    `(?:^|;)\\s*(${prefix.replaceAll('.', '\\.')}([0-9a-f]{32}))=([oxf])([0-9a-z]{1,9})\\.([\\w-]{22})\\s*(?=;|$)`,
    'g',
  )
  const attributes: CookieOptions = {
    path: '/',
    httpOnly: true,
    secure,
    // A form_post answer is a cross-site POST: only None comes along with it.
    sameSite: settings.responseMode === 'form_post' ? 'none' : 'lax',
  }

  function all(req: Request): BindingCookie[] {
    const header = req.headers.cookie
    if (header?.includes(prefix) !== true) return []
    return Array.from(
      header.matchAll(pattern),
      ([, name = '', id = '', kind, time, secret = '']) => ({
        name,
        id,
        secret,
        kind: kinds[kind as keyof typeof kinds],
        startedAt: parseInt(time ?? '', 36),
      }),
    )
  }

  function set(res: Response, cookie: BindingCookie) {
    // When it began is the browser's word only.
    const left = Math.min(cookie.startedAt - Date.now(), 0) + loginTimeout
    const value = `${letters[cookie.kind]}${cookie.startedAt.toString(36)}.${cookie.secret}`
    res.cookie(cookie.name, value, { ...attributes, maxAge: Math.max(left, 1_000) })
  }

  function clear(res: Response, { name }: BindingCookie) {
    res.cookie(name, '', { ...attributes, maxAge: 0 })
  }

  return {
    find: (req, id) => all(req).find((cookie) => cookie.id === id),
    add(req, res, binding, crossSite) {
      const peers = all(req)
        .filter(({ kind }) => (kind === 'cross-site') === crossSite)
        .sort(finishedThenOldest)
      const most = crossSite ? maxCrossSite : settings.maxPendingLogins
      const surplus = peers.slice(0, Math.max(peers.length + 1 - most, 0))
      for (const cookie of surplus) clear(res, cookie)
      set(res, {
        ...binding,
        name: prefix + binding.id,
        kind: crossSite ? 'cross-site' : 'own',
        startedAt: Date.now(),
      })
      return surplus
    },
    finish(res, cookie) {
      if (cookie.kind !== 'finished') set(res, { ...cookie, kind: 'finished' })
    },
    countFinished: (req) =>
      all(req).filter(
        ({ kind, startedAt }) => kind === 'finished' && startedAt > Date.now() - 60_000,
      ).length,
    clear,
  }
}

function finishedThenOldest(a: BindingCookie, b: BindingCookie): number {
  const rank = ({ kind }: BindingCookie) => (kind === 'finished' ? 0 : 1)
  return rank(a) - rank(b) || a.startedAt - b.startedAt
}
