import { mock } from 'node:test'

/** The clock that `Date` reads. Timers go on as usual. */
export const clock = {
  /** Stops it, until `release`; advances it by so many milliseconds. */
  advance(milliseconds: number): void {
    clock.stop()
    mock.timers.tick(milliseconds)
  },
  /** Stops it where it is. */
  stop(): void {
    if (isStopped) return
    mock.timers.enable({ apis: ['Date'], now: Date.now() })
    isStopped = true
  },
  /** Sets it, and stops it there. */
  set(milliseconds: number): void {
    clock.stop()
    mock.timers.setTime(milliseconds)
  },
  /** Lets it go on; belongs into `afterEach`. */
  release(): void {
    if (isStopped) mock.timers.reset()
    isStopped = false
  },
}

let isStopped = false
