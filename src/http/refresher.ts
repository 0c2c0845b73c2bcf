import { asPkceFlowError, PkceFlowError } from '../errors.ts'
import type { KnownServer } from '../protocol/known-server.ts'
import { refreshTokens } from '../protocol/token-refresh.ts'
import type {
  FoundRecord,
  HeldRecord,
  IssuedTokens,
  NewTokenRecord,
  TokenRecord,
  TokenRecords,
} from '../storage/token-records.ts'
import { createBackOff } from './back-off.ts'
import { issuedTokens } from './issued-tokens.ts'
import { revokeUnlessKept, storeRefreshed } from './refreshed-tokens.ts'
import { canRefresh, expiresSoon, isUsable } from './token-life.ts'

/** Keeps the tokens of records fresh: one token request at a time for each (P8). */
export interface Refresher {
  /**
   * `found`, or what is there instead once its tokens were refreshed, if they expire soon and can be.
   * Rejects with a 503 if they are needed now and cannot be had now.
   *
   * @param patience milliseconds to wait for another process that is refreshing, when there is nothing
   *   to use meanwhile; `undefined`: as long as it can take
   */
  freshen(
    key: string,
    found: TokenRecord,
    lifetimeOf: LifetimeOf,
    patience: number | undefined,
  ): Promise<FoundRecord>
  /**
   * What is there instead of `found`, whose access token was refused as invalid. `found` itself if a
   * refresh cannot help: tokens that came less than ten seconds ago are not refreshed for this.
   */
  replace(key: string, found: TokenRecord, lifetimeOf: LifetimeOf): Promise<FoundRecord>
}

/** A record whose tokens can be refreshed. */
type RefreshableRecord = TokenRecord & { tokens: IssuedTokens & { refreshToken: string } }

/** Milliseconds that a record with these tokens is kept; `undefined`: as long as before. */
export type LifetimeOf = (tokens: IssuedTokens | undefined) => number | undefined

/** What a refresher works with. */
export interface RefresherSettings {
  clientId: string
  clockTolerance: number
  refreshLeeway: number
}

/** Tokens are not refreshed because of a refused one if they came less than this ago. Milliseconds. */
const shortestUse = 10_000

