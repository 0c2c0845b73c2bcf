import type { Preset } from '../options/preset.ts'
import { definePreset } from './define-preset.ts'

/**
 * Sign in with Slack, by OpenID Connect: scopes `openid`, `profile`, `email` and no others, its tokens
 * are for the profile. Refresh tokens come if token rotation is on in the app's settings. PKCE is
 * checked if the app has it enabled, which makes it a public client. Tokens are revoked by
 * `auth.revoke`, which is not RFC 7009: left out.
 *
 * @see https://docs.slack.dev/authentication/sign-in-with-slack/,
 *   https://docs.slack.dev/reference/methods/openid.connect.token and
 *   https://docs.slack.dev/authentication/using-pkce (2026-11)
 */
export function slack(): Preset {
  return definePreset({
    preset: 'slack',
    issuer: 'https://slack.com',
    clientAuth: 'client_secret_post',
    dialect: {
      // With status 200 and `ok: false`.
      refusals: {
        error: {
          invalid_refresh_token: 'invalid_grant',
          token_revoked: 'invalid_grant',
          invalid_code: 'invalid_grant',
          invalid_client_id: 'invalid_client',
          bad_client_secret: 'invalid_client',
          bad_redirect_uri: 'invalid_request',
          invalid_grant_type: 'invalid_request',
          fatal_error: 'temporarily_unavailable',
          internal_error: 'temporarily_unavailable',
          ratelimited: 'temporarily_unavailable',
          request_timeout: 'temporarily_unavailable',
          service_unavailable: 'temporarily_unavailable',
        },
      },
    },
    without: ['revocation'],
  })
}
