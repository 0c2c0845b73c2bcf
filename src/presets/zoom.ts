import type { Preset } from '../options/preset.ts'
import { definePreset } from './define-preset.ts'

/**
 * Zoom, for user-managed apps. Plain OAuth 2.0; scopes are those of the registered app. Every login
 * brings a refresh token, which each use replaces. Its refusals are told by their `reason`: of the texts
 * that its documentation lists, those that end a code or a token. That they come as `reason`, and the
 * text `Invalid Token!`, are not documented; developers report them.
 *
 * @see https://developers.zoom.us/docs/integrations/oauth/ and
 *   https://developers.zoom.us/docs/integrations/oauth-error-messages/ (2026-11)
 */
export function zoom(): Preset {
  return definePreset({
    preset: 'zoom',
    authorization_endpoint: 'https://zoom.us/oauth/authorize',
    token_endpoint: 'https://zoom.us/oauth/token',
    revocation_endpoint: 'https://zoom.us/oauth/revoke',
    userinfo_endpoint: 'https://api.zoom.us/v2/users/me',
    apiOrigins: ['https://api.zoom.us'],
    dialect: {
      // Beside the error invalid_request. Behind some of them stands the code itself.
      refusals: {
        reason: {
          'Code is expired*': 'invalid_grant',
          'Invalid authorization code*': 'invalid_grant',
          'The owner of the token does not exist*': 'invalid_grant',
          'Can not find the authentication for the access token*': 'invalid_grant',
          'The token has been revoked*': 'invalid_grant',
          'Invalid Token!': 'invalid_grant',
        },
      },
      profile: { id: 'id' },
    },
  })
}
