import { setTimeout as delay } from 'node:timers/promises'
import { PkceFlowError } from '../errors.ts'

/** Every call of a store is given up after this many milliseconds. */
const timeLimit = 5_000

/** A write that was given up is waited for this long. Milliseconds. */
const longestWait = 2_000

/** The last write of each key that has not settled, by store: several flows may share one. */
const unsettled = new WeakMap<object, Map<string, Promise<unknown>>>()

/**
 * A read, or a write that nothing else depends on, with the time limit. Rejects with
 * `store_unavailable`; what the store says afterwards is ignored.
 *
 * @param call is told by `isGivenUp` whether anybody still waits, and can have something done then
 */
export function limited<T>(
  call: (isGivenUp: () => boolean, onGivenUp: (then: () => unknown) => void) => Promise<T>,
): Promise<T> {
  return new Promise((resolve, reject) => {
    let givenUp = false
    let whenGivenUp: () => unknown = () => undefined
    const onGivenUp = (then: () => unknown) => {
      whenGivenUp = then
    }
    const timer = setTimeout(() => {
      givenUp = true
      whenGivenUp()
      reject(unavailable('The store of sessions and tokens did not answer in time.'))
    }, timeLimit)

    call(() => givenUp, onGivenUp).then(
      (result) => {
        clearTimeout(timer)
        resolve(result)
      },
      (error: unknown) => {
        clearTimeout(timer)
        reject(unavailable('The store of sessions and tokens failed.', error))
      },
    )
  })
}

/**
 * A write, with the time limit. One that was given up may still land, and should not land on top of a
 * later one: so that one waits a while for the earlier to settle.
 */
export async function write(
  store: object,
  key: string,
  call: () => Promise<unknown>,
): Promise<void> {
  await limited((isGivenUp, onGivenUp) => {
    const writes = unsettled.get(store) ?? new Map<string, Promise<unknown>>()
    unsettled.set(store, writes)
    const make = async () => {
      if (!isGivenUp()) await call()
    }
    const earlier = writes.get(key)
    const mine = earlier === undefined ? make() : settledSoon(earlier).then(make)
    writes.set(key, mine)
    const forget = () => {
      if (writes.get(key) === mine) writes.delete(key)
    }
    mine.then(forget, forget)
    // One that never settles is forgotten when nobody would wait for it any more.
    onGivenUp(() => setTimeout(forget, longestWait).unref())
    return mine
  })
}

/** Some stores never answer when a connection breaks: they must not block a key for good. */
function settledSoon(earlier: Promise<unknown>): Promise<unknown> {
  const limit = new AbortController()
  const enough = delay(longestWait, undefined, { signal: limit.signal }).catch(() => undefined)
  const settled = earlier.then(
    () => undefined,
    () => undefined,
  )
  return Promise.race([settled, enough]).finally(() => {
    limit.abort()
  })
}

function unavailable(message: string, cause?: unknown): PkceFlowError {
  return new PkceFlowError('store_unavailable', message, { retryAfter: 1, cause })
}
