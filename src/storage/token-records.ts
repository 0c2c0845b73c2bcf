import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { PkceFlowError } from '../errors.ts'
import type { KeyValueStore } from './key-value-store.ts'
import type { Hold, Mutex } from './mutex.ts'
import { createRecordStore, type StoredRecord } from './record-store.ts'
import type { Sealing } from './sealing.ts'
import { isTokenRecord } from './token-record-shape.ts'

/** A sign-in or connection, and its tokens. */
export interface TokenRecord {
  /** Absent when they have ended: the authorization server refused to refresh, or was disconnected. */
  tokens?: IssuedTokens | undefined
  /** Of the login, validated. */
  idToken?: string | undefined
  /** `acr_values` that the login asked for, if it met none of them. */
  missedAcr?: readonly string[] | undefined
  /** Milliseconds since the epoch. */
  connectedAt: number
  /** When that login began. Milliseconds since the epoch. */
  startedAt?: number | undefined
  /** Another one after every write. */
  revision: string
}

/** What the authorization server issued. Times: milliseconds since the epoch. */
export interface IssuedTokens {
  accessToken: string
  tokenType: string
  /** What was granted. */
  scope: readonly string[]
  /** Scope that the login asked for, if not all of it was granted. */
  asked?: readonly string[] | undefined
  /** When this access token came. */
  issuedAt: number
  /** Absent: unknown. */
  expiresAt?: number | undefined
  refreshToken?: string | undefined
  /** A newer ID Token than the login's, which came with a refresh. Validated. */
  idToken?: string | undefined
  /** Absent: unknown. */
  refreshExpiresAt?: number | undefined
}

/** What somebody wants to write: the revision is given to it. */
export type NewTokenRecord = Omit<TokenRecord, 'revision'>

/** What there is under a key: a record, or the marker that one was ended on purpose, or nothing. */
export type FoundRecord = TokenRecord | 'ended' | undefined

/** The token records of one flow in one store. Lifetimes: milliseconds. */
export interface TokenRecords {
  /** Writes a new record; resolves to its key, which is random. */
  create(record: NewTokenRecord, lifetime: number): Promise<string>
  /**
   * What there is. A record that is read with a `lifetime` lives on while it is in use: its expiry is
   * moved to `lifetime` from now when a tenth of that is over.
   */
  read(key: string, lifetime?: number): Promise<FoundRecord>
  /** What there is when a write that was given up has landed, or never will. */
  readLater(key: string): Promise<FoundRecord>
  /** Runs `work`, which may replace the record, while nobody else changes it. */
  change<T>(key: string, work: (held: HeldRecord) => Promise<T>): Promise<T>
  /**
   * The same, but does nothing and gives `undefined` if others are changing it for longer than
   * `patience` milliseconds.
   */
  changeIfFree<T>(
    key: string,
    work: (held: HeldRecord) => Promise<T>,
    patience: number,
  ): Promise<T | undefined>
  /**
   * Ends a record and resolves to what it held. A marker stays for `lifetime`, so that a session that
   * was written back by a slow request does not come to life with it. It is written, too, if the lock
   * cannot be had; whoever has it may write over it, so it is written once more when the lock is free.
   *
   * @param late is given what was there instead of the marker by then, or before it, if it was given up
   *   and lands all the same
   */
  end(
    key: string,
    lifetime: number,
    late?: (record: TokenRecord) => void,
  ): Promise<TokenRecord | undefined>
  /** Removes a record that nothing refers to any more. */
  forget(key: string): Promise<void>
}

/** A record that nobody else changes for the moment. */
export interface HeldRecord {
  read(): Promise<FoundRecord>
  /**
   * Sees to it that nobody else changes it for as long as a token request takes. Resolves to whether
   * that was so all along: if not, it has to be read again.
   */
  secure(): Promise<boolean>
  /**
   * Writes `next`, or the marker, in the place of `before`, unless somebody came in between (the lock
   * can be lost while a slow request is under way). Resolves to what is there afterwards. Without a
   * lifetime it ends when the one before would have.
   */
  replace(
    before: FoundRecord,
    next: NewTokenRecord | 'ended',
    lifetime: number | undefined,
  ): Promise<FoundRecord>
}

/** Stores keep nothing for less than this many milliseconds reliably. */
const shortestLifetime = 2_000

/** How long ending a record waits for whoever is changing it. Milliseconds. */
const endPatience = 5_000

