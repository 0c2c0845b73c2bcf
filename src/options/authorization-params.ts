import { invalid, isRecord } from './checks.ts'

const ownParameters = new Set([
  'client_id',
  'client_secret',
  'client_assertion',
  'client_assertion_type',
  'code_challenge',
  'code_challenge_method',
  'code_verifier',
  'grant_type',
  'nonce',
  'redirect_uri',
  'request',
  'request_uri',
  'response_mode',
  'response_type',
  'scope',
  'state',
])

/**
 * Checks parameters for the authorization request that an app gives, as an option or for one login.
 * Those that carry security are ours.
 *
 * @param option where they were given. Default: `authorizationParams`
 */
export function resolveAuthorizationParams(
  params: unknown,
  option = 'authorizationParams',
): Readonly<Record<string, string>> {
  if (!isRecord(params)) throw invalid(option, 'must be an object')
  for (const [name, value] of Object.entries(params)) {
    if (ownParameters.has(name))
      throw invalid(`${option}.${name}`, 'is set by the flow itself and cannot be overridden')
    if (typeof value !== 'string') throw invalid(`${option}.${name}`, 'must be a string')
  }
  if (typeof params.max_age === 'string' && !/^\d{1,9}$/.test(params.max_age))
    throw invalid(`${option}.max_age`, 'must be a whole number of seconds')
  return { ...(params as Record<string, string>) }
}
