import type { Preset } from '../options/preset.ts'
import { definePreset } from './define-preset.ts'

/**
 * Twitch, by OpenID Connect. Every login brings a refresh token. PKCE is not documented; `nonce` is, and
 * comes back in the ID Token. Its API wants the header `Client-Id` beside the token.
 *
 * @see https://dev.twitch.tv/docs/authentication/getting-tokens-oidc,
 *   https://dev.twitch.tv/docs/authentication/refresh-tokens/ and
 *   https://dev.twitch.tv/docs/authentication/revoke-tokens (2026-11)
 */
export function twitch(): Preset {
  return definePreset({
    preset: 'twitch',
    issuer: 'https://id.twitch.tv/oauth2',
    // Not in its metadata.
    revocation_endpoint: 'https://id.twitch.tv/oauth2/revoke',
    clientAuth: 'client_secret_post',
    apiOrigins: ['https://api.twitch.tv'],
    dialect: {
      grantedScope: { form: 'array' },
      refusals: { message: { 'Invalid refresh token': 'invalid_grant' } },
    },
    without: ['pkce'],
  })
}
