import type { Bench, RunningApp } from './bench.ts'
import {
  authJs,
  bare,
  byHand,
  type Contender,
  grant,
  guarded,
  inCookie,
  inStore,
  notAttached,
  passport,
  sealed,
  sealedGuarded,
  thisPackage,
  unchecked,
} from './contenders.ts'
import type { Figures } from './figures.ts'
import { growth } from './growth.ts'
import { heap } from './heap.ts'
import { installedSize } from './installed-size.ts'
import { logIn, newPerson, openHome, openPublicPage, startLogin } from './person.ts'
import { measureCpu, type Runner } from './rounds.ts'
import { startUp } from './start-up.ts'
import type { UserAgent } from './user-agent.ts'

/** People who are signed in to each app while requests of signed-in people are measured. */
const peopleSignedIn = 20

const baselines = [bare.name, byHand.name]

/** All measures, by the names that `--only` knows. */
export const measures: Record<string, (bench: Bench) => Promise<Figures[]>> = {
  'signed-in': async (bench) => {
    const apps = await bench.startAll([
      ...[bare, byHand, thisPackage, guarded, sealed],
      ...[inCookie, inStore, passport, authJs, grant],
    ])
    const silent = await bench.startAll([notAttached])
    return [
      await measureCpu(
        'Signed-in request, MemoryStore',
        [
          ...(await Promise.all(apps.map((app) => signedIn(app, openHome)))),
          ...(await Promise.all(silent.map((app) => signedIn(app, openPublicPage)))),
        ],
        baselines,
        bench.extent(15, 480, 2_400),
      ),
    ]
  },
  redis: async (bench) => {
    const settings = { redis: await bench.redis() }
    const names = [bare, byHand, thisPackage, guarded, sealed, sealedGuarded]
    const apps = await bench.startAll([...names, inStore, passport, grant], settings)
    const silent = await bench.startAll([notAttached], settings)
    return [
      await measureCpu(
        'Signed-in request, Redis',
        [
          ...(await Promise.all(apps.map((app) => signedIn(app, openHome)))),
          ...(await Promise.all(silent.map((app) => signedIn(app, openPublicPage)))),
        ],
        baselines,
        bench.extent(15, 480, 2_400),
      ),
    ]
  },
  visitor: (bench) =>
    measureAll(
      bench,
      'Visitor without a session',
      [bare, byHand, thisPackage, inCookie, inStore, passport, authJs, grant],
      async (app) => openPublicPage(app.place, newPerson(app.place).browser),
    ),
  start: (bench) =>
    measureAll(
      bench,
      'Start of login',
      [bare, byHand, thisPackage, sealed, inCookie, inStore, passport, authJs, grant],
      async ({ place }) => {
        await startLogin(place, newPerson(place).browser)
      },
    ),
  login: (bench) =>
    measureAll(
      bench,
      'Whole login, to the first page',
      [bare, byHand, unchecked, thisPackage, sealed, inCookie, inStore, passport, authJs, grant],
      async ({ place }) => {
        await logIn(place)
      },
      bench.extent(15, 168, 1_200),
    ),
  heap,
  import: startUp,
  size: () => Promise.resolve(installedSize()),
  growth,
}

async function measureAll(
  bench: Bench,
  title: string,
  contenders: readonly Contender[],
  once: (app: RunningApp) => Promise<void>,
  extent = bench.extent(15, 480, 2_400),
): Promise<Figures[]> {
  const runners = (await bench.startAll(contenders)).map((app) => ({
    name: app.place.contender.name,
    app: app.process,
    once: () => once(app),
  }))
  return [await measureCpu(title, runners, baselines, extent)]
}

/** An app with people who have logged in, and whose pages are asked for, one after another. */
async function signedIn(
  { place, process }: RunningApp,
  open: (place: RunningApp['place'], browser: UserAgent) => Promise<void>,
): Promise<Runner> {
  const browsers: UserAgent[] = []
  for (let person = 0; person < peopleSignedIn; person += 1) browsers.push(await logIn(place))
  let next = 0
  return {
    name: place.contender.name,
    app: process,
    once() {
      next += 1
      return open(place, browsers[next % peopleSignedIn] as UserAgent)
    },
  }
}
