import type { TokenEndpointResponse } from '../protocol/token-endpoint.ts'
import type { IssuedTokens } from '../storage/token-records.ts'

/**
 * What is kept of a token endpoint response.
 *
 * @param requested scope that was asked for, or granted before: RFC 6749 section 5.1 leaves it out if
 *   it is the same
 */
export function issuedTokens(
  response: TokenEndpointResponse,
  requested: readonly string[],
): IssuedTokens {
  const { accessToken, tokenType, scope, issuedAt, expiresAt, refreshToken, refreshExpiresAt } =
    response
  return {
    ...{ accessToken, tokenType, issuedAt, expiresAt, refreshToken, refreshExpiresAt },
    scope: scope ?? [...requested],
  }
}
