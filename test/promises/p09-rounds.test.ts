import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect } from 'chai'
import type { Express } from 'express'
import type { SessionOptions } from 'express-session'
import type { PkceFlow, Token } from '../../src/index.ts'
import { json, program } from '../http/steps.ts'
import { type RunningApp, startApp } from '../support/app.ts'
import { type Browser, createBrowser } from '../support/browser.ts'
import { clock } from '../support/clock.ts'
import { createGate, type Gate } from '../support/gate.ts'
import { rows } from '../support/rows.ts'
import { seed, shuffled } from '../support/shuffle.ts'

declare module 'express-session' {
  interface SessionData {
    written?: number
  }
}

const hour = 3_600_000
const roundsOfEach = 34

const writers: { title: string; session: Partial<SessionOptions>; writes: boolean }[] = [
  { title: 'resave: true', session: { resave: true }, writes: false },
  { title: 'rolling: true', session: { rolling: true, resave: true }, writes: false },
  { title: 'a change of the session', session: {}, writes: true },
]

describe(`P9: 102 rounds of each: slow requests that write their session (seed ${seed})`, () => {
  let app: RunningApp
  const gates = new Map<string, Gate>()

  function routes(express: Express, flow: PkceFlow) {
    express.get('/slow/:name', async (req, res) => {
      await gates.get(req.params.name)!.pass()
      if (req.query.writes === 'true') req.session.written = Number(req.query.round)
      res.json({})
    })
    express.get('/token', flow.requireToken({ unauthenticated: 'problem' }), (req, res) => {
      res.json({ token: (req as { token?: Token }).token!.accessToken })
    })
    express.get('/member', flow.requireLogin({ unauthenticated: 'problem' }), (_req, res) => {
      res.json({})
    })
    express.get('/disconnect', (req, res, next) => {
      flow.disconnect(req).then((done) => res.json(done), next)
    })
    express.get('/', (_req, res) => {
      res.json({})
    })
  }

  beforeEach(() => {
    clock.stop()
  })

  afterEach(async () => {
    await app.close()
    clock.release()
  })

  const ask = async (browser: Browser, path: string) =>
    json(await browser.request(app.url(path), { headers: program }))

  /** Requests that have their session already and answer, writing it, when their gate is opened. */
  async function beginSlow(browser: Browser, round: number, writes: boolean) {
    const names = ['a', 'b', 'c']
    const slow = names.map((name) => {
      gates.set(name, createGate())
      const copy = browser.copy()
      const answer = copy.request(app.url(`/slow/${name}?round=${round}&writes=${writes}`))
      return { gate: gates.get(name)!, copy, answer }
    })
    await Promise.all(slow.map(({ gate }) => gate.reached))
    return slow
  }

  const refresh = (browser: Browser) => ask(browser.copy(), '/token')
  const logIn = (browser: Browser) => browser.open(app.url('/login'))

  /** What happens meanwhile: what makes a token request, which is held, and what follows on it. */
  const events: Record<string, ((browser: Browser) => Promise<unknown>)[]> = {
    'a refresh': [refresh],
    'a login': [logIn],
    'a refresh and a login': [refresh, logIn],
    'a refresh and a logout': [refresh, (browser) => browser.open(app.url('/logout'))],
    'a refresh and a disconnect': [refresh, (browser) => ask(browser, '/disconnect')],
  }

  async function expectKept(browser: Browser, event: string) {
    const { issued } = app.server
    const { token } = await ask(browser, '/token')
    const current = issued.find(({ accessToken }) => accessToken === token)
    expect(current, 'the token is there').to.include({ active: true, refreshable: true })
    expect(JSON.stringify((await rows(app.store)).tokens)).to.include(current!.refreshToken)
    if (event === 'a refresh') expect(current).to.equal(issued[1])
    clock.advance(hour)
    expect((await ask(browser, '/token')).token, 'it refreshes').to.equal(
      issued.at(-1)!.accessToken,
    )
  }

  async function expectEnded(visitors: Browser[], event: string) {
    const { tokens } = await rows(app.store)
    expect(JSON.stringify(tokens), 'no token is stored').not.to.match(/accessToken|refreshToken/)
    const requests = app.server.count('token')
    for (const advance of [0, hour]) {
      clock.advance(advance)
      for (const visitor of visitors) {
        expect(await ask(visitor, '/token')).to.have.property('code')
        if (event.endsWith('logout'))
          expect(await ask(visitor, '/member')).to.include({ code: 'login_required' })
        else expect(await ask(visitor, '/member')).to.deep.equal({})
      }
    }
    expect(app.server.count('token'), 'no refresh').to.equal(requests)
  }

  async function play(round: number, event: string, writes: boolean) {
    app.server.reset()
    const browser = createBrowser()
    await browser.open(app.url('/login'))
    const slow = await beginSlow(browser, round, writes)
    clock.advance(hour)
    const held = createGate()
    const sent = app.server.count('token')
    app.server.misbehave('token', { delay: held.pass() })
    const [first, second] = events[event]!
    const happening = [first!(browser)]
    await app.server.received('token', sent + 1)
    if (second !== undefined) happening.push(second(browser))
    for (const gate of shuffled([held, ...slow.map((each) => each.gate)], round)) {
      gate.open()
      for (let turns = round % 7; turns > 0; turns -= 1) await nextTurn()
    }
    await Promise.all([...happening, ...slow.map(({ answer }) => answer)])
    const visitors = [browser, ...slow.map(({ copy }) => copy)]
    if (/logout|disconnect/.test(event)) await expectEnded(visitors, event)
    else await expectKept(browser, event)
  }

  for (const event of Object.keys(events))
    for (const { title, session, writes } of writers)
      it(`P9: ${title}, over ${event}: no token is lost, none comes back`, async function () {
        this.slow(10_000)
        app = await startApp({ session, routes })
        for (let round = 0; round < roundsOfEach; round += 1) {
          try {
            await play(round, event, writes)
          } catch (error) {
            throw new Error(`Round ${round}, SEED=${seed}`, { cause: error })
          }
          app.store.clear()
        }
      })
})
