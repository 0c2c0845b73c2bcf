import type { Preset } from '../options/preset.ts'
import { definePreset } from './define-preset.ts'

/**
 * X. Plain OAuth 2.0; the profile needs the scopes `users.read` and `tweet.read`. The scope
 * `offline.access` makes it issue a refresh token. The texts of its refusals are not documented;
 * developers report them.
 *
 * @see https://docs.x.com/fundamentals/authentication/oauth-2-0/user-access-token and
 *   https://docs.x.com/fundamentals/authentication/oauth-2-0/authorization-code (2026-11)
 */
export function x(): Preset {
  return definePreset({
    preset: 'x',
    authorization_endpoint: 'https://x.com/i/oauth2/authorize',
    token_endpoint: 'https://api.x.com/2/oauth2/token',
    revocation_endpoint: 'https://api.x.com/2/oauth2/revoke',
    userinfo_endpoint: 'https://api.x.com/2/users/me',
    scope: ['offline.access'],
    apiOrigins: ['https://api.x.com'],
    dialect: {
      // Beside the error invalid_request.
      refusals: {
        error_description: {
          'Value passed for the token was invalid.': 'invalid_grant',
          'Value passed for the authorization code was invalid.': 'invalid_grant',
        },
      },
      profile: { id: 'data.id' },
    },
  })
}
