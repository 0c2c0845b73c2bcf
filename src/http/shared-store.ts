import type { SessionStore, TokenStore } from '../options/options.ts'
import type { Settings } from '../options/settings.ts'

/** Stores that were warned of. */
const warned = new WeakSet<object>()

/**
 * Says once that processes may share a store without a lock: each of them would refresh the same
 * tokens, and many servers take the second refresh for a theft.
 */
export function warnOfSharedStore(
  { lock, name }: Pick<Settings, 'lock' | 'name'>,
  store: SessionStore | TokenStore,
): void {
  if (lock !== undefined || isOfThisProcess(store) || warned.has(store)) return
  warned.add(store)
  process.emitWarning(
    `express-pkce-flow: the flow "${name}" keeps its records in a store that several processes may ` +
      'share, and has no option "lock": two of them could refresh the same tokens at once, which ' +
      "logs people out on many servers. Give it redisLock() or postgresLock(), or lock: 'process' if " +
      'this is the only process.',
    { code: 'PKCE_FLOW_NO_LOCK' },
  )
}

/** Whether a store keeps things in this process's memory. */
export function isOfThisProcess(store: object): boolean {
  // Of express-session, and of the package memorystore; a Keyv without a store of its own has a Map.
  const { opts, store: inner } = store as { opts?: { store?: unknown }; store?: unknown }
  return (
    isMemoryStore(store) ||
    [store, inner, opts?.store].some((candidate) => candidate instanceof Map)
  )
}

/** Apps extend these, too. */
function isMemoryStore(store: object): boolean {
  for (
    let type: object | null = store;
    type !== null;
    type = Object.getPrototypeOf(type) as object | null
  )
    if ((type.constructor as { name?: unknown } | undefined)?.name === 'MemoryStore') return true
  return false
}
