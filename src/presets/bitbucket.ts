import type { Preset } from '../options/preset.ts'
import { definePreset } from './define-preset.ts'

/**
 * Bitbucket Cloud. Plain OAuth 2.0; scopes are those of the registered consumer, the profile needs
 * `account`. Every login brings a refresh token, which each use replaces and three months without use
 * end. PKCE and revocation are not documented, nor is how it refuses a refresh: taken to be
 * `invalid_grant`, as the standard has it.
 *
 * @see https://developer.atlassian.com/cloud/bitbucket/oauth-2/ and
 *   https://community.developer.atlassian.com/t/oauth-2-0-and-api-authentication-changes-for-bitbucket-cloud/99003 (2026-11)
 */
export function bitbucket(): Preset {
  return definePreset({
    preset: 'bitbucket',
    authorization_endpoint: 'https://bitbucket.org/site/oauth2/authorize',
    token_endpoint: 'https://bitbucket.org/site/oauth2/access_token',
    userinfo_endpoint: 'https://api.bitbucket.org/2.0/user',
    apiOrigins: ['https://api.bitbucket.org'],
    dialect: { profile: { id: 'uuid' } },
    without: ['pkce', 'revocation'],
  })
}
