import { invalid, isRoutePath } from './checks.ts'
import { resolveRedirectUri } from './places.ts'

/** Options of flows through which people sign in. */
export interface SignIns {
  /**
   * Where the authorization server sends the browser after it has ended its own session (OpenID
   * Connect RP-Initiated Logout 1.0): an absolute URL without query on redirectUri's origin,
   * registered there. Its path is a route that leads to `afterLogout`. Needs the scope `openid`.
   * Default: none, and people stay on the authorization server's page after a logout.
   */
  postLogoutRedirectUri?: string | undefined
}

/** Where the browser comes back to after the authorization server's logout. */
export interface PostLogout {
  readonly uri: string
  /** As this app sees it. */
  readonly path: string
}

export function resolvePostLogout(
  value: unknown,
  redirectUri: URL,
  basePath: string,
): PostLogout | undefined {
  if (value === undefined) return undefined
  const url = resolveRedirectUri('postLogoutRedirectUri', value)
  if (url.origin !== redirectUri.origin)
    throw invalid('postLogoutRedirectUri', 'must have the same origin as redirectUri')
  const path = url.pathname.slice(basePath.length).replace(/\/$/, '')
  if (!url.pathname.startsWith(`${basePath}/`) || !isRoutePath(path))
    throw invalid(
      'postLogoutRedirectUri',
      'needs a path of its own, for example /logged-out, below basePath if there is one',
    )
  return { uri: url.href, path }
}

/** What is about the authorization server's session, and so about people who signed in there. */
export function refuseWithoutSignIn(
  given: Readonly<Record<string, unknown>>,
  purpose: 'login' | 'connect',
  scope: readonly string[],
): void {
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue
    if (purpose === 'connect')
      throw invalid(name, "does nothing with purpose 'connect': nobody signs in through this flow")
    if (!scope.includes('openid'))
      throw invalid(
        name,
        'needs \'openid\' in the option "scope": without it nobody knows who left',
      )
  }
}
