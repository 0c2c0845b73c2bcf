import { invalid } from '../options/checks.ts'
import type { Preset } from '../options/preset.ts'
import { readArguments } from './arguments.ts'
import { definePreset } from './define-preset.ts'

/** Tenant of personal accounts, as it stands in their ID Tokens. */
const personalAccounts = '9188040d-6c67-4c5b-b112-36a304b66dad'

const origin = 'https://login.microsoftonline.com'

/**
 * Microsoft Entra ID and personal Microsoft accounts. With a tenant id, or `consumers` for personal
 * accounts: OpenID Connect. `common` and `organizations` stand for many issuers, so with them it is
 * plain OAuth 2.0, without the scope `openid`; the profile is Microsoft Graph's (scope `User.Read`).
 * The scope `offline_access` makes it issue a refresh token. There is no revocation endpoint.
 *
 * @see https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-auth-code-flow and
 *   https://learn.microsoft.com/en-us/entra/identity-platform/v2-protocols-oidc (2026-11)
 */
export function microsoft(options: { tenant: string }): Preset {
  const { tenant } = readArguments('microsoft', options, ['tenant'])
  return definePreset({
    preset: 'microsoft',
    ...serverOf(tenant === 'consumers' ? personalAccounts : tenant),
    clientAuth: 'client_secret_post',
    scope: ['offline_access'],
    apiOrigins: ['https://graph.microsoft.com'],
    without: ['revocation'],
  })
}

function serverOf(tenant: unknown): Omit<Preset, 'preset'> {
  if (tenant === 'common' || tenant === 'organizations')
    return {
      authorization_endpoint: `${origin}/${tenant}/oauth2/v2.0/authorize`,
      token_endpoint: `${origin}/${tenant}/oauth2/v2.0/token`,
      userinfo_endpoint: 'https://graph.microsoft.com/v1.0/me',
      dialect: { profile: { id: 'id' } },
    }
  if (typeof tenant === 'string' && /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(tenant))
    return { issuer: `${origin}/${tenant.toLowerCase()}/v2.0` }
  throw invalid(
    'microsoft.tenant',
    "must be a tenant id (not its domain name: the issuer has the id), 'consumers', 'common' or 'organizations'",
  )
}
