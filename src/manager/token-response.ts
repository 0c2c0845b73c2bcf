import type { ValidatedTokens } from '../protocol/token-request.ts'
import { createToken, type Token } from '../token.ts'

/**
 * A token endpoint response (RFC 6749 section 5.1), validated. Printing or serialising it shows no
 * secret: `accessToken`, `refreshToken` and `idToken` are read by name only, also to store them.
 */
export interface TokenResponse extends Token {
  /** Gets the next access token (RFC 6749 section 6); absent if the server gave none. */
  readonly refreshToken?: string
}

/** @param requested scope that was asked for: a server leaves it out if it granted the same */
export function toTokenResponse(
  { refreshToken, scope, ...tokens }: ValidatedTokens,
  requested: readonly string[],
): TokenResponse {
  const { idToken: loginIdToken } = tokens
  const response = createToken({ ...tokens, loginIdToken, scope: scope ?? [...requested] })
  if (refreshToken === undefined) return response
  return Object.defineProperty(response, 'refreshToken', { get: () => refreshToken })
}
