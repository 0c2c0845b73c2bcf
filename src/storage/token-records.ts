import { randomBytes } from 'node:crypto'
import type { SessionStore } from '../options/options.ts'
import { createRecordStore } from './record-store.ts'
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
  /** The record, `'ended'` if it was ended on purpose, or `undefined` if there is none. */
  read(key: string): Promise<TokenRecord | 'ended' | undefined>
  /**
   * Ends a record and resolves to what it held. A marker stays for `lifetime` milliseconds, so that
   * a session that was written back by a slow request does not come to life with it.
   */
  end(key: string, lifetime: number): Promise<TokenRecord | undefined>
  /** Removes a record that nothing refers to any more. */
  forget(key: string): Promise<void>
}

interface StoredTokens {
  tokens?: TokenRecord
  ended?: true
}

/** Token records in a session store. A record is changed under the lock only. */
export function createTokenRecords(store: SessionStore, flow: string, lock: Lock): TokenRecords {
  const records = createRecordStore(store, 'tr.', flow)

  async function read(key: string): Promise<TokenRecord | 'ended' | undefined> {
    const stored = (await records.get(key)) as StoredTokens | undefined
    return stored?.ended === true ? 'ended' : stored?.tokens
  }

  return {
    async create(record, lifetime) {
      const key = randomBytes(16).toString('hex')
      await records.set(key, { tokens: { ...record, revision: 1 } }, lifetime)
      return key
    },
    read,
    end(key, lifetime) {
      return lock.run(`tr.${key}`, async () => {
        const held = await read(key)
        await records.set(key, { ended: true }, lifetime)
        return held === 'ended' ? undefined : held
      })
    },
    forget(key) {
      return lock.run(`tr.${key}`, () => records.destroy(key))
    },
  }
}
