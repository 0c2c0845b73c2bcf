import type { Preset } from '../options/preset.ts'
import { definePreset } from './define-preset.ts'

/**
 * Atlassian Cloud (Jira, Confluence), OAuth 2.0 (3LO). Plain OAuth 2.0 with JSON token requests; the
 * profile needs the scope `read:me`. The scope `offline_access` makes it issue a refresh token, which
 * each use replaces. PKCE and revocation are not documented.
 *
 * @see https://developer.atlassian.com/cloud/jira/platform/oauth-2-3lo-apps/ and
 *   https://developer.atlassian.com/cloud/oauth/getting-started/refresh-tokens (2026-11)
 */
export function atlassian(): Preset {
  return definePreset({
    preset: 'atlassian',
    authorization_endpoint: 'https://auth.atlassian.com/authorize',
    token_endpoint: 'https://auth.atlassian.com/oauth/token',
    userinfo_endpoint: 'https://api.atlassian.com/me',
    clientAuth: 'client_secret_post',
    authorizationParams: { audience: 'api.atlassian.com', prompt: 'consent' },
    scope: ['offline_access'],
    apiOrigins: ['https://api.atlassian.com'],
    dialect: { jsonRequests: true, profile: { id: 'account_id' } },
    without: ['pkce', 'revocation'],
  })
}
