import type { Preset } from '../options/preset.ts'
import { readArguments, readOrigin } from './arguments.ts'
import { definePreset } from './define-preset.ts'

/**
 * GitHub.com, or `host`: a GitHub Enterprise Server, or a subdomain of ghe.com. Plain OAuth 2.0.
 * Refresh tokens come with GitHub Apps whose user tokens expire; an OAuth app has none, its tokens last.
 * Tokens are revoked by `DELETE /applications/{client_id}/token`, which is not RFC 7009: left out.
 * Not documented: the error `bad_refresh_token`, which developers report, and since which version a
 * GitHub Enterprise Server checks PKCE.
 *
 * @see https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps,
 *   https://docs.github.com/en/apps/oauth-apps/maintaining-oauth-apps/troubleshooting-oauth-app-access-token-request-errors,
 *   https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/refreshing-user-access-tokens,
 *   https://docs.github.com/en/enterprise-cloud@latest/admin/data-residency/about-github-enterprise-cloud-with-data-residency and
 *   https://github.blog/changelog/2025-07-14-pkce-support-for-oauth-and-github-app-authentication (2026-11)
 */
export function github(options: { host?: string | undefined } = {}): Preset {
  const { host = 'github.com' } = readArguments('github', options, ['host'])
  const origin = readOrigin('github.host', host)
  const api = apiOf(new URL(origin))
  return definePreset({
    preset: 'github',
    authorization_endpoint: `${origin}/login/oauth/authorize`,
    token_endpoint: `${origin}/login/oauth/access_token`,
    userinfo_endpoint: `${api}/user`,
    clientAuth: 'client_secret_post',
    apiOrigins: [new URL(api).origin],
    dialect: {
      formResponses: true,
      grantedScope: { form: 'commas' },
      refusals: {
        error: {
          bad_refresh_token: 'invalid_grant',
          bad_verification_code: 'invalid_grant',
          incorrect_client_credentials: 'invalid_client',
          redirect_uri_mismatch: 'invalid_request',
        },
      },
      profile: { id: 'id' },
    },
    without: ['revocation'],
  })
}

function apiOf({ origin, hostname, host }: URL): string {
  return hostname === 'github.com' || hostname.endsWith('.ghe.com')
    ? `https://api.${host}`
    : `${origin}/api/v3`
}
