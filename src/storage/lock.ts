/** Lets one piece of work at a time hold a key. */
export interface Lock {
  /** Runs `work` when everybody who asked for `key` before is done, and gives what it gives. */
  run<T>(key: string, work: () => Promise<T>): Promise<T>
  /** Runs `work` if nobody holds `key`; else does nothing. */
  runIfFree(key: string, work: () => Promise<void>): Promise<void>
}

/**
 * The lock of this process, one for all flows: two of them may share a store and its records. Work has
 * time limits of its own, so nobody waits for ever.
 */
export const processLock: Lock = createProcessLock()

function createProcessLock(): Lock {
  const last = new Map<string, Promise<unknown>>()

  async function run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = last.get(key)
    const mine = before === undefined ? work() : before.then(work, work)
    last.set(key, mine)
    try {
      return await mine
    } finally {
      if (last.get(key) === mine) last.delete(key)
    }
  }

  return {
    run,
    async runIfFree(key, work) {
      if (!last.has(key)) await run(key, work)
    },
  }
}
