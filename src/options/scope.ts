import { ConfigurationError } from '../errors.ts'
import { invalid, isText } from './checks.ts'
import type { ServerMetadata } from './server-metadata.ts'

/**
 * Checks the scope that an app asks for.
 *
 * @param more what is asked for beside it. Default: nothing
 */
export function resolveScope(
  value: unknown,
  issuer: string | undefined,
  server: ServerMetadata,
  more: readonly string[] = [],
): readonly string[] {
  const given = value === undefined ? (issuer === undefined ? [] : ['openid']) : value
  const scope = resolveScopeList('Option "scope"', given)
  if (scope.includes('openid') && issuer === undefined && (!server.jwks_uri || !server.issuer))
    throw invalid(
      'server',
      "needs 'issuer' and 'jwks_uri' with the scope 'openid', to check ID Tokens",
    )
  return [...new Set([...scope, ...more])]
}

/** A scope (RFC 6749 section 3.3) as a list, each word once. Throws `configuration`, naming `what`. */
export function resolveScopeList(what: string, value: unknown): readonly string[] {
  const scope: unknown = typeof value === 'string' ? value.split(' ').filter(Boolean) : value
  if (
    !Array.isArray(scope) ||
    !scope.every((token) => isText(token) && /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(token))
  )
    throw new ConfigurationError(
      `${what} must be a string of space-delimited words, or an array of them.`,
    )
  return [...new Set(scope as string[])]
}
