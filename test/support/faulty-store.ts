import { MemoryStore } from 'express-session'

/** What is done to a store. */
export interface StoreCall {
  operation: 'get' | 'set' | 'destroy'
  key: string
  /** What is written. */
  content?: unknown
}

/** Which calls are meant. */
export type CallFilter = (call: StoreCall) => boolean

/** A store that can be told to fail, or to be slow. */
export interface FaultyStore extends MemoryStore {
  /** Every call so far. */
  readonly calls: readonly StoreCall[]
  /**
   * Calls that `which` is true for fail, and do nothing. Returns a function that ends it.
   *
   * @param error makes what they fail with
   */
  fail(which: CallFilter, error?: (call: StoreCall) => Error): () => void
  /** Calls that `which` is true for do their work, and say that they failed. */
  misreport(which: CallFilter): () => void
  /** Calls that `which` is true for wait, before they do anything, for the promise. */
  hold(which: CallFilter, until: () => Promise<unknown>): () => void
}

export function createFaultyStore(): FaultyStore {
  const store = new MemoryStore()
  const usual = MemoryStore.prototype
  const calls: StoreCall[] = []
  const failures = new Set<{ which: CallFilter; error: (call: StoreCall) => Error }>()
  const misreports = new Set<CallFilter>()
  const holds = new Set<{ which: CallFilter; until: () => Promise<unknown> }>()

  type Done = (error?: unknown, found?: unknown) => void

  function run(call: StoreCall, usually: Done, work: (done: Done) => void) {
    calls.push(call)
    const isMisreported = [...misreports].some((which) => which(call))
    const done: Done = isMisreported ? () => usually(new Error('The store is down')) : usually
    const held = [...holds].find(({ which }) => which(call))
    const goOn = () => {
      const failing = [...failures].find(({ which }) => which(call))
      if (failing === undefined) work(done)
      else setImmediate(done, failing.error(call))
    }
    if (held === undefined) goOn()
    else void held.until().then(goOn)
  }

  function script<T>(scripted: Set<T>, entry: T) {
    scripted.add(entry)
    return () => void scripted.delete(entry)
  }

  return Object.assign(store, {
    calls,
    fail: (
      which: CallFilter,
      error: (call: StoreCall) => Error = () => new Error('The store is down'),
    ) => script(failures, { which, error }),
    misreport: (which: CallFilter) => script(misreports, which),
    hold: (which: CallFilter, until: () => Promise<unknown>) => script(holds, { which, until }),
    get(key: string, done: (error: unknown, session?: unknown) => void) {
      run({ operation: 'get', key }, done, (then) => usual.get.call(store, key, then as never))
    },
    set(key: string, content: unknown, done: (error?: unknown) => void = () => undefined) {
      run({ operation: 'set', key, content }, done, (then) =>
        usual.set.call(store, key, content as never, then),
      )
    },
    destroy(key: string, done: (error?: unknown) => void = () => undefined) {
      run({ operation: 'destroy', key }, done, (then) => usual.destroy.call(store, key, then))
    },
  })
}
