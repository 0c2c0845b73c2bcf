import { setTimeout as sleep } from 'node:timers/promises'
import type { Bench, RunningApp } from './bench.ts'
import { bare, byHand, grant, inStore, passport, thisPackage } from './contenders.ts'
import { compare, type Figures } from './figures.ts'
import { logIn, newPerson, startLogin } from './person.ts'
import { repeat } from './rounds.ts'

/** The shortest that there is. Milliseconds. */
const loginTimeout = 2_000

/**
 * Bytes on the heap of the app's process, MemoryStore, for each login that was started and not
 * finished, and for each session that is signed in when no login is pending any more.
 */
export async function heap(bench: Bench): Promise<Figures[]> {
  const names = [bare, byHand, thisPackage, inStore, passport, grant]
  const pending: { name: string; values: number[] }[] = []
  for (const app of await bench.startAll(names)) {
    const start = async () => {
      await startLogin(app.place, newPerson(app.place).browser)
    }
    const values = [await growthOf(app, start, bench.times(6_000))]
    pending.push({ name: app.place.contender.name, values })
  }
  const signedIn: { name: string; values: number[] }[] = []
  for (const app of await bench.startAll(names.filter((name) => name !== thisPackage)))
    signedIn.push({ name: app.place.contender.name, values: [await sessionsOf(bench, app)] })
  for (const app of await bench.startAll([thisPackage], { options: { loginTimeout } }))
    signedIn.push({ name: app.place.contender.name, values: [await sessionsOf(bench, app)] })
  const json = await bench.tokenBytes()
  const tokens = { name: "the tokens' JSON", values: [json] }
  return [
    compare('Heap for a pending login', 'bytes', pending, [byHand.name]),
    compare('Heap for a signed-in session', 'bytes', [...signedIn, tokens], [tokens.name]),
  ]
}

function sessionsOf(bench: Bench, app: RunningApp): Promise<number> {
  return growthOf(
    app,
    async () => {
      await logIn(app.place)
    },
    bench.times(3_000),
  )
}

/** After as many repetitions again, so that what is allocated once counts on both sides. */
async function growthOf(
  { process }: RunningApp,
  once: () => Promise<void>,
  times: number,
): Promise<number> {
  await repeat(once, times)
  await sleep(loginTimeout + 100)
  const before = await process.ask('heap')
  await repeat(once, times)
  await sleep(loginTimeout + 100)
  return ((await process.ask('heap')) - before) / times
}
