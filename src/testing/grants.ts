import { randomBytes } from 'node:crypto'

/** What a person allows a client, and how it was asked for. */
interface GrantRequest {
  readonly clientId: string
  readonly sub: string
  readonly scope: string
  readonly redirectUri: string
  readonly codeChallenge: string
  readonly nonce: string | undefined
  readonly acr: string | undefined
  readonly sid: string
  /** Seconds since the epoch. */
  readonly authTime: number
}

/** A grant with all that comes from it: revoking it ends every token. */
export interface Grant extends GrantRequest {
  revoked: boolean
}

/** Tokens that the token endpoint handed out in one response. */
export interface IssuedTokens {
  /** The code they were exchanged for; absent after a refresh. */
  readonly code?: string
  readonly clientId: string
  readonly sub: string
  readonly scope: string
  readonly accessToken: string
  readonly refreshToken?: string
  /** As sent, so with the faults that were scripted. */
  readonly idToken?: string
  /** `false` once the access token was revoked or forgotten; its expiry does not count. */
  readonly active: boolean
  /** `false` once the refresh token was used (with rotation), revoked or forgotten. */
  readonly refreshable: boolean
}

interface TokenRecord {
  readonly grant: Grant
  readonly scope: string
  revoked: boolean
}

/** Codes and tokens of one server. */
export interface Grants {
  /** Everything handed out at the token endpoint, oldest first. */
  readonly issued: readonly IssuedTokens[]
  createCode(request: GrantRequest): string
  /** The grant behind a code, once, within 60 s, for its client. A second use revokes what came from the first. */
  takeCode(code: string, clientId: string): Grant | undefined
  /** Without a code: for a refresh. The caller adds the ID Token once it is signed. */
  issue(grant: Grant, scope: string, code?: string): IssuedTokens & { idToken?: string }
  /** The grant behind a refresh token. One that was used before revokes every token of the grant. */
  findRefreshToken(token: string, clientId: string): Grant | undefined
  /** With rotation: from now on the refresh token counts as used. */
  spendRefreshToken(token: string): void
  /** The grant and scope of an access token that is neither revoked nor expired. */
  findAccessToken(token: string): { grant: Grant; scope: string } | undefined
  /** Ends an access token, or with a refresh token the whole grant (RFC 7009 section 2.1). */
  revoke(token: string, clientId: string): void
  /** Loses all codes and tokens, as a restart without a database does. */
  forget(): void
  /** Empties `issued`. */
  clearIssued(): void
}

const codeLifetime = 60_000

interface GrantSettings {
  readonly accessTokenLifetime: number
  readonly tokenSize: number
  readonly refreshTokenRotation: boolean
  readonly record: boolean
}

export function randomToken(size = 43): string {
  return randomBytes(Math.ceil((Math.max(size, 43) * 3) / 4))
    .toString('base64url')
    .slice(0, Math.max(size, 43))
}

export function createGrants(settings: GrantSettings): Grants {
  const codes = new Map<string, { grant: Grant; expiresAt: number; used: boolean }>()
  const accessTokens = new Map<string, TokenRecord & { expiresAt: number }>()
  const refreshTokens = new Map<string, TokenRecord & { used: boolean }>()
  const issued: IssuedTokens[] = []

  const isUsable = (record: TokenRecord | undefined): boolean =>
    record !== undefined && !record.revoked && !record.grant.revoked

  function createAccessToken(grant: Grant, scope: string): string {
    const token = randomToken(settings.tokenSize)
    const expiresAt = Date.now() + settings.accessTokenLifetime
    accessTokens.set(token, { grant, scope, expiresAt, revoked: false })
    return token
  }

  function createRefreshToken(grant: Grant): string {
    const token = randomToken()
    refreshTokens.set(token, { grant, scope: grant.scope, revoked: false, used: false })
    return token
  }

  function findRefreshToken(token: string, clientId: string): Grant | undefined {
    const record = refreshTokens.get(token)
    if (!record || record.grant.clientId !== clientId) return undefined
    if (record.used) record.grant.revoked = true
    return isUsable(record) ? record.grant : undefined
  }

  return {
    issued,

    createCode(request) {
      const grant: Grant = { ...request, revoked: false }
      const code = randomToken()
      codes.set(code, { grant, expiresAt: Date.now() + codeLifetime, used: false })
      return code
    },

    takeCode(code, clientId) {
      const record = codes.get(code)
      if (!record || record.grant.clientId !== clientId) return undefined
      if (record.used) {
        // RFC 6749 section 4.1.2: "SHOULD revoke (when possible) all tokens previously issued based on
        // that authorization code".
        record.grant.revoked = true
        return undefined
      }
      record.used = true
      return record.expiresAt > Date.now() ? record.grant : undefined
    },

    issue(grant, scope, code) {
      const accessToken = createAccessToken(grant, scope)
      const isFirst = code !== undefined
      const refreshToken =
        isFirst || settings.refreshTokenRotation ? createRefreshToken(grant) : undefined
      const tokens: IssuedTokens & { idToken?: string } = {
        ...(isFirst && { code }),
        clientId: grant.clientId,
        sub: grant.sub,
        scope,
        accessToken,
        ...(refreshToken !== undefined && { refreshToken }),
        get active() {
          return isUsable(accessTokens.get(accessToken))
        },
        get refreshable() {
          const record = refreshTokens.get(refreshToken ?? '')
          return isUsable(record) && !record?.used
        },
      }
      if (settings.record) issued.push(tokens)
      return tokens
    },

    findRefreshToken,

    spendRefreshToken(token) {
      const record = refreshTokens.get(token)
      if (record && settings.refreshTokenRotation) record.used = true
    },

    findAccessToken(token) {
      const record = accessTokens.get(token)
      if (!record || !isUsable(record) || record.expiresAt <= Date.now()) return undefined
      return { grant: record.grant, scope: record.scope }
    },

    revoke(token, clientId) {
      const access = accessTokens.get(token)
      if (access?.grant.clientId === clientId) access.revoked = true
      const refresh = refreshTokens.get(token)
      if (refresh?.grant.clientId === clientId) refresh.grant.revoked = true
    },

    forget() {
      codes.clear()
      accessTokens.clear()
      refreshTokens.clear()
    },

    clearIssued() {
      issued.length = 0
    },
  }
}