/** Refreshes the tokens of `records` at the server that `getServer` gives. */
export function createRefresher(
  { clientId, clockTolerance, refreshLeeway }: RefresherSettings,
  getServer: () => Promise<KnownServer>,
  records: TokenRecords,
): Refresher {
  const flights = new Map<string, Promise<FoundRecord>>()
  const backOff = createBackOff()

  /** Everybody who asks while a refresh is under way gets its outcome. */
  function fly(
    key: string,
    found: TokenRecord,
    isStale: (tokens: IssuedTokens) => boolean,
    lifetimeOf: LifetimeOf,
    patience: number | undefined,
  ): Promise<FoundRecord> {
    const underWay = flights.get(key)
    if (underWay !== undefined) return underWay
    const flight = new Promise<FoundRecord>((resolve, reject) => {
      const refresh = async (held: HeldRecord) => ({
        result: await refreshHeld(key, held, isStale, lifetimeOf, resolve),
      })
      const changing =
        patience === undefined
          ? records.change(key, refresh)
          : records.changeIfFree(key, refresh, patience)
      changing
        .then((done) => {
          resolve(done === undefined ? found : done.result)
        }, reject)
        .finally(() => flights.delete(key))
    })
    flights.set(key, flight)
    return flight
  }

  /** What a refresh made of `found`; `found` if it failed, which counts once for all who waited. */
  async function flyOrStay(
    key: string,
    found: TokenRecord,
    isStale: (tokens: IssuedTokens) => boolean,
    lifetimeOf: LifetimeOf,
    patience: number | undefined,
  ): Promise<FoundRecord> {
    try {
      return await fly(key, found, isStale, lifetimeOf, patience)
    } catch (error) {
      if (backOff.failureOf(key) === undefined) backOff.failed(key, asFailure(error))
      return found
    }
  }

  async function refreshHeld(
    key: string,
    held: HeldRecord,
    isStale: (tokens: IssuedTokens) => boolean,
    lifetimeOf: LifetimeOf,
    goOn: (record: TokenRecord) => void,
  ): Promise<FoundRecord> {
    let before = await held.read()
    const isDue = (found: FoundRecord): found is RefreshableRecord =>
      typeof found === 'object' && canRefresh(found.tokens) && isStale(found.tokens)
    if (!isDue(before)) return before
    const server = await getServer()
    // Discovery and a slow store take time, and the lease must outlast what comes now.
    if (!(await held.secure())) before = await held.read()
    if (!isDue(before)) return before
    const { tokens } = before
    const next = await request(key, server, before, tokens)
    const now = await storeRefreshed(held, before, next, lifetimeOf(next.tokens), goOn).catch(
      (error: unknown) => {
        // Without rotation the refresh token is the one that the record still has.
        const isKept = next.tokens?.refreshToken === tokens.refreshToken
        void revokeUnlessKept(server, next, isKept ? tokens : undefined)
        throw error
      },
    )
    void revokeUnlessKept(server, next, typeof now === 'object' ? now.tokens : undefined)
    return now
  }

  /** The token request; what it makes of the record. Rejects if that may be another one next time. */
  async function request(
    key: string,
    server: KnownServer,
    before: TokenRecord,
    used: IssuedTokens & { refreshToken: string },
  ): Promise<NewTokenRecord> {
    const { refreshToken, refreshExpiresAt, scope } = used
    const outcome = await refreshTokens(server, {
      ...{ clientId, clockTolerance, refreshToken, refreshExpiresAt, scope },
      idToken: before.idToken,
    })
    if (outcome.status === 'refreshed') {
      const tokens = issuedTokens(outcome.tokens, scope)
      if (isUsable(tokens)) backOff.succeeded(key)
      else backOff.failed(key, stillborn())
      const { idToken } = outcome.tokens
      // Its claims may be fewer (OpenID Connect Core section 12.2): who signed in is what the login said.
      const newest = idToken === before.idToken ? used.idToken : idToken
      const { asked } = used
      return { ...before, tokens: { ...tokens, idToken: newest, ...(asked && { asked }) } }
    }
    const { status, error } = outcome
    const hasEnded =
      status === 'unreadable' ? backOff.failedUnreadably(key, error) : status === 'definitive'
    if (!hasEnded) throw error
    backOff.succeeded(key)
    return { ...before, tokens: undefined }
  }

  return {
    async freshen(key, found, lifetimeOf, patience) {
      const isStale = (tokens: IssuedTokens) => expiresSoon(tokens, refreshLeeway)
      const isDue = (now: FoundRecord): now is TokenRecord =>
        typeof now === 'object' && canRefresh(now.tokens) && isStale(now.tokens)
      let now: FoundRecord = found
      // Again, if those who began a refresh were content with what they had, or less patient.
      for (let attempts = 0; attempts < 3 && isDue(now); attempts += 1) {
        if (backOff.failureOf(key) !== undefined) break
        const wait = isUsable(now.tokens) ? 0 : patience
        now = await flyOrStay(key, now, isStale, lifetimeOf, wait)
        if (wait !== undefined || (typeof now === 'object' && isUsable(now.tokens))) break
      }
      if (!isDue(now) || isUsable(now.tokens)) return now
      throw backOff.failureOf(key) ?? busy()
    },
    async replace(key, found, lifetimeOf) {
      const refused = found.tokens?.accessToken
      const isStale = (tokens: IssuedTokens) =>
        tokens.accessToken === refused && Math.abs(Date.now() - tokens.issuedAt) > shortestUse
      let now: FoundRecord = found
      // Again, if it was part of a refresh that somebody less patient began.
      for (let attempts = 0; attempts < 2; attempts += 1) {
        if (typeof now !== 'object' || !canRefresh(now.tokens) || !isStale(now.tokens)) break
        if (backOff.failureOf(key) !== undefined) break
        now = await flyOrStay(key, now, isStale, lifetimeOf, undefined)
      }
      return now
    },
  }
}

function asFailure(error: unknown): PkceFlowError {
  return asPkceFlowError(error, 'configuration', 'The tokens could not be refreshed.')
}

function busy(): PkceFlowError {
  return new PkceFlowError('lock_unavailable', 'These tokens are being refreshed elsewhere.', {
    retryAfter: 1,
  })
}

function stillborn(): PkceFlowError {
  return new PkceFlowError(
    'invalid_server_response',
    'The authorization server issues access tokens that have expired when they come.',
  )
}
