import type { Preset } from '../options/preset.ts'
import { definePreset } from './define-preset.ts'

/**
 * Notion, for public connections. Plain OAuth 2.0 with JSON token requests, without scopes. Responses
 * have no lifetime: a token is replaced when the API refuses it. PKCE is not documented. Its revocation
 * endpoint takes JSON, which RFC 7009 does not: left out.
 *
 * @see https://developers.notion.com/guides/get-started/authorization,
 *   https://developers.notion.com/reference/refresh-a-token and
 *   https://developers.notion.com/reference/get-self (2026-11)
 */
export function notion(): Preset {
  return definePreset({
    preset: 'notion',
    authorization_endpoint: 'https://api.notion.com/v1/oauth/authorize',
    token_endpoint: 'https://api.notion.com/v1/oauth/token',
    userinfo_endpoint: 'https://api.notion.com/v1/users/me',
    authorizationParams: { owner: 'user' },
    apiOrigins: ['https://api.notion.com'],
    dialect: {
      jsonRequests: true,
      profile: { id: 'bot.owner.user.id', headers: { 'notion-version': '2025-09-03' } },
    },
    without: ['pkce', 'revocation'],
  })
}
