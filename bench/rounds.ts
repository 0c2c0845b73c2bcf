import { setTimeout as sleep } from 'node:timers/promises'
import type { ServerProcess } from './child-process.ts'
import { compare, type Figures } from './figures.ts'

/** An app and what is done to it over and over. */
export interface Runner {
  name: string
  app: ServerProcess
  once: () => Promise<void>
}

/** How long a measurement is. */
export interface Extent {
  rounds: number
  /** Repetitions in each round, and before the first. */
  times: number
  warmUp: number
}

/** Requests that are under way at the same time. */
export const concurrency = 4

const timesPerTurn = 24

/**
 * CPU time (user and system) of each app's process for one repetition, microseconds. Within a round
 * the apps take turns of a few repetitions, so that whatever else happens on the machine meets all of
 * them: on a shared one the ratios spread less than with whole rounds in turns.
 */
export async function measureCpu(
  title: string,
  runners: readonly Runner[],
  baselines: readonly string[],
  { rounds, times, warmUp }: Extent,
): Promise<Figures> {
  const values = runners.map((): number[] => [])
  await runByTurns(runners, warmUp)
  for (let round = 0; round < rounds; round += 1) {
    const before = await cpuOf(runners)
    await runByTurns(runners, times)
    // What an app puts off until after its answer counts too.
    await sleep(20)
    const after = await cpuOf(runners)
    for (const [index, list] of values.entries())
      list.push(((after[index] ?? NaN) - (before[index] ?? NaN)) / times)
  }
  const measured = runners.map(({ name }, index) => ({ name, values: values[index] ?? [] }))
  return compare(title, 'us CPU', measured, baselines)
}

function cpuOf(runners: readonly Runner[]): Promise<number[]> {
  return Promise.all(runners.map(({ app }) => app.ask('cpu')))
}

async function runByTurns(runners: readonly Runner[], times: number): Promise<void> {
  for (let done = 0, turn = 0; done < times; done += timesPerTurn, turn += 1) {
    // Who begins alternates, too, so that nobody always comes second.
    const order = turn % 2 === 0 ? runners : runners.toReversed()
    for (const { once } of order) await repeat(once, Math.min(timesPerTurn, times - done))
  }
}

/** Does something so many times, a few at once. */
export async function repeat(once: () => Promise<void>, times: number): Promise<void> {
  let left = times
  async function workWhileLeft(): Promise<void> {
    while (left > 0) {
      left -= 1
      await once()
    }
  }
  await Promise.all(Array.from({ length: concurrency }, workWhileLeft))
}
