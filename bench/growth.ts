import type { Bench } from './bench.ts'
import { bare, type Contender, thisPackage } from './contenders.ts'
import type { Figures } from './figures.ts'
import { logIn, newPerson, openHome, startLogin } from './person.ts'
import { measureCpu, type Runner } from './rounds.ts'

/** What there is of everything: sessions, their tokens, pending logins. */
const amounts = [10, 1_000, 100_000]

/** Flows that one app has mounted. */
const flows = [1, 10]

/** Whether what a request costs depends on how much is stored, or on how many flows there are. */
export async function growth(bench: Bench): Promise<Figures[]> {
  const requests: Runner[] = []
  const starts: Runner[] = []

  async function add(name: string, contender: Contender, amount: number, settings = {}) {
    const { place, process } = await bench.start(contender, settings)
    const browser = await logIn(place)
    await startLogin(place, newPerson(place).browser)
    await process.ask(`fill ${amount}`)
    requests.push({ name, app: process, once: () => openHome(place, browser) })
    const once = async () => {
      await startLogin(place, newPerson(place).browser)
    }
    starts.push({ name, app: process, once })
  }

  for (const amount of amounts) await add(`bare express-session, ${amount}`, bare, amount)
  for (const amount of amounts) await add(`${amount} of each kind`, thisPackage, amount)
  for (const count of flows)
    if (count > 1) await add(`${count} flows`, thisPackage, 10, { flows: count })
  const least = [`${amounts[0] ?? 0} of each kind`]
  const extent = bench.extent(11, 480, 2_400)
  return [
    await measureCpu('Signed-in request, by what is stored', requests, least, extent),
    await measureCpu('Start of login, by what is stored', starts, least, extent),
  ]
}
