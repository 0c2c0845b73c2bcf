import { expect } from 'chai'
import type { Lock, PkceFlowError } from '../../src/index.ts'
import { home, logIn } from '../protocol/attempt.ts'
import { json, program } from '../http/steps.ts'
import { type AppSetUp, type RunningApp, startApp } from '../support/app.ts'
import { type Browser } from '../support/browser.ts'
import { clock } from '../support/clock.ts'
import { createGate } from '../support/gate.ts'
import { changeRow, rows, sessionId } from '../support/rows.ts'

const second = 1_000
const minute = 60 * second
const hour = 60 * minute
const blocked = { answer: { status: 403, body: '<h1>Forbidden</h1>' } } as const

describe('P10: a refresh that fails for now ends nothing', () => {
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

  const failures: [what: string, code: string, spoil: () => unknown][] = [
    [
      'a network that fails',
      'server_unavailable',
      () => app.server.misbehave('token', { reset: 'before-response' }),
    ],
    ['a server that is down', 'server_unavailable', () => app.server.stop()],
    ['429', 'server_unavailable', () => app.server.misbehave('token', { answer: { status: 429 } })],
    ['500', 'server_unavailable', () => app.server.misbehave('token', { answer: { status: 500 } })],
    [
      '503 of a proxy',
      'server_unavailable',
      () => app.server.misbehave('token', { answer: { status: 503, body: '<h1>Busy</h1>' } }),
    ],
    [
      'no answer in time',
      'server_unavailable',
      () => app.server.misbehave('token', { hang: true }),
    ],
    ['a firewall’s page, 403', 'server_unavailable', () => app.server.misbehave('token', blocked)],
    [
      'a wrong client secret',
      'server_unavailable',
      () =>
        app.server.misbehave('token', {
          answer: { status: 401, json: { error: 'invalid_client' } },
        }),
    ],
    [
      'a page of a captive portal, 200',
      'server_unavailable',
      () => app.server.misbehave('token', { answer: { body: '<h1>Welcome</h1>' } }),
    ],
  ]
  for (const [what, code, spoil] of failures)
    it(`P10: ${what}: a valid token is used, else 503 with Retry-After, and later all is well`, async () => {
      await start({ flow: { timeout: second } })
      const id = sessionId(browser)
      const before = (await rows(app.store)).tokens
      const first = await tokenAt('/token')
      await spoil()
      clock.advance(hour - 10 * second)
      for (const path of ['/token', '/public']) expect(await tokenAt(path)).to.equal(first)
      clock.advance(10 * second)
      const error = await expectNoTokenForNow()
      expect(error.code).to.equal(code)
      expect(app.server.issued.at(-1)).to.include({ active: true, refreshable: true })
      expect((await rows(app.store)).tokens).to.deep.equal(before)

      app.server.behave()
      await app.server.start()
      clock.advance(error.retryAfter! * second)
      expect(await tokenAt('/token')).to.equal(app.server.issued[1]!.accessToken)
      expect(sessionId(browser)).to.equal(id)
      expect(JSON.stringify((await rows(app.store)).tokens)).to.include(
        app.server.issued[1]!.refreshToken,
      )
    })

  it('P10: metadata that cannot be had, in a process that just started', async () => {
    await start()
    const { server, store } = app
    const fresh = await startApp({ server, store, flow: { redirectUri: app.url('/callback') } })
    others.push(fresh)
    server.misbehave('discovery', { answer: { status: 500 } })
    clock.advance(hour - 10 * second)
    expect(await tokenAt('/token', fresh)).to.equal(server.issued[0]!.accessToken)
    clock.advance(10 * second)
    const error = await expectNoTokenForNow(fresh)
    server.behave()
    clock.advance(30 * second)
    expect(error.retryAfter).to.be.at.most(30)
    expect(await tokenAt('/token', fresh)).to.equal(server.issued[1]!.accessToken)
    expect(refreshes()).to.equal(1)
  })

  it('P10: a lock that is down', async () => {
    let isDown = false
    const lock: Lock = {
      acquire: () =>
        isDown
          ? Promise.reject(new Error('The lock is down'))
          : Promise.resolve({
              extend: () => Promise.resolve(true),
              release: () => Promise.resolve(),
            }),
    }
    await start({ flow: { lock } })
    isDown = true
    clock.advance(hour - 10 * second)
    expect(await tokenAt('/token')).to.equal(app.server.issued[0]!.accessToken)
    clock.advance(10 * second)
    expect(await expectNoTokenForNow()).to.include({ code: 'lock_unavailable' })
    expect(refreshes()).to.equal(0)
    isDown = false
    clock.advance(2 * second)
    expect(await tokenAt('/token')).to.equal(app.server.issued[1]!.accessToken)
  })

  describe('invalid_grant ends the tokens, not the session', () => {
    const ended = { answer: { status: 400, json: { error: 'invalid_grant' } } } as const

    it('P10: requireLogin and claims go on, requireToken is 401, after one token request', async () => {
      await start()
      const id = sessionId(browser)
      app.server.misbehave('token', ended)
      clock.advance(hour)
      const answers = await Promise.all(Array.from({ length: 10 }, () => visit('/token')))
      answers.push(await visit('/token'))
      for (const answer of answers) {
        expect(answer.status).to.equal(401)
        expect(json(answer)).to.include({ code: 'reauthorization_required', loginUrl: '/login' })
      }
      expect((await visit('/login-only')).status).to.equal(200)
      expect(await tokenAt('/public')).to.equal(null)
      expect(await home(app, browser)).to.deep.include({ sub: 'alice' })
      expect((await home(app, browser)).status).to.include({ signedIn: true, connected: false })
      expect(refreshes()).to.equal(1)
      expect(sessionId(browser)).to.equal(id)
      app.server.behave()
      await browser.open(app.url('/login'))
      expect(await tokenAt('/token')).to.equal(app.server.issued[1]!.accessToken)
    })

    it('P10: unless a newer token was stored meanwhile: that one is used', async () => {
      await start()
      const gate = createGate()
      app.server.misbehave('token', { delay: gate.pass() })
      app.server.misbehave('token', ended)
      clock.advance(hour)
      const asked = tokenAt('/token')
      await app.server.received('token', 2)
      const [row] = (await rows(app.store)).tokens
      await changeRow(app.store, row!, ({ record }) => {
        const { tokens } = record as { tokens: Record<string, unknown> }
        const newer = { accessToken: 'newer', issuedAt: Date.now(), expiresAt: Date.now() + hour }
        Object.assign(tokens, newer)
        Object.assign(record as object, { revision: 'another' })
      })
      gate.open()
      expect(await asked).to.equal('newer')
      expect(await tokenAt('/token')).to.equal('newer')
    })
  })
})
