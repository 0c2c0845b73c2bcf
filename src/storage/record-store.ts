import { PkceFlowError } from '../errors.ts'
import type { SessionStore } from '../options/options.ts'

/** Records of our own in a session store, each with an expiry. */
export interface RecordStore {
  /** The record, or `undefined` if there is none, it has expired or is another flow's. */
  get(key: string): Promise<StoredRecord | undefined>
  /** Writes a record that lives for `lifetime` milliseconds. */
  set(key: string, content: object, lifetime: number): Promise<void>
  destroy(key: string): Promise<void>
}

/** A record as it was written. */
export interface StoredRecord {
  content: object
  /** Milliseconds since the epoch. */
  expiresAt: number
}

/** Every store call is given up after this many milliseconds. */
const storeTimeout = 5_000

const version = 1

/**
 * Keeps records in an express-session store beside the sessions, under keys of 35 characters, which
 * every store's key column holds: `kind`, three characters that end in a dot, and 32 hex digits.
 * A dot never occurs in express-session's own ids.
 *
 * Calls reject with `store_unavailable`.
 *
 * @param flow fingerprint of flow name, client id and redirect URI: a record of another flow is none
 */
export function createRecordStore(
  store: SessionStore,
  kind: `${string}.`,
  flow: string,
): RecordStore {
  return {
    async get(key) {
      const found = await callStore<unknown>((done) => {
        store.get(kind + key, missingIsNoError(done))
      })
      return isRecord(found) && found.version === version && found.flow === flow ? found : undefined
    },
    async set(key, content, lifetime) {
      const expiresAt = Date.now() + lifetime
      await callStore((done) => {
        store.set(
          kind + key,
          {
            content,
            version,
            flow,
            expiresAt,
            // No single member gives the expiry to every store; these three do.
            cookie: {
              originalMaxAge: lifetime,
              maxAge: lifetime,
              expires: new Date(expiresAt),
            },
          } as never,
          done,
        )
      })
    },
    async destroy(key) {
      await callStore((done) => {
        store.destroy(kind + key, missingIsNoError(done))
      })
    },
  }
}

/** A store's own options can override the expiry that it was given: ours counts as well. */
function isRecord(value: unknown): value is StoredRecord & { version: unknown; flow: unknown } {
  if (typeof value !== 'object' || value === null) return false
  const { content, expiresAt } = value as Partial<StoredRecord>
  return (
    typeof content === 'object' &&
    content !== null &&
    typeof expiresAt === 'number' &&
    expiresAt > Date.now()
  )
}

/**
 * Calls an express-session store with a time limit. Rejects with `store_unavailable`, and ignores
 * what a store says afterwards or twice.
 */
export function callStore<T>(
  call: (done: (error?: unknown, result?: T) => void) => void,
): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(unavailable('The session store did not answer in time.'))
    }, storeTimeout)

    function done(error?: unknown, result?: T) {
      clearTimeout(timer)
      if (!error) resolve(result)
      else reject(unavailable('The session store failed.', error))
    }

    try {
      call(done)
    } catch (error) {
      done(error)
    }
  })
}

/** File stores report this way that there is no such row; sockets, that there is no such server. */
export function missingIsNoError<T>(
  done: (error?: unknown, result?: T) => void,
): (error?: unknown, result?: T) => void {
  return (error, result) => {
    const { code, syscall } = (error ?? {}) as { code?: unknown; syscall?: unknown }
    if (code === 'ENOENT' && syscall !== 'connect') done()
    else done(error, result)
  }
}

function unavailable(message: string, cause?: unknown): PkceFlowError {
  return new PkceFlowError('store_unavailable', message, { retryAfter: 1, cause })
}
