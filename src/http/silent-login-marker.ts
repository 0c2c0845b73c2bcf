import type { CookieOptions, Request, Response } from 'express'

/**
 * What a browser says about silent logins: that it keeps our cookies and is to try, or that it has
 * tried, or has logged out, and must not.
 */
export type SilentLoginMark = 'probing' | 'tried'

/** A cookie of a flow that says so. It lasts until the browser is closed, and holds nothing secret. */
export interface SilentLoginMarker {
  /** From now on logging out leaves the mark, too. */
  enable(): void
  read(req: Request): SilentLoginMark | undefined
  set(res: Response, mark: SilentLoginMark): void
  /** After a logout nobody is signed in silently again. */
  setAfterLogout(res: Response): void
}

const letters = { probing: 'p', tried: 't' } as const
const marks = { p: 'probing', t: 'tried' } as const

/**
 * @param flow fingerprint of the flow: two flows on one host do not see each other's cookies
 * @param secure whether redirectUri is `https:`
 */
export function createSilentLoginMarker(flow: string, secure: boolean): SilentLoginMarker {
  const name = `${secure ? '__Host-' : ''}pkce-silent.${flow.slice(0, 8)}`
  const pattern = new RegExp(`(?:^|;)\\s*${name.replaceAll('.', '\\.')}=([pt])\\s*(?:;|$)`)
  const attributes: CookieOptions = { path: '/', httpOnly: true, secure, sameSite: 'lax' }
  let isEnabled = false

  function set(res: Response, mark: SilentLoginMark) {
    res.cookie(name, letters[mark], attributes)
  }

  return {
    enable() {
      isEnabled = true
    },
    read(req) {
      const [, letter] = pattern.exec(req.headers.cookie ?? '') ?? []
      return letter === undefined ? undefined : marks[letter as keyof typeof marks]
    },
    set,
    setAfterLogout(res) {
      if (isEnabled) set(res, 'tried')
    },
  }
}
