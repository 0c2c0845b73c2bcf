import type { Claims } from 'express-pkce-flow'

/**
 * Id of this app's own user, from who somebody is at the authorization server: `sub` is unique
 * together with `iss` only (OpenID Connect Core section 5.7).
 */
export function userIdOf(claims: Claims | undefined): string {
  if (claims === undefined) throw new Error('Users of this app log in with OpenID Connect.')
  return `${claims.iss} ${claims.sub}`
}
