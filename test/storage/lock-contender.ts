// A process of its own that wants leases: its arguments are the URL of a module that has kinds of
// lock, and contests as JSON. Says 'ready', waits for any message, and answers with how many leases it
// got of each key.
import type { LockKind } from './lock-kind.ts'

/** What several processes want. */
export interface Contest {
  /** Name of a kind of lock. */
  kind: string
  url: string
  key: string
}

const [, , module = '', json = ''] = process.argv
// Only what is needed: four processes load it at once.
const { lockKinds } = (await import(module)) as { lockKinds: readonly LockKind[] }
const contests = JSON.parse(json) as Contest[]

const open = await Promise.all(
  contests.map(async ({ kind, url, key }) => {
    const { lock, close } = await lockKinds.find(({ name }) => name === kind)!.open(url)
    return { key, lock, close }
  }),
)

process.once('message', () => {
  void compete().then((counts) => process.send!(counts, () => process.disconnect()))
})
process.send!('ready')

async function compete(): Promise<number[]> {
  const counts: number[] = []
  for (const { key, lock, close } of open) {
    const leases = await Promise.all(Array.from({ length: 50 }, () => lock.acquire(key, 60_000)))
    counts.push(leases.filter((lease) => lease !== undefined).length)
    await close()
  }
  return counts
}
