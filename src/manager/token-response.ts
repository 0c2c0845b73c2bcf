import type { ValidatedTokens } from '../protocol/token-request.ts'
import { createToken, type Token } from '../token.ts'

/**
 * A token endpoint response (RFC 6749 section 5.1), validated. Printing or serialising it shows no
 * secret: `accessToken`, `refreshToken` and `idToken` are read by name only, also to store them.
 */
export interface TokenResponse extends Omit<Token, 'scope'> {
  /**
   * What the server says it granted. Absent if it says nothing: that is then what was asked for, and
   * at a refresh what was granted before.
   */
  readonly scope?: readonly string[]
  /** Gets the next access token (RFC 6749 section 6); absent if the server gave none. */
  readonly refreshToken?: string
}

export function toTokenResponse({
  refreshToken,
  scope,
  ...tokens
}: ValidatedTokens): TokenResponse {
  const { idToken: loginIdToken } = tokens
  const response: TokenResponse = createToken({ ...tokens, loginIdToken, scope: scope ?? [] })
  // The attribute is no answer: one login may have asked for less, and it is kept nowhere.
  if (scope === undefined) Reflect.deleteProperty(response, 'scope')
  if (refreshToken === undefined) return response
  return Object.defineProperty(response, 'refreshToken', { get: () => refreshToken })
}
