import type { Preset } from '../options/preset.ts'
import { readArguments, readOrigin, readSegment } from './arguments.ts'
import { definePreset } from './define-preset.ts'

/**
 * Okta, by OpenID Connect: the authorization server of the org, or with `authorizationServer` a custom
 * one by its id, such as `default`. The scope `offline_access` makes it issue a refresh token; the app
 * integration needs the grant type Refresh Token for it.
 *
 * @see https://developer.okta.com/docs/guides/refresh-tokens/main/ and
 *   https://developer.okta.com/docs/api/openapi/okta-oauth/oauth/orgas (2026-11)
 */
export function okta(options: {
  domain: string
  authorizationServer?: string | undefined
}): Preset {
  const known = ['domain', 'authorizationServer']
  const { domain, authorizationServer } = readArguments('okta', options, known)
  const origin = readOrigin('okta.domain', domain)
  return definePreset({
    preset: 'okta',
    issuer:
      authorizationServer === undefined
        ? origin
        : `${origin}/oauth2/${readSegment('okta.authorizationServer', authorizationServer)}`,
    scope: ['offline_access'],
  })
}
