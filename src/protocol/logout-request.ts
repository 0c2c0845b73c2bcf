import { randomBytes } from 'node:crypto'
import { isSecureOrLoopback } from '../secure-url.ts'
import type { KnownServer } from './known-server.ts'

/** What an RP-initiated logout says of this client and of who leaves. */
export interface LogoutRequest {
  clientId: string
  /** Names the session that is to end. */
  idToken: string
  /** Where to come back to; `undefined` to stay there. */
  postLogoutRedirectUri: string | undefined
}

/** Many servers refuse a request line of more than 8 kB. Characters. */
const longestUrl = 8_000

/**
 * Where the browser goes to end the authorization server's session (OpenID Connect RP-Initiated
 * Logout 1.0 section 2); `undefined` if the server offers no such place. An ID Token that would make
 * the URL longer than 8,000 characters is left out: the person is asked there, then.
 */
export function buildLogoutUrl(
  { metadata }: KnownServer,
  { clientId, idToken, postLogoutRedirectUri }: LogoutRequest,
): string | undefined {
  const endpoint: unknown = metadata.end_session_endpoint
  if (typeof endpoint !== 'string' || !URL.canParse(endpoint)) return undefined
  const url = new URL(endpoint)
  if (!isSecureOrLoopback(url)) return undefined
  url.searchParams.set('client_id', clientId)
  if (postLogoutRedirectUri !== undefined) {
    url.searchParams.set('post_logout_redirect_uri', postLogoutRedirectUri)
    // Nothing is left that another site's answer could end, so nobody has to compare it.
    url.searchParams.set('state', randomBytes(16).toString('base64url'))
  }
  const unhinted = url.href
  url.searchParams.set('id_token_hint', idToken)
  return url.href.length > longestUrl ? unhinted : url.href
}
