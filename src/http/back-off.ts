import { PkceFlowError } from '../errors.ts'

/** Remembers failures that may pass, so that nobody is asked again too soon. */
export interface BackOff {
  /** The failure that says to wait, `retryAfter` being what is left; `undefined`: try. */
  failureOf(key: string): PkceFlowError | undefined
  /** Notes a failure: 1 s until the next attempt, doubling to 30 s, or as long as `retryAfter` says. */
  failed(key: string, error: PkceFlowError): void
  /**
   * The same for an answer that nobody can read and that may be final. Resolves doubts: true when
   * three in a row, over ten minutes or more, have been such.
   */
  failedUnreadably(key: string, error: PkceFlowError): boolean
  succeeded(key: string): void
}

interface Failures {
  error: PkceFlowError
  /** Milliseconds. */
  pause: number
  /** Milliseconds since the epoch. */
  until: number
  /** Milliseconds. */
  wait: number
  unreadable: { count: number; since: number } | undefined
}

const firstPause = 1_000
const lastPause = 30_000

/** A failure this long after the last one is a first one again. Milliseconds. */
const longAgo = 60_000
const doubtful = { count: 3, time: 600_000 }

/** Keys that are remembered; of more, those that failed longest ago are forgotten. */
const mostKeys = 10_000

export function createBackOff(): BackOff {
  const failures = new Map<string, Failures>()

  function note(key: string, error: PkceFlowError, unreadable: Failures['unreadable']) {
    const before = failures.get(key)
    const isLongAgo = before !== undefined && Date.now() > before.until + longAgo
    const pause =
      before === undefined || isLongAgo ? firstPause : Math.min(before.pause * 2, lastPause)
    const wait = Math.max(pause, (error.retryAfter ?? 0) * 1000)
    failures.delete(key) // to be the newest
    failures.set(key, { error, pause, until: Date.now() + wait, wait, unreadable })
    const [oldest] = failures.keys()
    if (failures.size > mostKeys && oldest !== undefined) failures.delete(oldest)
  }

  return {
    failureOf(key) {
      const failure = failures.get(key)
      const left = failure === undefined ? 0 : failure.until - Date.now()
      // More than the whole: the clock was set back.
      if (failure === undefined || left <= 0 || left > failure.wait) return undefined
      return passing(failure.error, Math.ceil(left / 1000))
    },
    failed(key, error) {
      note(key, error, undefined)
    },
    failedUnreadably(key, error) {
      const { count, since } = failures.get(key)?.unreadable ?? { count: 0, since: Date.now() }
      note(key, error, { count: count + 1, since })
      return count + 1 >= doubtful.count && Date.now() - since >= doubtful.time
    },
    succeeded(key) {
      failures.delete(key)
    },
  }
}

/** What a request hears that cannot do without: always 503 (P10), whoever is at fault. */
function passing(error: PkceFlowError, retryAfter: number): PkceFlowError {
  const code =
    error.code === 'store_unavailable' || error.code === 'lock_unavailable'
      ? error.code
      : 'server_unavailable'
  return new PkceFlowError(
    code,
    `The access token has expired and cannot be refreshed at the moment: ${error.message}`,
    { retryAfter, cause: error, oauthError: error.oauthError },
  )
}
