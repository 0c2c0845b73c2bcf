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
  const { scope, expiresAt, idToken, loginIdToken } = parts
  const token: Record<string, unknown> = { tokenType: 'bearer', scope }
  if (expiresAt !== undefined) token.expiresAt = new Date(expiresAt)
  Object.defineProperty(token, partsOf, { value: () => parts })
  Object.defineProperty(token, 'accessToken', accessTokenGetter)
  if (idToken !== undefined) Object.defineProperty(token, 'idToken', idTokenGetter)
  if (loginIdToken !== undefined) Object.defineProperty(token, 'claims', claimsGetter)
  return token as unknown as Token
}

/** A function, which whoever prints everything does not call. */
const partsOf = Symbol('parts')

interface WithParts {
  [partsOf]: () => TokenParts
}

// Getters that are not enumerable, but for the claims: inspect, JSON, spread and structuredClone leave
// them out. All tokens share them: getters of its own would cost each request more than all that the
// token is made of. Private fields would fail where a token is in a proxy, or is a prototype.

const accessTokenGetter = {
  get(this: WithParts) {
    return this[partsOf]().accessToken
  },
}

const idTokenGetter = {
  get(this: WithParts) {
    return this[partsOf]().idToken
  },
}

const claimsGetter = {
  get(this: WithParts) {
    return claimsOf(this[partsOf]().loginIdToken ?? '')
  },
  enumerable: true,
}

/** Claims of an ID Token that was validated when it came. */
export function claimsOf(idToken: string): Claims {
  const payload = idToken.split('.')[1] ?? ''
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as Claims
  delete (claims as { nonce?: unknown }).nonce
  return claims
}
