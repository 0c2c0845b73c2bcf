/** What time the test authorization server thinks it is. Nobody else's clock moves with it. */
export interface TestClock {
  /** Milliseconds since the epoch. */
  now(): number
  /** Moves it by so many milliseconds, or back if they are negative. It goes on from there. */
  advance(milliseconds: number): void
  /** Back to the clock of this machine. */
  reset(): void
}

export function createTestClock(): TestClock {
  let ahead = 0
  return {
    now: () => Date.now() + ahead,
    advance(milliseconds) {
      // A forgotten argument would make every comparison of times false.
      if (!Number.isFinite(milliseconds)) throw new TypeError('advance() takes milliseconds')
      ahead += milliseconds
    },
    reset() {
      ahead = 0
    },
  }
}
