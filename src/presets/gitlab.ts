import type { Preset } from '../options/preset.ts'
import { readArguments, readOrigin } from './arguments.ts'
import { definePreset } from './define-preset.ts'

/**
 * GitLab.com, or a GitLab of one's own at the root of `host`. OpenID Connect; the scope `openid` has to
 * be ticked at the registered application. Every login brings a refresh token, which each use replaces.
 *
 * @see https://docs.gitlab.com/api/oauth2/ and
 *   https://docs.gitlab.com/integration/openid_connect_provider/ (2026-11)
 */
export function gitlab(options: { host?: string | undefined } = {}): Preset {
  const { host = 'gitlab.com' } = readArguments('gitlab', options, ['host'])
  return definePreset({ preset: 'gitlab', issuer: readOrigin('gitlab.host', host) })
}
