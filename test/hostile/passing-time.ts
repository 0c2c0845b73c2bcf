import { syncBuiltinESMExports } from 'node:module'
import timers from 'node:timers/promises'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { clock } from '../support/clock.ts'
import { callers } from './callers.ts'

/** Time as the rooms `storage` and `http` know it: it stands still until a test lets it pass. */
export interface PassingTime {
  /** Milliseconds until the next timer, `Infinity` if none is set. One that repeats does not count. */
  readonly untilNext: number
  /** Lets the next timer come, one that repeats included. */
  toNext(): void
  /** So many milliseconds, with every timer that comes in them. */
  pass(milliseconds: number): Promise<void>
  /** Sets a timer of the test's own. */
  after(milliseconds: number, run: () => void): void
  /** Forgets every timer. */
  clear(): void
  /** Gives timers back to the machine. */
  release(): void
}

interface Timer {
  due: number
  run: () => void
  /** Milliseconds, of one that repeats. */
  period: number | undefined
}

type Scheduler = (
  run: (...values: unknown[]) => void,
  delay?: number,
  ...values: unknown[]
) => unknown

/** Whether a timer is set by code that waits for stores and locks. All others go on as usual. */
function isOurs(): boolean {
  const nearest = callers(6).find(({ file }) => !file.includes('/test/hostile/'))
  return /\/src\/(storage|http)\//.test(nearest?.file ?? '')
}

/**
 * Stops time: the five seconds after which a call is given up pass as soon as a test lets them. `Date`
 * and `performance.now()` go along with it.
 */
export function stopTime(): PassingTime {
  const usual = {
    setTimeout: globalThis.setTimeout,
    clearTimeout: globalThis.clearTimeout,
    setInterval: globalThis.setInterval,
    clearInterval: globalThis.clearInterval,
    delay: timers.setTimeout,
  }
  const set = new Set<Timer>()
  let now = 0
  clock.stop()

  function schedule(run: () => void, delay: number, period?: number) {
    const timer: Timer = { due: now + Math.max(Math.ceil(delay), 1), run, period }
    set.add(timer)
    return Object.assign(timer, { unref: () => timer, ref: () => timer })
  }

  const clear = (usually: (timer: never) => void) => (timer: unknown) => {
    if (!set.delete(timer as Timer)) usually(timer as never)
  }

  const scheduler = (usually: Scheduler, repeats: boolean): Scheduler =>
    function schedules(run, delay = 0, ...values) {
      if (!isOurs()) return usually(run, delay, ...values)
      return schedule(() => run(...values), delay, repeats ? delay : undefined)
    }

  async function delayed(delay = 0, value?: unknown, options?: { signal?: AbortSignal }) {
    if (!isOurs()) return usual.delay(delay, value, options)
    return new Promise((resolve, reject) => {
      const timer = schedule(() => resolve(value), delay)
      options?.signal?.addEventListener('abort', () => {
        set.delete(timer)
        reject(new DOMException('Aborted', 'AbortError'))
      })
    })
  }

  globalThis.setTimeout = scheduler(usual.setTimeout, false) as typeof setTimeout
  globalThis.setInterval = scheduler(usual.setInterval, true) as typeof setInterval
  globalThis.clearTimeout = clear(usual.clearTimeout)
  globalThis.clearInterval = clear(usual.clearInterval)
  Object.assign(timers, { setTimeout: delayed })
  syncBuiltinESMExports()
  // Its own property hides that of the prototype.
  Object.defineProperty(performance, 'now', { configurable: true, value: () => now })

  const next = (which: (timer: Timer) => boolean): Timer | undefined =>
    [...set].filter(which).sort((a, b) => a.due - b.due)[0]

  function moveTo(time: number) {
    clock.advance(Math.max(time - now, 0))
    now = Math.max(time, now)
  }

  function come(timer: Timer) {
    moveTo(timer.due)
    if (timer.period === undefined) set.delete(timer)
    else timer.due += timer.period
    timer.run()
  }

  return {
    get untilNext() {
      return (next(({ period }) => period === undefined)?.due ?? Infinity) - now
    },
    toNext() {
      const timer = next(() => true)
      if (timer !== undefined) come(timer)
    },
    async pass(milliseconds) {
      const end = now + milliseconds
      for (;;) {
        for (let turns = 0; turns < 5; turns += 1) await nextTurn()
        const timer = next(({ due }) => due <= end)
        if (timer === undefined) break
        come(timer)
      }
      moveTo(end)
    },
    after: (milliseconds, run) => void schedule(run, milliseconds),
    clear: () => set.clear(),
    release() {
      const { delay, ...rest } = usual
      Object.assign(globalThis, rest)
      Object.assign(timers, { setTimeout: delay })
      syncBuiltinESMExports()
      Reflect.deleteProperty(performance, 'now')
      clock.release()
    },
  }
}
