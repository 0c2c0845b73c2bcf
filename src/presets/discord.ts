import type { Preset } from '../options/preset.ts'
import { definePreset } from './define-preset.ts'

/**
 * Discord. Plain OAuth 2.0; the profile needs the scope `identify`. Every login brings a refresh token.
 *
 * @see https://discord.com/developers/docs/topics/oauth2 and
 *   https://discord.com/.well-known/oauth-authorization-server (2026-11)
 */
export function discord(): Preset {
  return definePreset({
    preset: 'discord',
    issuer: 'https://discord.com',
    authorization_endpoint: 'https://discord.com/api/oauth2/authorize',
    token_endpoint: 'https://discord.com/api/oauth2/token',
    revocation_endpoint: 'https://discord.com/api/oauth2/token/revoke',
    userinfo_endpoint: 'https://discord.com/api/v10/users/@me',
    code_challenge_methods_supported: ['S256'],
    apiOrigins: ['https://discord.com'],
    dialect: { profile: { id: 'id' } },
  })
}
