import type { Preset } from '../options/preset.ts'
import { readArguments, readOrigin } from './arguments.ts'
import { definePreset } from './define-preset.ts'

/**
 * Auth0, by OpenID Connect, at the tenant's or a custom domain. The scope `offline_access` makes it
 * issue a refresh token, if the application has the refresh token grant and the API allows offline
 * access. Tokens for an API of one's own: `authorizationParams: { audience }`.
 *
 * @see https://auth0.com/docs/secure/tokens/refresh-tokens/get-refresh-tokens,
 *   https://auth0.com/docs/secure/tokens/refresh-tokens/revoke-refresh-tokens and
 *   https://auth0.com/docs/get-started/authentication-and-authorization-flow/authorization-code-flow-with-pkce/call-your-api-using-the-authorization-code-flow-with-pkce (2026-11)
 */
export function auth0(options: { domain: string }): Preset {
  const { domain } = readArguments('auth0', options, ['domain'])
  return definePreset({
    preset: 'auth0',
    // Its issuer ends with a slash.
    issuer: `${readOrigin('auth0.domain', domain)}/`,
    clientAuth: 'client_secret_post',
    scope: ['offline_access'],
  })
}
