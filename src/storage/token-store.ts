import type { SessionStore, TokenStore } from '../options/options.ts'
import type { KeyValueStore } from './key-value-store.ts'
import { overSessionStore } from './session-store.ts'
import { limited, write } from './store-call.ts'

/** Records in the store that the option `tokenStore` names. */
export function overTokenStore(store: TokenStore): KeyValueStore {
  if (isSessionStore(store)) return overSessionStore(store)
  return {
    get: (key) => limited(async () => copyOf(await store.get(key))),
    set: (key, value, lifetime) =>
      write(store, key, async () => {
        const said = await store.set(key, copyOf(value) as object, lifetime)
        // Keyv says so when it failed and was not told to throw.
        if (said === false) throw new Error('set() resolved to false')
      }),
    delete: (key) =>
      write(store, key, async () => {
        await store.delete(key)
      }),
  }
}

/** An express-session store removes with `destroy`, and has no `delete`. */
function isSessionStore(store: TokenStore): store is SessionStore {
  return !('delete' in store)
}

/**
 * What a store in another process would give back. A Map keeps the very object that it was given:
 * without a copy each way, whoever changes his changes what is stored.
 */
function copyOf(value: unknown): unknown {
  return typeof value === 'object' && value !== null
    ? (JSON.parse(JSON.stringify(value)) as unknown)
    : value
}
