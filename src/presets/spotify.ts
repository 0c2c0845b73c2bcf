import type { Preset } from '../options/preset.ts'
import { definePreset } from './define-preset.ts'

/**
 * Spotify. Plain OAuth 2.0. Every login brings a refresh token, which ends six months after the person
 * consented, however often it was used. There is no revocation endpoint.
 *
 * @see https://developer.spotify.com/documentation/web-api/tutorials/code-pkce-flow,
 *   https://developer.spotify.com/documentation/web-api/tutorials/code-flow and
 *   https://developer.spotify.com/blog/2026-06-18-refresh-token-expiration (2026-11)
 */
export function spotify(): Preset {
  return definePreset({
    preset: 'spotify',
    authorization_endpoint: 'https://accounts.spotify.com/authorize',
    token_endpoint: 'https://accounts.spotify.com/api/token',
    userinfo_endpoint: 'https://api.spotify.com/v1/me',
    apiOrigins: ['https://api.spotify.com'],
    dialect: { profile: { id: 'id' } },
    without: ['revocation'],
  })
}
