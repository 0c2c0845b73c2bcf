import { randomBytes } from 'node:crypto'
import type { SessionStore } from '../options/options.ts'
import { createRecordStore, type StoredRecord } from './record-store.ts'
import type { Lock } from './lock.ts'

/** The tokens of one sign-in. */
export interface TokenRecord {
  accessToken: string
  tokenType: string
  /** What was granted. */
  scope: readonly string[]
  /** Milliseconds since the epoch; absent: unknown. */
  expiresAt?: number | undefined
  refreshToken?: string | undefined
  idToken?: string | undefined
  /** Milliseconds since the epoch. */
  connectedAt: number
  /** Counts the writes. */
  revision: number
}

/** The token records of one flow in one store. */
export interface TokenRecords {
  /** Writes a new record; resolves to its key, which is random. */
  create(record: Omit<TokenRecord, 'revision'>, lifetime: number): Promise<string>
  /**
   * The record, `'ended'` if it was ended on purpose, or `undefined` if there is none. One that is
   * in use lives on: its expiry is moved to `lifetime` milliseconds from now when a tenth is over.
   */
  read(key: string, lifetime: number): Promise<TokenRecord | 'ended' | undefined>
  /**
   * Ends a record and resolves to what it held. A marker stays for `lifetime` milliseconds, so that
   * a session that was written back by a slow request does not come to life with it.
   */
  end(key: string, lifetime: number): Promise<TokenRecord | undefined>
  /** Removes a record that nothing refers to any more. */
  forget(key: string): Promise<void>
}

/** Token records in a session store. A record is changed under the lock only. */
export function createTokenRecords(store: SessionStore, flow: string, lock: Lock): TokenRecords {
  const records = createRecordStore(store, 'tr.', flow)

  async function renew(key: string, lifetime: number) {
    await lock.runIfFree(`tr.${key}`, async () => {
      const tokens = contentOf(await records.get(key))
      if (typeof tokens === 'object') await records.set(key, { tokens }, lifetime)
    })
  }

  return {
    async create(record, lifetime) {
      const key = randomBytes(16).toString('hex')
      await records.set(key, { tokens: { ...record, revision: 1 } }, lifetime)
      return key
    },
    async read(key, lifetime) {
      const stored = await records.get(key)
      const found = contentOf(stored)
      const left = (stored?.expiresAt ?? 0) - Date.now()
      if (typeof found === 'object' && left < lifetime * 0.9)
        renew(key, lifetime).catch(() => undefined) // the next request tries again
      return found
    },
    end(key, lifetime) {
      return lock.run(`tr.${key}`, async () => {
        const held = contentOf(await records.get(key))
        await records.set(key, { ended: true }, lifetime)
        return held === 'ended' ? undefined : held
      })
    },
    forget(key) {
      return lock.run(`tr.${key}`, () => records.destroy(key))
    },
  }
}

/** What a record says; whatever is not written as we write it says nothing. */
function contentOf(stored: StoredRecord | undefined): TokenRecord | 'ended' | undefined {
  if (stored === undefined) return undefined
  const { tokens, ended } = stored.content as { tokens?: TokenRecord; ended?: boolean }
  if (ended === true) return 'ended'
  return typeof tokens?.accessToken === 'string' && Array.isArray(tokens.scope) ? tokens : undefined
}