/** When a write that was given up is there, or never will be. Milliseconds. */
const landingTime = 3_000

/** How long a marker that was written without the lock waits for it. Milliseconds. */
const latePatience = 120_000

/** Token records in a store. A record that others may know the key of is changed under the lock. */
export function createTokenRecords(
  store: KeyValueStore,
  flow: string,
  mutex: Mutex,
  sealing?: Sealing,
): TokenRecords {
  const records = createRecordStore(store, 'tr.', flow, sealing)
  const read = async (key: string) => contentOf(await records.get(key))

  async function write(key: string, record: NewTokenRecord, lifetime: number) {
    const written: TokenRecord = { ...record, revision: randomBytes(9).toString('base64url') }
    await records.set(key, { record: written }, lifetime)
    return written
  }

  function hold(key: string, lock: Hold): HeldRecord {
    return {
      read: () => read(key),
      secure: () => lock.secure(),
      async replace(before, next, lifetime) {
        await lock.secure()
        const stored = await records.get(key)
        const now = contentOf(stored)
        if (revisionOf(now) !== revisionOf(before)) return now
        const left = Math.max((stored?.expiresAt ?? 0) - Date.now(), shortestLifetime)
        if (next !== 'ended') return write(key, next, lifetime ?? left)
        await records.set(key, { ended: true }, lifetime ?? left)
        return next
      },
    }
  }

  async function renew(key: string, lifetime: number) {
    await mutex.runIfFree(`tr.${key}`, async (lock) => {
      const found = await read(key)
      // The same revision: nobody who is refreshing has to mind this.
      if (typeof found === 'object' && (await lock.secure()))
        await records.set(key, { record: found }, lifetime)
    })
  }

  async function mark(key: string, lifetime: number, late?: (record: TokenRecord) => void) {
    const found = await read(key)
    const record = found === 'ended' ? undefined : found
    await records.set(key, { ended: true }, lifetime).catch(async (error: unknown) => {
      // It may be there all the same: then nobody else would ever see what it replaced.
      if (await hasEnded(key)) return
      if (record !== undefined && late !== undefined)
        void readLater(key).then(
          (later) => later === 'ended' && late(record),
          () => undefined,
        )
      throw error
    })
    return record
  }

  const hasEnded = (key: string) =>
    read(key).then(
      (found) => found === 'ended',
      () => false,
    )

  async function readLater(key: string) {
    await delay(landingTime, undefined, { ref: false })
    return read(key)
  }

  return {
    async create(record, lifetime) {
      const key = randomBytes(16).toString('hex')
      await write(key, record, lifetime)
      return key
    },
    async read(key, lifetime) {
      const stored = await records.get(key)
      const found = contentOf(stored)
      const left = (stored?.expiresAt ?? 0) - Date.now()
      if (lifetime !== undefined && typeof found === 'object' && left < lifetime * 0.9)
        renew(key, lifetime).catch(() => undefined) // the next request tries again
      return found
    },
    readLater,
    change: (key, work) =>
      mutex.run(`tr.${key}`, (lock) => work(hold(key, lock)), mutex.longestWait),
    changeIfFree: (key, work, patience) =>
      mutex.runIfFree(`tr.${key}`, (lock) => work(hold(key, lock)), patience),
    async end(key, lifetime, late) {
      const marked = () => mark(key, lifetime, late)
      try {
        return await mutex.run(`tr.${key}`, marked, endPatience)
      } catch (error) {
        if (!(error instanceof PkceFlowError) || error.code !== 'lock_unavailable') throw error
      }
      const found = await mark(key, lifetime, late)
      mutex.run(`tr.${key}`, marked, latePatience).then(
        (record) => record && late?.(record),
        () => undefined, // the lock stays away: nobody else can write either
      )
      return found
    },
    forget: (key) => mutex.run(`tr.${key}`, () => records.destroy(key), endPatience),
  }
}

function revisionOf(found: FoundRecord): string | undefined {
  return typeof found === 'object' ? found.revision : found
}

/** What a record says; whatever is not written as we write it says nothing. */
function contentOf(stored: StoredRecord | undefined): FoundRecord {
  if (stored === undefined) return undefined
  const { record, ended } = stored.content as { record?: unknown; ended?: unknown }
  if (ended === true) return 'ended'
  return isTokenRecord(record) ? (record as TokenRecord) : undefined
}
