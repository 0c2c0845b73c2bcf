import type { Preset } from '../options/preset.ts'
import { readArguments, readOrigin } from './arguments.ts'
import { definePreset } from './define-preset.ts'

/**
 * Salesforce, by OpenID Connect, at `login.salesforce.com`, `test.salesforce.com` (sandboxes) or a My
 * Domain. The scope `refresh_token` makes it issue a refresh token. Responses have no lifetime: a token
 * is replaced when the API refuses it. The API is at the org's own instance, to be added in
 * `apiOrigins`. `nonce` is documented for the authorization request, its place in the ID Token is not.
 *
 * @see https://help.salesforce.com/s/articleView?id=sf.remoteaccess_oauth_web_server_flow.htm,
 *   https://help.salesforce.com/s/articleView?id=sf.remoteaccess_oauth_refresh_token_flow.htm and
 *   https://login.salesforce.com/.well-known/openid-configuration (2026-11)
 */
export function salesforce(options: { host?: string | undefined } = {}): Preset {
  const { host = 'login.salesforce.com' } = readArguments('salesforce', options, ['host'])
  return definePreset({
    preset: 'salesforce',
    issuer: readOrigin('salesforce.host', host),
    clientAuth: 'client_secret_post',
    scope: ['refresh_token'],
  })
}
