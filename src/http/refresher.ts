import { setTimeout as delay } from 'node:timers/promises'
import { asPkceFlowError, PkceFlowError } from '../errors.ts'
import type { KnownServer } from '../protocol/known-server.ts'
import { revoke } from '../protocol/revocation.ts'
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

/** Keeps the tokens of records fresh: one token request at a time for each (P8). */
export interface Refresher {
  /**
   * `found`, or what is there instead once its tokens were refreshed, if they expire soon and can be.
   * Rejects with a 503 if they are needed now and cannot be had now.
   */
  freshen(key: string, found: TokenRecord, lifetimeOf: LifetimeOf): Promise<FoundRecord>
  /**
   * What is there instead of `found`, whose access token was refused as invalid. `found` itself if a
   * refresh cannot help: tokens that came less than ten seconds ago are not refreshed for this.
   */
  replace(key: string, found: TokenRecord, lifetimeOf: LifetimeOf): Promise<FoundRecord>
}

/** Milliseconds that a record with these tokens is kept. */
export type LifetimeOf = (tokens: IssuedTokens | undefined) => number

/** What a refresher works with. */
export interface RefresherSettings {
  clientId: string
  clockTolerance: number
  refreshLeeway: number
}

/** Tokens are not refreshed because of a refused one if they came less than this ago. Milliseconds. */
const shortestUse = 10_000

/** How long a result that cannot be stored is kept in memory and tried again. Milliseconds. */
const storingTime = 60_000
const firstPause = 100
const lastPause = 2_000

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
  ): Promise<FoundRecord> {
    const underWay = flights.get(key)
    if (underWay !== undefined) return underWay
    const flight = new Promise<FoundRecord>((resolve, reject) => {
      const refresh = async (held: HeldRecord) => ({
        result: await refreshHeld(key, held, isStale, lifetimeOf, resolve),
      })
      // Another process that refreshes is waited for only if there is nothing to use meanwhile.
      const changing = isUsable(found.tokens)
        ? records.changeIfFree(key, refresh)
        : records.change(key, refresh)
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
  ): Promise<FoundRecord> {
    try {
      return await fly(key, found, isStale, lifetimeOf)
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
    const before = await held.read()
    if (typeof before !== 'object') return before
    const { tokens } = before
    if (!canRefresh(tokens) || !isStale(tokens)) return before
    const server = await getServer()
    const next = await request(key, server, before, tokens)
    const now = await store(held, before, next, lifetimeOf(next.tokens), goOn).catch(
      (error: unknown) => {
        void revokeResult(server, next, undefined)
        throw error
      },
    )
    void revokeResult(server, next, now)
    return now
  }

  /** The token request; what it makes of the record. Rejects if that may be another one next time. */
  async function request(
    key: string,
    server: KnownServer,
    before: TokenRecord,
    { refreshToken, refreshExpiresAt, scope }: IssuedTokens & { refreshToken: string },
  ): Promise<NewTokenRecord> {
    const outcome = await refreshTokens(server, {
      ...{ clientId, clockTolerance, refreshToken, refreshExpiresAt, scope },
      idToken: before.idToken,
    })
    if (outcome.status === 'refreshed') {
      const tokens = issuedTokens(outcome.tokens, scope)
      if (isUsable(tokens)) backOff.succeeded(key)
      else backOff.failed(key, stillborn())
      return { ...before, tokens, idToken: outcome.tokens.idToken }
    }
    const { status, error } = outcome
    const hasEnded =
      status === 'unreadable' ? backOff.failedUnreadably(key, error) : status === 'definitive'
    if (!hasEnded) throw error
    backOff.succeeded(key)
    return { ...before, tokens: undefined }
  }

  return {
    async freshen(key, found, lifetimeOf) {
      const isStale = (tokens: IssuedTokens) => expiresSoon(tokens, refreshLeeway)
      const isDue = (now: FoundRecord): now is TokenRecord =>
        typeof now === 'object' && canRefresh(now.tokens) && isStale(now.tokens)
      let now: FoundRecord = found
      // A second time, if what was good enough for those who began a refresh has expired since.
      for (let attempts = 0; attempts < 2 && isDue(now); attempts += 1) {
        if (backOff.failureOf(key) !== undefined) break
        now = await flyOrStay(key, now, isStale, lifetimeOf)
        if (typeof now === 'object' && isUsable(now.tokens)) return now
      }
      const failure = isDue(now) && !isUsable(now.tokens) ? backOff.failureOf(key) : undefined
      if (failure !== undefined) throw failure
      return now
    },
    async replace(key, found, lifetimeOf) {
      const refused = found.tokens?.accessToken
      const isStale = (tokens: IssuedTokens) =>
        tokens.accessToken === refused && tokens.issuedAt < Date.now() - shortestUse
      return backOff.failureOf(key) === undefined
        ? flyOrStay(key, found, isStale, lifetimeOf)
        : found
    },
  }
}

/**
 * Stores what a refresh brought. If that fails, whoever waits goes on with it from memory, and it is
 * tried again for a while: the old refresh token may be worth nothing by now.
 */
async function store(
  held: HeldRecord,
  before: TokenRecord,
  next: NewTokenRecord,
  lifetime: number,
  goOn: (record: TokenRecord) => void,
): Promise<FoundRecord> {
  const until = performance.now() + storingTime
  for (let pause = firstPause; ; pause = Math.min(pause * 2, lastPause)) {
    try {
      return await held.replace(before, next, lifetime)
    } catch (error) {
      goOn({ ...next, revision: before.revision })
      if (performance.now() > until) throw error
      await delay(pause)
    }
  }
}

/** Revokes what a refresh brought if somebody else's version is there now, or an end marker. */
async function revokeResult(server: KnownServer, { tokens }: NewTokenRecord, now: FoundRecord) {
  const kept = typeof now === 'object' ? now.tokens?.accessToken : undefined
  if (tokens !== undefined && tokens.accessToken !== kept)
    await revoke(server, { refreshToken: undefined, ...tokens })
}

/** Whether the access token can be used now. */
export function isUsable(tokens: IssuedTokens | undefined): tokens is IssuedTokens {
  return tokens !== undefined && (tokens.expiresAt === undefined || tokens.expiresAt > Date.now())
}

/** Whether there is a refresh token that may still work. */
export function canRefresh(
  tokens: IssuedTokens | undefined,
): tokens is IssuedTokens & { refreshToken: string } {
  if (tokens?.refreshToken === undefined) return false
  return tokens.refreshExpiresAt === undefined || tokens.refreshExpiresAt > Date.now()
}

/** Within `leeway` milliseconds; of a token that lives shorter than that, in the half of its life. */
function expiresSoon({ expiresAt, issuedAt }: IssuedTokens, leeway: number): boolean {
  if (expiresAt === undefined) return false
  return expiresAt - Date.now() <= Math.min(leeway, (expiresAt - issuedAt) / 2)
}

function asFailure(error: unknown): PkceFlowError {
  return asPkceFlowError(error, 'configuration', 'The tokens could not be refreshed.')
}

function stillborn(): PkceFlowError {
  return new PkceFlowError(
    'invalid_server_response',
    'The authorization server issues access tokens that have expired when they come.',
  )
}
