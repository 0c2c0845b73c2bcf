import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises'
import type { ServerResponse } from 'node:http'
import { PkceFlowError } from '../../src/index.ts'
import { startApp, type RunningApp } from '../support/app.ts'
import { type Browser, createBrowser, type Page } from '../support/browser.ts'
import { createFaultyCalls, type FaultyCalls } from './faulty-calls.ts'
import { type PassingTime, stopTime } from './passing-time.ts'
import { mountHostileRoutes } from './store-routes.ts'
import type { HostileFlow, Scene } from './store-scene.ts'
import { violationsOf } from './store-violations.ts'
import { watchWorkElsewhere } from './work-elsewhere.ts'

/** What a browser finds: who is there, in what session, and whose token works. */
export type State = Record<string, unknown>

/** What there is after something was done. */
export interface Told {
  /** Status and path of each answer; `lost` at last if one never came. */
  answers: readonly string[]
  /** Of the last one. */
  code: string | undefined
  state: State
  /** What the cookies from before lead to. */
  oldState: State
}

/** A flow's app, and what happens to it when calls fail. */
export interface StoreWorld {
  readonly time: PassingTime
  readonly faults: FaultyCalls
  /** Forgets everything but the bystander, and does what comes before. */
  begin(): Promise<Scene>
  /** Does something, lets as much time pass as it needs, and looks. */
  perform(scene: Scene, what: (scene: Scene) => Promise<unknown>): Promise<Told>
  look(scene: Scene): Promise<Told>
  /** Waits for what goes on after the answers. */
  settle(milliseconds: number): Promise<void>
  /** What must not be: in the plural, and empty if all is well. */
  violations(from?: number): string[]
  readonly issued: number
  /** How many codes were exchanged. */
  readonly exchanges: number
  close(): Promise<void>
}

/** What waits for less only lets others go first. Milliseconds. */
const pause = 400

/** Nothing that a person waits for takes longer, in milliseconds of the time that passes. */
const longestWait = 60_000

/** The same in nanoseconds of this machine. */
const longestReally = 10_000_000_000n

