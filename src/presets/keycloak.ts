import { invalid, resolveUrl } from '../options/checks.ts'
import type { Preset } from '../options/preset.ts'
import { readArguments, readOrigin, readSegment } from './arguments.ts'
import { definePreset } from './define-preset.ts'

/** Where a Keycloak is: at the root of a host, or at the base URL that it is configured with. @inline */
type Place = { host: string; baseUrl?: undefined } | { host?: undefined; baseUrl: string }

/**
 * A realm of a Keycloak, by OpenID Connect. Every login brings a refresh token that lives as long as
 * the person's session there; with the scope `offline_access` it outlives that.
 *
 * @see https://www.keycloak.org/securing-apps/oidc-layers (2026-11)
 */
export function keycloak(options: Place & { realm: string }): Preset {
  const { host, baseUrl, realm } = readArguments('keycloak', options, ['host', 'baseUrl', 'realm'])
  if (host !== undefined && baseUrl !== undefined)
    throw invalid('keycloak.baseUrl', 'cannot be beside "host"')
  const base = baseUrl === undefined ? readOrigin('keycloak.host', host) : readBaseUrl(baseUrl)
  return definePreset({
    preset: 'keycloak',
    issuer: `${base}/realms/${readSegment('keycloak.realm', realm)}`,
  })
}

function readBaseUrl(value: unknown): string {
  const { href, search } = resolveUrl('keycloak.baseUrl', value)
  if (search !== '') throw invalid('keycloak.baseUrl', 'must not have a query')
  return href.replace(/\/+$/, '')
}
