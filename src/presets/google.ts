import type { Preset } from '../options/preset.ts'
import { definePreset } from './define-preset.ts'

/**
 * Google, by OpenID Connect. `access_type=offline` makes it issue a refresh token, at the first consent
 * only: so `prompt=consent` asks each time. APIs other than those at `www.googleapis.com` have origins
 * of their own, to be added in `apiOrigins`.
 *
 * @see https://developers.google.com/identity/openid-connect/reference and
 *   https://developers.google.com/identity/protocols/oauth2/web-server (2026-11)
 */
export function google(): Preset {
  return definePreset({
    preset: 'google',
    issuer: 'https://accounts.google.com',
    authorizationParams: { access_type: 'offline', prompt: 'consent' },
    apiOrigins: ['https://www.googleapis.com'],
  })
}
