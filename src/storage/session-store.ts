import type { SessionStore } from '../options/options.ts'
import type { KeyValueStore } from './key-value-store.ts'
import { limited, write } from './store-call.ts'

type Done<T> = (error?: unknown, result?: T) => void

/** Records of our own in an express-session store, beside the sessions. */
export function overSessionStore(store: SessionStore): KeyValueStore {
  return {
    get: (key) =>
      callStore((done) => {
        store.get(key, missingIsNoError(done))
      }),
    set: (key, value, lifetime) =>
      write(store, key, () =>
        calledBack((done) => {
          // A fresh object: file stores write into what they are given.
          const row = {
            ...value,
            // No single member gives the expiry to every store; these three do.
            cookie: {
              originalMaxAge: lifetime,
              maxAge: lifetime,
              expires: new Date(Date.now() + lifetime),
            },
          }
          store.set(key, row as never, done)
        }),
      ),
    delete: (key) =>
      write(store, key, () =>
        calledBack((done) => {
          store.destroy(key, missingIsNoError(done))
        }),
      ),
  }
}

/**
 * Calls an express-session store with a time limit. Rejects with `store_unavailable`, and ignores
 * what a store says afterwards or twice.
 */
export function callStore<T>(call: (done: Done<T>) => void): Promise<T | undefined> {
  return limited(() => calledBack(call))
}

/** File stores report this way that there is no such row; sockets, that there is no such server. */
export function missingIsNoError<T>(done: Done<T>): Done<T> {
  return (error, result) => {
    const { code, syscall } = (error ?? {}) as { code?: unknown; syscall?: unknown }
    if (code === 'ENOENT' && syscall !== 'connect') done()
    else done(error, result)
  }
}

/** What a store calls back with first. */
function calledBack<T>(call: (done: Done<T>) => void): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    call((error, result) => {
      // Stores call back with text and numbers, too, when they failed.
      if (error) reject(error instanceof Error ? error : new Error(`a ${typeof error}`))
      else resolve(result)
    })
  })
}
