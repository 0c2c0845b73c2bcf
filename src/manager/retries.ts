import { setTimeout as delay } from 'node:timers/promises'
import { PkceFlowError } from '../errors.ts'
import { nothingWasSent } from '../protocol/nothing-sent.ts'

/** The first one included. */
const attempts = 4

/** Before the second attempt; doubles from one to the next. Milliseconds. */
const firstPause = 200

/** A server that asks for more than this is not waited for. Milliseconds. */
const longestPause = 10_000

/** For a request that must arrive once: sends it again only if nothing was sent. */
export function untilSent<Result>(send: () => Promise<Result>): Promise<Result> {
  return retry(send, nothingWasSent)
}

/** For a request that can be repeated: sends it again also when the server says that it is busy. */
export function untilAnswered<Result>(send: () => Promise<Result>): Promise<Result> {
  return retry(send, (error) => nothingWasSent(error) || isBusy(error))
}

/** RFC 6585 section 4 and RFC 9110 section 15.6.4: the request was not processed. */
const busyStatuses = new Set<number | undefined>([429, 503])

function isBusy(error: unknown): error is PkceFlowError & { retryAfter: number } {
  return (
    error instanceof PkceFlowError &&
    busyStatuses.has(error.serverStatus) &&
    error.retryAfter !== undefined
  )
}

async function retry<Result>(
  send: () => Promise<Result>,
  mayRepeat: (error: unknown) => boolean,
): Promise<Result> {
  for (let attempt = 1, backOff = firstPause; ; attempt += 1, backOff *= 2)
    try {
      return await send()
    } catch (error) {
      // Retry-After is the server's wish only if the server was reached.
      const wish = isBusy(error) ? error.retryAfter * 1000 : 0
      backOff = Math.max(backOff, wish)
      if (attempt === attempts || backOff > longestPause || !mayRepeat(error)) throw error
      await delay(backOff)
    }
}
