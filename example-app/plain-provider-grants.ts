import { createHash, randomBytes } from 'node:crypto'

/** What a code is good for, as the authorization request said it. */
export interface Request {
  redirectUri: string
  scope: string
  /** RFC 7636 section 4.2, method S256. */
  codeChallenge: string
}

/** What the token endpoint answers with (RFC 6749 section 5.1). */
export interface TokenResponse {
  access_token: string
  token_type: 'Bearer'
  expires_in: number
  refresh_token: string
  scope: string
}

/** What a person allowed once, and what came of it. */
interface Grant {
  scope: string
  /** Its tokens: older ones have ended. */
  accessToken?: string
  refreshToken?: string
  ended?: boolean
}

type Code = Request & { grant: Grant; spent: boolean; expiresAt: number }

/** A code is exchanged at once, or not at all (RFC 6749 section 4.1.2). */
const codeLifetime = 60_000

/** Codes and tokens of the one client, in memory: what was allowed, and whether it still is. */
export interface Grants {
  createCode(request: Request): string
  /** `undefined` if the code, or what came with it, is wrong. */
  exchangeCode(code: string, redirectUri: string, verifier: string): TokenResponse | undefined
  /** `undefined` if the refresh token has ended. */
  refresh(refreshToken: string): TokenResponse | undefined
  /** Ends the grant that an access or refresh token is of. */
  revoke(token: string): void
  /** Scope of an access token that is good now. */
  scopeOf(accessToken: string): string | undefined
}

/** @param accessTokenLifetime seconds */
export function createGrants(accessTokenLifetime: number): Grants {
  const codes = new Map<string, Code>()
  const accessTokens = new Map<string, { grant: Grant; expiresAt: number }>()
  const refreshTokens = new Map<string, Grant>()

  /** New tokens in the place of those before: each refresh token is good once (RFC 9700). */
  function issue(grant: Grant): TokenResponse {
    accessTokens.delete(grant.accessToken ?? '')
    grant.accessToken = randomToken()
    grant.refreshToken = randomToken()
    accessTokens.set(grant.accessToken, {
      grant,
      expiresAt: Date.now() + accessTokenLifetime * 1000,
    })
    refreshTokens.set(grant.refreshToken, grant)
    return {
      access_token: grant.accessToken,
      token_type: 'Bearer',
      expires_in: accessTokenLifetime,
      refresh_token: grant.refreshToken,
      scope: grant.scope,
    }
  }

  return {
    createCode(request) {
      for (const [old, { expiresAt }] of codes) if (expiresAt < Date.now()) codes.delete(old)
      const code = randomToken()
      const grant = { scope: request.scope }
      codes.set(code, { ...request, grant, spent: false, expiresAt: Date.now() + codeLifetime })
      return code
    },
    exchangeCode(code, redirectUri, verifier) {
      const found = codes.get(code)
      if (found === undefined) return undefined
      // Sent twice, it may have been stolen: then nobody keeps what it brought.
      if (found.spent) found.grant.ended = true
      found.spent = true
      const isGood =
        !found.grant.ended &&
        found.expiresAt > Date.now() &&
        found.redirectUri === redirectUri &&
        found.codeChallenge === createHash('sha256').update(verifier).digest('base64url')
      return isGood ? issue(found.grant) : undefined
    },
    refresh(refreshToken) {
      const grant = refreshTokens.get(refreshToken)
      if (grant === undefined) return undefined
      // The same goes for a refresh token.
      if (grant.refreshToken !== refreshToken) grant.ended = true
      return grant.ended ? undefined : issue(grant)
    },
    revoke(token) {
      const grant = refreshTokens.get(token) ?? accessTokens.get(token)?.grant
      if (grant !== undefined) grant.ended = true
    },
    scopeOf(accessToken) {
      const found = accessTokens.get(accessToken)
      if (found === undefined || found.grant.ended || found.expiresAt <= Date.now())
        return undefined
      return found.grant.scope
    },
  }
}

function randomToken(): string {
  return randomBytes(32).toString('base64url')
}
