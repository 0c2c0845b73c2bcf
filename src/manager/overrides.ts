import { ConfigurationError } from '../errors.ts'
import { resolveAuthorizationParams } from '../options/authorization-params.ts'
import { invalid, isRecord, refuseUnknown } from '../options/checks.ts'
import { resolveScope } from '../options/scope.ts'
import type { ManagerSettings } from './attributes.ts'

/** What one login asks for in place of the class's attributes. */
export interface AuthorizationUrlOverrides {
  /** In place of the attribute. `openid` has to be in both, or in none. */
  scope?: string | readonly string[] | undefined
  /** Over those of the attribute, for example `{ login_hint: 'alice' }`. All but `max_age`. */
  authorizationParams?: Readonly<Record<string, string>> | undefined
}

/** Scope and parameters for one authorization request. Throws `configuration`. */
export function resolveOverrides(
  settings: ManagerSettings,
  overrides: AuthorizationUrlOverrides,
): Pick<ManagerSettings, 'scope' | 'authorizationParams'> {
  if (!isRecord(overrides))
    throw new ConfigurationError('getAuthorizationUrl() takes an object of overrides.')
  refuseUnknown(overrides, ['scope', 'authorizationParams'], '')
  const { issuer, server, authorizationParams } = settings
  const params = resolveAuthorizationParams(overrides.authorizationParams ?? {})
  const scope =
    overrides.scope === undefined ? settings.scope : resolveScope(overrides.scope, issuer, server)
  // What came back is checked later, when nobody knows what one login asked for.
  if (scope.includes('openid') !== settings.scope.includes('openid'))
    throw invalid('scope', "of one login has 'openid' if, and only if, the attribute has it")
  if (params.max_age !== undefined)
    throw invalid('authorizationParams.max_age', 'can only be an attribute of the class')
  return { scope, authorizationParams: { ...authorizationParams, ...params } }
}