export async function createStoreWorld(flow: HostileFlow): Promise<StoreWorld> {
  const time = stopTime()
  const faults = createFaultyCalls(time)
  const open = new Set<ServerResponse>()
  const crashes: unknown[] = []
  let secretsBefore = 0
  let current:
    | { scene: Scene; old: Browser; from: number; said: { at: number; page: Page }[] }
    | undefined

  const setUp = flow.app ?? {}
  const isConnect = setUp.flow?.purpose === 'connect'
  const app: RunningApp = await startApp({
    ...setUp,
    store: faults.store,
    serverOptions: { users: ['alice', 'bert', 'bob'].map((sub) => ({ sub })) },
    flow: {
      lock: faults.lock,
      ...(flow.perUser && { tokenStore: faults.tokenStore }),
      ...setUp.flow,
    },
    before(express) {
      express.use((_req, res, next) => {
        open.add(res)
        res.on('close', () => open.delete(res))
        next()
      })
    },
    routes: (express, itsFlow) => mountHostileRoutes(express, itsFlow, isConnect),
  })
  const { server } = app
  app.app.set('userinfo', server.metadata.userinfo_endpoint)
  const elsewhere = watchWorkElsewhere(new URL(server.origin).host)

  const crash = (error: unknown) => void crashes.push(error)
  const listeners = (['unhandledRejection', 'uncaughtException'] as const).map((name) => {
    const usual = process.listeners(name as 'uncaughtException')
    process.removeAllListeners(name)
    process.on(name, crash)
    return () => {
      process.removeAllListeners(name)
      for (const listener of usual) process.on(name, listener)
    }
  })

  const createTab = () => createBrowser({ tlsProxy: setUp.tlsProxy ?? false })

  function createScene(): Scene {
    const scene: Scene = {
      app,
      browser: createTab(),
      elsewhere: createTab(),
      say(path, status, code) {
        const page = { url: app.url(path), status, headers: {}, body: JSON.stringify({ code }) }
        current?.said.push({ at: scene.browser.pages.length, page })
        return page
      },
    }
    return scene
  }

  /** Waits for `work`; time passes only where something waits for it, and nothing else is going on. */
  async function drive<T>(work: Promise<T>): Promise<T | undefined> {
    let isDone = false
    const done = () => {
      isDone = true
    }
    work.then(done, done)
    const end = performance.now() + longestWait
    const realEnd = process.hrtime.bigint() + longestReally
    for (let idle = 0, before = elsewhere.changes; !isDone; idle += 1) {
      await nextTurn()
      if (faults.atWork > 0 || elsewhere.underWay > 0 || elsewhere.changes !== before) idle = 0
      before = elsewhere.changes
      if (idle < 12) continue
      const isPassing = time.untilNext <= pause || (faults.isStuck && time.untilNext < longestWait)
      if (isPassing) {
        time.toNext()
        idle = 0
      } else if (faults.spoilt?.byExpressSession) {
        // Not sure that nothing will come: the machine may have something else to do.
        if (idle > 100) await delay(1)
        if (idle > 120) {
          giveUp()
          idle = 0
        }
      }
      if (performance.now() > end || process.hrtime.bigint() > realEnd) {
        giveUp()
        await work.catch(() => undefined)
        throw new Error('It was never answered')
      }
    }
    return work.catch((error: unknown) => {
      if (lost) return undefined
      throw error
    })
  }

  let lost = false

  /** The browser, or whoever has it, does not wait for ever. */
  function giveUp() {
    lost = true
    for (const response of open) response.destroy()
  }

  async function settle(milliseconds: number) {
    await time.pass(milliseconds)
    while (faults.atWork > 0 || elsewhere.underWay > 0 || open.size > 0) await nextTurn()
    for (let turns = 0; turns < 12; turns += 1) await nextTurn()
  }

  /** Whoever is told when to come again waits so long. */
  async function waitAsTold(errors: readonly unknown[]) {
    for (const error of errors)
      if (error instanceof PkceFlowError) await time.pass((error.retryAfter ?? 0) * 1_000 + 10)
  }

  /** What was found, by all that it follows from. */
  const seen = new Map<string, State>()

  async function stateOf(browser: Browser): Promise<State> {
    const cookies = [...browser.cookies].map(([host, jar]) => [host, [...jar]])
    const working = server.issued.map(({ active, refreshable }) => [active, refreshable])
    const from = JSON.stringify([cookies, faults.rows, [...faults.userRows], working])
    const state = seen.get(from) ?? (await askWho(browser))
    if (state.status === undefined) seen.set(from, state)
    return state
  }

  async function askWho(browser: Browser, isAgain = false): Promise<State> {
    const errors = app.errors.length
    const page = (await drive(browser.copy().request(app.url('/who'))))!
    // A refresh that failed a moment ago is not tried at once again (P10), and nobody was told of it
    // who only had a token attached.
    if (page.status === 503 && !isAgain) {
      await waitAsTold(app.errors.slice(errors))
      return askWho(browser, true)
    }
    const { token, ...rest } = JSON.parse(page.body) as { token?: string | null }
    if (token === undefined) return { status: page.status, ...rest }
    const issued = server.issued.find(({ accessToken }) => accessToken === token)
    return { ...rest, token: token && (issued?.active ? issued.sub : 'dead') }
  }

  const look = async (scene: Scene): Promise<Told> => {
    faults.stop()
    const { from = 0, old = scene.browser, said = [] } = current ?? {}
    const pages = scene.browser.pages.slice(from)
    for (const { at, page } of said.toReversed()) pages.splice(at - from, 0, page)
    const last = pages.at(-1)
    return {
      answers: [
        ...pages.map(({ status, url }) => `${status} ${new URL(url).pathname}`),
        ...(lost ? ['lost'] : []),
      ],
      code: /"code":"(\w+)"/.exec(last?.body ?? '')?.[1],
      state: await stateOf(scene.browser),
      oldState: await stateOf(old),
    }
  }

  /** A bystander, signed in all the time. */
  const bob = createScene()
  if (isConnect) await drive(bob.browser.request(app.url('/own/bob')))
  else {
    server.authorizeAs('bob')
    await drive(bob.browser.open(app.url('/login')))
  }
  await settle(1_000)
  // A login that is over may go in passing, once its record has expired.
  const isOver = (key: string) => key.startsWith('pl.')
  const rows = Object.fromEntries(Object.entries(faults.rows).filter(([key]) => !isOver(key)))
  const bystander = { rows, userRows: new Map(faults.userRows) }

  return {
    time,
    faults,
    async begin() {
      faults.stop()
      time.clear()
      for (const key of Object.keys(faults.rows)) Reflect.deleteProperty(faults.rows, key)
      Object.assign(faults.rows, bystander.rows)
      faults.userRows.clear()
      for (const [key, value] of bystander.userRows) faults.userRows.set(key, value)
      faults.freeLeases()
      server.reset()
      secretsBefore = server.secrets.size
      app.errors.length = 0
      crashes.length = 0
      lost = false
      const scene = createScene()
      current = undefined
      seen.clear()
      if (flow.before) await drive(flow.before(scene))
      await settle(100)
      return scene
    },
    async perform(scene, what) {
      lost = false
      current = {
        scene,
        old: scene.browser.copy(),
        from: scene.browser.pages.length,
        said: [],
      }
      const errors = app.errors.length
      await drive(what(scene))
      faults.stop()
      await waitAsTold(app.errors.slice(errors))
      return look(scene)
    },
    look,
    settle,
    get exchanges() {
      return server.requests.filter(({ body }) => body.has('code_verifier')).length
    },
    get issued() {
      return server.issued.length
    },
    violations: (from = 0) =>
      violationsOf({
        ...{ crashes, bystander, faults },
        isPerUser: isConnect || flow.perUser === true,
        errors: app.errors,
        secrets: [...server.secrets].slice(secretsBefore),
        issued: server.issued.slice(from),
      }),
    async close() {
      elsewhere.release()
      for (const restore of listeners) restore()
      time.release()
      await app.close()
    },
  }
}
