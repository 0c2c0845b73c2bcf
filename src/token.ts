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
  return new BearerToken(parts) as unknown as Token
}

/**
 * Its members are getters that are not enumerable, but for the claims: inspect, JSON, spread and
 * structuredClone leave them out. All tokens share them: getters of its own would cost each request more
 * than all that the token is made of.
 */
class BearerToken {
  readonly tokenType = 'bearer'
  readonly scope: readonly string[]
  declare readonly expiresAt?: Date
  readonly #parts: TokenParts

  static readonly #accessToken = {
    get(this: BearerToken) {
      return this.#parts.accessToken
    },
  }
  static readonly #idToken = {
    get(this: BearerToken) {
      return this.#parts.idToken
    },
  }
  static readonly #claims = {
    get(this: BearerToken) {
      return claimsOf(this.#parts.loginIdToken ?? '')
    },
    enumerable: true,
  }

  constructor(parts: TokenParts) {
    const { scope, expiresAt, idToken, loginIdToken } = parts
    this.scope = scope
    if (expiresAt !== undefined) this.expiresAt = new Date(expiresAt)
    this.#parts = parts
    Object.defineProperty(this, 'accessToken', BearerToken.#accessToken)
    if (idToken !== undefined) Object.defineProperty(this, 'idToken', BearerToken.#idToken)
    if (loginIdToken !== undefined) Object.defineProperty(this, 'claims', BearerToken.#claims)
  }
}

/** Claims of an ID Token that was validated when it came. */
export function claimsOf(idToken: string): Claims {
  const payload = idToken.split('.')[1] ?? ''
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as Claims
  delete (claims as { nonce?: unknown }).nonce
  return claims
}
