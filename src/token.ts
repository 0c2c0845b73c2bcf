/**
 * An access token of the person at the browser. Printing or serialising it shows no secret:
 * `accessToken` and `idToken` are read by name only.
 */
export interface Token {
  readonly accessToken: string
  /** How to send it: `Authorization: Bearer …` (RFC 6750). */
  readonly tokenType: 'bearer'
  /** What was granted (RFC 6749 section 3.3). */
  readonly scope: readonly string[]
  /** Absent if the authorization server did not say. */
  readonly expiresAt?: Date
  /** Claims of the login's validated ID Token; absent without one. */
  readonly claims?: Claims
  /** The newest ID Token: the login's, or one that came with a refresh; absent without one. */
  readonly idToken?: string
}

/** Claims of a validated ID Token (OpenID Connect Core section 2), without `nonce`. */
export interface Claims {
  readonly iss: string
  readonly sub: string
  readonly aud: string | readonly string[]
  /** Seconds since the epoch. */
  readonly exp: number
  /** Seconds since the epoch. */
  readonly iat: number
  readonly [name: string]: unknown
}

/** What a {@link Token} is made of. */
export interface TokenParts {
  accessToken: string
  scope: readonly string[]
  /** Milliseconds since the epoch. */
  expiresAt?: number | undefined
  /** The newest one. */
  idToken?: string | undefined
  /** That of the login, whose claims are shown. */
  loginIdToken?: string | undefined
}

/** Makes the {@link Token} that handlers see. The ID Tokens must have been validated. */
export function createToken(parts: TokenParts): Token {
  const { accessToken, scope, expiresAt, idToken, loginIdToken } = parts
  const token = {
    tokenType: 'bearer',
    scope,
    ...(expiresAt !== undefined && { expiresAt: new Date(expiresAt) }),
  }
  return Object.defineProperties(token, {
    // Getters that are not enumerable: inspect, JSON, spread and structuredClone leave them out.
    accessToken: { get: () => accessToken },
    ...(idToken !== undefined && { idToken: { get: () => idToken } }),
    ...(loginIdToken !== undefined && {
      claims: { get: () => claimsOf(loginIdToken), enumerable: true },
    }),
  }) as unknown as Token
}

/** Claims of an ID Token that was validated when it came. */
export function claimsOf(idToken: string): Claims {
  const payload = idToken.split('.')[1] ?? ''
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as Claims
  delete (claims as { nonce?: unknown }).nonce
  return claims
}
