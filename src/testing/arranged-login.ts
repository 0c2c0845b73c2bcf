/** What `logIn` arranges for one login: with the browser that it happens in, so that logins in parallel do not meet. */
export interface ArrangedLogin {
  /** Tells the logins apart. */
  readonly id?: string
  /** Who is signed in in this browser. */
  readonly sub?: string
  /** What the person grants, space-delimited, whatever was asked for. */
  readonly scope?: string
  /** The first access token has expired when it is handed out. */
  readonly expired?: boolean
}

/** The cookie of the authorization server's origin that it travels in. */
export const arrangedLoginCookie = 'test_authorization_server_login'

export function writeArrangedLogin(login: ArrangedLogin): string {
  return Buffer.from(JSON.stringify(login)).toString('base64url')
}

/** From a `Cookie` header; nothing for a browser that nothing was arranged for. */
export function readArrangedLogin(cookieHeader = ''): ArrangedLogin {
  const value = new RegExp(`(?:^|; )${arrangedLoginCookie}=([\\w-]+)`).exec(cookieHeader)?.[1]
  if (value === undefined) return {}
  return JSON.parse(Buffer.from(value, 'base64url').toString('utf8')) as ArrangedLogin
}
