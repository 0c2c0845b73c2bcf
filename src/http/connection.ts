import { defaultLifetime } from './session.ts'
import type { KnownServer } from '../protocol/known-server.ts'
import { revoke } from '../protocol/revocation.ts'
import { requestUserInfo, type UserInfo } from '../protocol/user-info.ts'
import type {
  FoundRecord,
  IssuedTokens,
  TokenRecord,
  TokenRecords,
} from '../storage/token-records.ts'
import { claimsOf } from '../token.ts'
import type { TokenSource } from './api-fetch.ts'
import { noTokens, requireUsable } from './no-tokens.ts'
import type { LifetimeOf, Refresher } from './refresher.ts'
import { isUsable } from './token-life.ts'

/** The tokens that one person's login gave this app, where they are kept. */
export interface Connection extends TokenSource {
  /** What there is, read once. Rejects with `store_unavailable`. */
  read(): Promise<FoundRecord>
  /**
   * The same, its tokens as fresh as they can be. Rejects with a 503 if they are expired for now.
   *
   * @param patience milliseconds to wait for another process that is refreshing, when there is nothing
   *   to use meanwhile. Default: as long as it can take
   */
  fresh(patience?: number): Promise<FoundRecord>
  /** Ends the tokens here, then revokes them at the authorization server. */
  disconnect(): Promise<{ revoked: boolean }>
  /** Rejects as {@link Connection.current} and `requestUserInfo` do. */
  userInfo(): Promise<UserInfo>
}

/** Where a connection is kept. */
export interface ConnectionPlace {
  tokenRecords: TokenRecords
  refresher: Refresher
  key: string
  lifetimeOf: LifetimeOf
  /** Whether the record lives on while it is used. */
  isRenewed: boolean
  /** Whether the record says who is signed in, and stays when its tokens have ended. */
  isSignIn: boolean
  /**
   * Whether the authorization server has ended what is read: asked at the same time as the store.
   * Default: nobody would tell.
   */
  hasEnded?: ((reading: Promise<FoundRecord>) => Promise<boolean>) | undefined
}

/** Opens the connection that is kept at `place`, with the server that `getServer` gives. */
export function openConnection(
  getServer: () => Promise<KnownServer>,
  place: ConnectionPlace,
): Connection {
  const { tokenRecords, refresher, key, lifetimeOf } = place
  let found: Promise<FoundRecord> | undefined

  function read() {
    if (found === undefined) {
      const lifetime = place.isRenewed ? lifetimeOf(undefined) : undefined
      const reading = unlessEnded(tokenRecords.read(key, lifetime))
      found = reading
      // The parts of a request need not all wait for a store that is down; a long one asks again.
      reading.catch(() => {
        setTimeout(() => {
          if (found === reading) found = undefined
        }, 1_000).unref()
      })
    }
    return found
  }

  /** What is read, or that it has ended: from now on the record says so, too. */
  async function unlessEnded(reading: Promise<FoundRecord>): Promise<FoundRecord> {
    if (place.hasEnded === undefined || !(await place.hasEnded(reading))) return reading
    const revokeWhatWas = (record: TokenRecord | undefined) => void revokeTokens(record?.tokens)
    await tokenRecords
      .end(key, lifetimeOf(undefined) ?? defaultLifetime, revokeWhatWas)
      .then(revokeWhatWas, async () => {
        // The session that refers to it goes all the same: nobody else would revoke its tokens.
        const was = await reading
        if (typeof was === 'object') revokeWhatWas(was)
      })
    return 'ended'
  }

  /** Keeps what `change` makes of the record for whoever asks next. */
  async function changed(
    change: (record: TokenRecord) => Promise<FoundRecord>,
  ): Promise<FoundRecord> {
    const before = await read()
    if (typeof before !== 'object') return before
    const now = await change(before)
    if (now === before) return now
    // A token request takes its time: the authorization server may have ended the session meanwhile.
    // If the store went down in that time, what was told before it holds for this request.
    found = unlessEnded(Promise.resolve(now)).catch(() => now)
    return found
  }

  async function revokeTokens(tokens: IssuedTokens | undefined): Promise<boolean> {
    if (tokens === undefined) return false
    const server = await getServer().catch(() => undefined)
    return server !== undefined && revoke(server, { refreshToken: undefined, ...tokens })
  }

  const connection: Connection = {
    read,
    fresh: (patience) => changed((record) => refresher.freshen(key, record, lifetimeOf, patience)),
    async current() {
      return requireUsable(await connection.fresh(), place).accessToken
    },
    async replacement(rejected) {
      const now = await changed((record) =>
        // Another part of this request may have replaced it already.
        record.tokens?.accessToken === rejected
          ? refresher.replace(key, record, lifetimeOf)
          : Promise.resolve(record),
      )
      const tokens = typeof now === 'object' ? now.tokens : undefined
      return isUsable(tokens) && tokens.accessToken !== rejected ? tokens.accessToken : undefined
    },
    async disconnect() {
      const tokens = await endTokens(place, (late) => void revokeTokens(late.tokens))
      found = undefined
      return { revoked: await revokeTokens(tokens) }
    },
    async userInfo() {
      // One record for both, whatever else this request does meanwhile.
      const record = await connection.fresh()
      const { accessToken } = requireUsable(record, place)
      const idToken = typeof record === 'object' ? record.idToken : undefined
      const subject = idToken === undefined ? undefined : claimsOf(idToken).sub
      const server = await getServer()
      const first = await requestUserInfo(server, accessToken, subject)
      if (first !== 'invalid_token') return first
      const other = await connection.replacement(accessToken)
      const second = other === undefined ? first : await requestUserInfo(server, other, subject)
      if (second === 'invalid_token') throw noTokens(await read(), place)
      return second
    },
  }
  return connection
}

/** Takes the tokens out of the record; the sign-in, if that is what it is, stays. */
async function endTokens(
  place: ConnectionPlace,
  late: (record: TokenRecord) => void,
): Promise<IssuedTokens | undefined> {
  const { tokenRecords, key, lifetimeOf, isSignIn } = place
  if (!isSignIn)
    return (await tokenRecords.end(key, lifetimeOf(undefined) ?? defaultLifetime, late))?.tokens
  return tokenRecords.change(key, async (held) => {
    for (;;) {
      const before = await held.read()
      if (!hasTokens(before)) return undefined
      // Whoever refreshes them at this moment finds another revision, and revokes what comes.
      const ended = { ...before, tokens: undefined }
      const now = await held
        .replace(before, ended, lifetimeOf(undefined))
        .catch(async (error: unknown) => {
          // It may be written all the same, now or soon: nobody else would see what was there.
          const found = await held.read().catch(() => before)
          if (!hasTokens(found)) return found
          void tokenRecords.readLater(key).then(
            (later) => {
              if (!hasTokens(later)) late(before)
            },
            () => undefined,
          )
          throw error
        })
      if (!hasTokens(now)) return before.tokens
    }
  })
}

function hasTokens(found: FoundRecord): found is TokenRecord {
  return typeof found === 'object' && found.tokens !== undefined
}
