import { setTimeout as delay } from 'node:timers/promises'
import { PkceFlowError } from '../errors.ts'
import type { Lease, Lock } from '../options/lock.ts'

/** Lets one piece of work at a time hold a key. */
export interface Mutex {
  /**
   * Runs `work` when everybody who asked for `key` before is done, and gives what it gives. Rejects
   * with `lock_unavailable` if `key` cannot be had, or not within `patience` milliseconds.
   */
  run<T>(key: string, work: (hold: Hold) => Promise<T>, patience?: number): Promise<T>
  /**
   * The same, but gives `undefined` and does nothing if others hold `key` for longer than `patience`
   * milliseconds. Default: `0`, if anybody holds it at all.
   */
  runIfFree<T>(
    key: string,
    work: (hold: Hold) => Promise<T>,
    patience?: number,
  ): Promise<T | undefined>
  /** Milliseconds that it makes sense to wait for one piece of work, also of a process that was killed. */
  readonly longestWait: number
}

/** A key that is held. */
export interface Hold {
  /**
   * Sees to it that the key is held now and for a while, before something is written. Resolves to
   * whether it was held all along: if not, somebody else may have worked, and what was read before
   * has to be read again. Rejects with `lock_unavailable`.
   */
  secure(): Promise<boolean>
}

/** Between two attempts to get a lease that somebody else holds: growing from the first to the last. */
const firstPause = 20
const lastPause = 250

/** Every call of a lock is given up after this many milliseconds. */
const lockTimeout = 5_000

const held: Hold = { secure: () => Promise.resolve(true) }

/**
 * The mutex of this process, one for all flows: two of them may share a store and its records. Work
 * has time limits of its own, so nobody waits for ever.
 */
export const processMutex: Mutex = createProcessMutex()

function createProcessMutex(): Mutex {
  const last = new Map<string, Promise<unknown>>()

  async function run<T>(key: string, work: (hold: Hold) => Promise<T>, patience?: number) {
    const before = last.get(key)
    if (before === undefined) return enter(key, work(held))
    let given = false
    const turn = before.then(
      () => (given ? undefined : work(held)),
      () => (given ? undefined : work(held)),
    )
    const mine = enter(key, turn) as Promise<T>
    if (patience === undefined) return mine
    const settled = before.then(
      () => true,
      () => true,
    )
    const mayWork = await Promise.race([settled, delay(patience, false, { ref: false })])
    if (mayWork) return mine
    given = true
    throw tooLong()
  }

  async function enter<T>(key: string, mine: Promise<T>): Promise<T> {
    last.set(key, mine)
    try {
      return await mine
    } finally {
      if (last.get(key) === mine) last.delete(key)
    }
  }

  return {
    run,
    async runIfFree(key, work, patience = 0) {
      if (patience === 0) return last.has(key) ? undefined : run(key, work)
      return run(key, work, patience).catch(undefinedIfTooLong)
    },
    longestWait: 15_000,
  }
}

/**
 * A mutex over all processes that share `lock`: within this process one after the other, without
 * asking it. A lease is renewed while work goes on, and ends by itself with its process.
 *
 * @param duration milliseconds of a lease
 */
export function createSharedMutex(lock: Lock, duration: number): Mutex {
  async function acquire(key: string): Promise<Lease | undefined> {
    const acquiring = Promise.resolve().then(() => lock.acquire(key, duration))
    // One that comes too late is given back, or others would wait for it to end.
    const late = () => void acquiring.then((lease) => lease?.release()).catch(() => undefined)
    const lease: unknown = await limited(acquiring, late)
    // Many clients say null or false for "somebody has it".
    if (lease === undefined || lease === null || lease === false) return undefined
    if (isLease(lease)) return lease
    throw unavailable(
      'The option "lock" is no lock: acquire() must give an object with extend and release.',
    )
  }

  async function acquireSoon(key: string, patience: number): Promise<Lease> {
    const until = performance.now() + patience
    for (let pause = firstPause; ; pause = Math.min(pause * 1.5, lastPause)) {
      const lease = await acquire(key)
      if (lease !== undefined) return lease
      const left = until - performance.now()
      if (left <= 0) throw tooLong()
      await delay(Math.min(pause * (0.5 + Math.random()), left))
    }
  }

  async function work<T>(key: string, first: Lease, task: (hold: Hold) => Promise<T>): Promise<T> {
    let lease = first
    const extend = () => limited(Promise.resolve().then(() => lease.extend(duration)))
    const renewal = setInterval(() => {
      extend().catch(() => undefined) // secure() will tell
    }, duration / 3).unref()
    const hold: Hold = {
      async secure() {
        if (await extend()) return true
        lease = await acquireSoon(key, duration)
        return false
      },
    }
    try {
      return await task(hold)
    } finally {
      clearInterval(renewal)
      // Whoever waits for the result need not wait for this.
      void Promise.resolve()
        .then(() => lease.release())
        .catch(() => undefined) // it ends by itself
    }
  }

  return {
    async run(key, task, patience) {
      const begun = performance.now()
      return processMutex.run(
        key,
        async () => {
          const left = patience === undefined ? duration + 1_000 : patience
          const spent = patience === undefined ? 0 : performance.now() - begun
          return work(key, await acquireSoon(key, Math.max(left - spent, 0)), task)
        },
        patience,
      )
    },
    async runIfFree(key, task, patience = 0) {
      return processMutex.runIfFree(
        key,
        async () => {
          const lease = await acquireSoon(key, patience).catch(undefinedIfTooLong)
          return lease === undefined ? undefined : work(key, lease, task)
        },
        patience,
      )
    },
    longestWait: duration + 1_000,
  }
}

function isLease(value: unknown): value is Lease {
  const { extend, release } = value as Partial<Lease>
  return typeof extend === 'function' && typeof release === 'function'
}

/** What a lock says, or `lock_unavailable`. */
async function limited<T>(saying: Promise<T>, tooLate: () => void = () => undefined): Promise<T> {
  const timer = new AbortController()
  const limit = delay(lockTimeout, undefined, { signal: timer.signal }).then(() => {
    tooLate()
    throw unavailable('The lock did not answer in time.')
  })
  limit.catch(() => undefined) // when the lock was faster
  try {
    return await Promise.race([saying, limit])
  } catch (error) {
    throw error instanceof PkceFlowError && error.code === 'lock_unavailable'
      ? error
      : unavailable('The lock answered with an error.', error)
  } finally {
    timer.abort()
  }
}

/** Errors of whoever waited as long as he was willing to. */
const waitedTooLong = new WeakSet()

function tooLong(): PkceFlowError {
  const error = unavailable('Somebody else has been working on this for too long.')
  waitedTooLong.add(error)
  return error
}

function undefinedIfTooLong(error: unknown): undefined {
  if (!waitedTooLong.has(error as object)) throw error
}

function unavailable(message: string, cause?: unknown): PkceFlowError {
  return new PkceFlowError('lock_unavailable', message, { retryAfter: 1, cause })
}
