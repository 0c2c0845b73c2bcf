import { randomBytes } from 'node:crypto'
import type { TestClock } from './clock.ts'

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
  /** Which call of `logIn` asked for it. */
  readonly loginId: string | undefined
  /** The first access token has no time to live. */
  readonly startsExpired: boolean
}

/** A grant with all that comes from it: revoking it ends every token. */
export interface Grant extends GrantRequest {
  revoked: boolean
}

/** Tokens that the token endpoint handed out in one response. */
export interface IssuedTokens {
  /** The code they were exchanged for; absent after a refresh. */
  readonly code?: string
  /** Which call of `logIn` they came from; absent if none. */
  readonly loginId?: string
  readonly clientId: string
  readonly sub: string
  readonly scope: string
  readonly accessToken: string
  /** Milliseconds that the access token has to live, by the server's clock. */
  readonly lifetime: number
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
  /** Milliseconds since the epoch, by the server's clock. */
  readonly issuedAt: number
  readonly expiresAt: number
  revoked: boolean
}

/** A token that would be accepted now. */
export interface DescribedToken {
  readonly grant: Grant
  readonly scope: string
  /** Milliseconds since the epoch. */
  readonly issuedAt: number
  /** Absent if it never expires. */
  readonly expiresAt: number | undefined
}

/** Codes and tokens of one server. */
export interface Grants {
  /** Everything handed out at the token endpoint, oldest first. */
  readonly issued: readonly IssuedTokens[]
  createCode(request: GrantRequest): string
  /** The grant behind a code, once, within its lifetime, for its client. A second use revokes what came from the first. */
  takeCode(code: string, clientId: string): Grant | undefined
  /** Without a code: for a refresh. The caller adds the ID Token once it is signed. */
  issue(grant: Grant, scope: string, code?: string): IssuedTokens & { idToken?: string }
  /** The grant behind a refresh token. One that was used before revokes every token of the grant. */
  findRefreshToken(token: string, clientId: string): Grant | undefined
  /** With rotation: from now on the refresh token counts as used. */
  spendRefreshToken(token: string): void
  /** An access token that is neither revoked nor expired. */
  findAccessToken(token: string): DescribedToken | undefined
  /** A refresh token that could be used, which looking at it does not do. */
  describeRefreshToken(token: string): DescribedToken | undefined
  /** Ends an access token, or with a refresh token the whole grant (RFC 7009 section 2.1). */
  revoke(token: string, clientId: string): void
  /** Loses all codes and tokens, as a restart without a database does. */
  forget(): void
  /** Empties `issued`. */
  clearIssued(): void
}

interface GrantSettings {
  readonly accessTokenLifetime: number
  readonly refreshTokenLifetime: number
  readonly codeLifetime: number
  readonly tokenSize: number
  readonly refreshTokenRotation: boolean
  readonly record: boolean
}

export function randomToken(size = 43): string {
  return randomBytes(Math.ceil((Math.max(size, 43) * 3) / 4))
    .toString('base64url')
    .slice(0, Math.max(size, 43))
}

export function createGrants(settings: GrantSettings, clock: TestClock): Grants {
  const codes = new Map<string, { grant: Grant; expiresAt: number; used: boolean }>()
  const accessTokens = new Map<string, TokenRecord>()
  const refreshTokens = new Map<string, TokenRecord & { used: boolean }>()
  const issued: IssuedTokens[] = []

  const isUsable = (record: TokenRecord | undefined): boolean =>
    record !== undefined && !record.revoked && !record.grant.revoked

  const isExpired = ({ expiresAt }: TokenRecord): boolean => expiresAt <= clock.now()

  function lifeOf(lifetime: number): { issuedAt: number; expiresAt: number } {
    const issuedAt = clock.now()
    return { issuedAt, expiresAt: issuedAt + lifetime }
  }

  function describe(record: TokenRecord | undefined): DescribedToken | undefined {
    if (!record || !isUsable(record) || isExpired(record)) return undefined
    const { expiresAt } = record
    return { ...record, expiresAt: Number.isFinite(expiresAt) ? expiresAt : undefined }
  }

  function createAccessToken(grant: Grant, scope: string, lifetime: number): string {
    const token = randomToken(settings.tokenSize)
    accessTokens.set(token, { grant, scope, ...lifeOf(lifetime), revoked: false })
    return token
  }

  function createRefreshToken(grant: Grant): string {
    const token = randomToken()
    const life = lifeOf(settings.refreshTokenLifetime)
    refreshTokens.set(token, { grant, scope: grant.scope, ...life, revoked: false, used: false })
    return token
  }

  function findRefreshToken(token: string, clientId: string): Grant | undefined {
    const record = refreshTokens.get(token)
    if (!record || record.grant.clientId !== clientId) return undefined
    if (record.used) record.grant.revoked = true
    return isUsable(record) && !isExpired(record) ? record.grant : undefined
  }

  return {
    issued,

    createCode(request) {
      const grant: Grant = { ...request, revoked: false }
      const code = randomToken()
      codes.set(code, { grant, expiresAt: clock.now() + settings.codeLifetime, used: false })
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
      return record.expiresAt > clock.now() ? record.grant : undefined
    },

    issue(grant, scope, code) {
      const isFirst = code !== undefined
      const lifetime = isFirst && grant.startsExpired ? 0 : settings.accessTokenLifetime
      const accessToken = createAccessToken(grant, scope, lifetime)
      const refreshToken =
        isFirst || settings.refreshTokenRotation ? createRefreshToken(grant) : undefined
      const tokens: IssuedTokens & { idToken?: string } = {
        ...(isFirst && { code }),
        ...(grant.loginId !== undefined && { loginId: grant.loginId }),
        clientId: grant.clientId,
        sub: grant.sub,
        scope,
        accessToken,
        lifetime,
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

    findAccessToken: (token) => describe(accessTokens.get(token)),

    describeRefreshToken(token) {
      const record = refreshTokens.get(token)
      return record?.used ? undefined : describe(record)
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
