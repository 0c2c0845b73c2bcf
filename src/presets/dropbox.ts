import type { Preset } from '../options/preset.ts'
import { definePreset } from './define-preset.ts'

/**
 * Dropbox. Plain OAuth 2.0; the profile needs the scope `account_info.read`. `token_access_type=offline`
 * makes it issue a refresh token, which has no end. Tokens are revoked by a call of the API with the
 * token itself, which is not RFC 7009: left out.
 *
 * @see https://dropbox.tech/developers/using-oauth-2-0-with-offline-access,
 *   https://www.dropbox.com/lp/developers/reference/oauth-guide and
 *   https://www.dropbox.com/developers/documentation/http/documentation (2026-11)
 */
export function dropbox(): Preset {
  return definePreset({
    preset: 'dropbox',
    authorization_endpoint: 'https://www.dropbox.com/oauth2/authorize',
    token_endpoint: 'https://api.dropboxapi.com/oauth2/token',
    userinfo_endpoint: 'https://api.dropboxapi.com/2/users/get_current_account',
    authorizationParams: { token_access_type: 'offline' },
    apiOrigins: ['https://api.dropboxapi.com', 'https://content.dropboxapi.com'],
    dialect: { profile: { id: 'account_id', method: 'POST' } },
    without: ['revocation'],
  })
}
