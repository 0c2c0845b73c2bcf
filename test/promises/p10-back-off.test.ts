import { expect } from 'chai'
import type { PkceFlowError } from '../../src/index.ts'
import { home, logIn } from '../protocol/attempt.ts'
import { json, program } from '../http/steps.ts'
import { type AppSetUp, type RunningApp, startApp } from '../support/app.ts'
import { type Browser } from '../support/browser.ts'
import { clock } from '../support/clock.ts'

const second = 1_000
const minute = 60 * second
const hour = 60 * minute
const blocked = { answer: { status: 403, body: '<h1>Forbidden</h1>' } } as const

describe('P10: a refresh that fails again and again', () => {
  let app: RunningApp
  let browser: Browser
  const others: RunningApp[] = []

  async function start(setUp: AppSetUp = {}) {
    clock.stop()
    app = await startApp(setUp)
    browser = await logIn(app)
  }

  afterEach(async () => {
    clock.release()
    for (const each of [...others.splice(0), app]) await each.close()
  })

  const visit = (path: string, of = app) => browser.request(of.url(path), { headers: program })
  const tokenAt = async (path: string, of = app) => json(await visit(path, of)).token
  const refreshes = () => app.server.count('token') - 1

  /** No token now; all that needs none goes on. */
  async function expectNoTokenForNow(of = app): Promise<PkceFlowError> {
    of.errors.length = 0
    expect((await visit('/token', of)).status).to.equal(503)
    const error = of.errors[0] as PkceFlowError
    expect(error.retryAfter).to.be.within(1, 3_600)
    expect(error.headers).to.deep.equal({ 'Retry-After': String(error.retryAfter) })
    expect(await tokenAt('/public', of)).to.equal(null)
    expect((await visit('/login-only', of)).status).to.equal(200)
    expect(await home(of, browser)).to.deep.include({ sub: 'alice' })
    expect((await home(of, browser)).status).to.include({ signedIn: true, connected: true })
    expect(of.errors).to.have.length(1)
    return error
  }

  describe('back-off', () => {
    /** Visits the app every half second; gives the seconds at which a token request was made. */
    async function requestsWithin(seconds: number, path: string): Promise<number[]> {
      const times: number[] = []
      for (let at = 0; at <= seconds; at += 0.5) {
        const before = refreshes()
        await Promise.all([visit(path), visit(path)])
        for (let made = before; made < refreshes(); made += 1) times.push(at)
        clock.advance(second / 2)
      }
      return times
    }

    for (const [what, wait, path] of [
      ['has expired', hour, '/token'],
      ['is still valid', hour - 29 * second, '/public'],
    ] as const)
      it(`P10: 1 s, doubling to 30 s, while the token ${what}`, async () => {
        await start({ flow: { refreshLeeway: 300 * second } })
        app.server.misbehave('token', { answer: { status: 500 } })
        clock.advance(wait)
        expect(await requestsWithin(95, path)).to.deep.equal([0, 1, 3, 7, 15, 31, 61, 91])
      })

    it('P10: begins anew after a success', async () => {
      await start()
      const stop = app.server.misbehave('token', { answer: { status: 500 } })
      clock.advance(hour)
      expect(await requestsWithin(7, '/token')).to.deep.equal([0, 1, 3, 7])
      stop()
      clock.advance(8 * second)
      expect(await tokenAt('/token')).to.be.a('string')
      app.server.misbehave('token', { answer: { status: 500 } })
      clock.advance(hour)
      expect(await requestsWithin(4, '/token')).to.deep.equal([0, 1, 3])
    })

    it('P10: Retry-After is honoured, and what is left of it is what requests hear', async () => {
      await start()
      app.server.misbehave('token', { answer: { status: 429, headers: { 'retry-after': '90' } } })
      clock.advance(hour)
      expect(await expectNoTokenForNow()).to.include({ retryAfter: 90 })
      clock.advance(60 * second)
      expect(await expectNoTokenForNow()).to.include({ retryAfter: 30 })
      clock.advance(29 * second)
      expect(await expectNoTokenForNow()).to.include({ retryAfter: 1 })
      expect(refreshes()).to.equal(1)
      clock.advance(second)
      await expectNoTokenForNow()
      expect(refreshes()).to.equal(2)
    })

    it('P10: is of this record only', async () => {
      await start()
      const other = browser
      browser = await logIn(app)
      app.server.misbehave('token', { answer: { status: 500 } }, { times: 1 })
      clock.advance(hour)
      await expectNoTokenForNow()
      browser = other
      expect(await tokenAt('/token')).to.be.a('string')
    })
  })

  describe('a page that nobody can read, 403', () => {
    const stillConnected = async () => (await home(app, browser)).status

    it('P10: three in a row over ten minutes end the tokens', async () => {
      await start()
      app.server.misbehave('token', blocked)
      clock.advance(hour)
      await expectNoTokenForNow()
      clock.advance(5 * minute)
      await expectNoTokenForNow()
      clock.advance(5 * minute)
      expect(json(await visit('/token'))).to.include({ code: 'reauthorization_required' })
      expect(refreshes()).to.equal(3)
      expect(await stillConnected()).to.include({ signedIn: true, connected: false })
    })

    it('P10: many within ten minutes do not', async () => {
      await start()
      app.server.misbehave('token', blocked)
      clock.advance(hour)
      for (let at = 0; at < 599; at += 31) {
        await expectNoTokenForNow()
        clock.advance(31 * second)
      }
      expect(refreshes()).to.be.above(10)
    })

    it('P10: two do not, however long ago the first was', async () => {
      await start()
      app.server.misbehave('token', blocked)
      clock.advance(hour)
      await expectNoTokenForNow()
      clock.advance(20 * minute)
      await expectNoTokenForNow()
      expect(refreshes()).to.equal(2)
    })

    it('P10: another failure in between begins the count anew', async () => {
      await start()
      app.server.misbehave('token', blocked, { times: 2 })
      app.server.misbehave('token', { answer: { status: 500 } }, { times: 1 })
      app.server.misbehave('token', blocked, { times: 2 })
      clock.advance(hour)
      for (let times = 0; times < 5; times += 1) {
        await expectNoTokenForNow()
        clock.advance(5 * minute)
      }
      expect(refreshes()).to.equal(5)
      expect(await tokenAt('/token')).to.be.a('string')
    })
  })
})
