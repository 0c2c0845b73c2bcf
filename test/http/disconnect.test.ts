import { expect } from 'chai'
import type { Express } from 'express'
import type { PkceFlow, Token } from '../../src/index.ts'
import { home, logIn } from '../protocol/attempt.ts'
import { startApp, type AppSetUp, type RunningApp } from '../support/app.ts'
import { type Browser, createBrowser } from '../support/browser.ts'
import { clock } from '../support/clock.ts'
import { createFaultyStore } from '../support/faulty-store.ts'
import { createGate } from '../support/gate.ts'
import { until } from '../support/until.ts'
import { sessionId } from '../support/rows.ts'
import { json, program } from './steps.ts'

const hour = 3_600_000

describe('disconnect(req), where tokens belong to the session', () => {
  let app: RunningApp
  let browser: Browser

  function routes(express: Express, flow: PkceFlow) {
    express.get('/', (req, res, next) => {
      Promise.all([flow.claims(req), flow.status(req)])
        .then(([claims, status]) => res.json({ sub: claims?.sub ?? null, status }))
        .catch(next)
    })
    express.get('/token', flow.requireToken({ unauthenticated: 'problem' }), (req, res) => {
      res.json({ token: (req as { token?: Token }).token!.accessToken })
    })
    express.get('/member', flow.requireLogin({ unauthenticated: 'problem' }), (_req, res) => {
      res.json({})
    })
    express.get('/disconnect', (req, res, next) => {
      const work = async () => {
        const done = await flow.disconnect(req)
        res.json({ ...done, token: (await flow.token(req)) ?? null })
      }
      work().catch(next)
    })
  }

  async function start(setUp: AppSetUp = {}) {
    app = await startApp({ routes, ...setUp })
    browser = await logIn(app)
  }

  const ask = async (path: string, from = browser) =>
    json(await from.request(app.url(path), { headers: program }))

  afterEach(async () => {
    clock.release()
    await app.close()
  })

  /** The tokens are gone, the person is still signed in. */
  async function expectDisconnected() {
    expect(await ask('/token')).to.include({ code: 'reauthorization_required', status: 401 })
    expect(await ask('/member')).to.deep.equal({})
    const { sub, status } = await home(app, browser)
    expect(sub).to.equal('alice')
    expect(status).to.include({ signedIn: true, connected: false })
    expect(status.scope).to.deep.equal([])
  }

  it('revokes and forgets; session and sign-in stay; again does nothing', async () => {
    await start()
    const id = sessionId(browser)
    const other = await logIn(app)
    expect(await ask('/disconnect')).to.deep.equal({ revoked: true, token: null })
    expect(app.server.issued.map(({ active, refreshable }) => active && refreshable)).to.deep.equal(
      [false, true],
    )
    await expectDisconnected()
    expect(sessionId(browser)).to.equal(id)
    expect(await ask('/disconnect')).to.deep.equal({ revoked: false, token: null })
    expect(app.server.count('revocation')).to.equal(2)
    expect(await ask('/token', other)).to.deep.equal({ token: app.server.issued[1]!.accessToken })
    await browser.open(app.url('/login'))
    expect(await ask('/token')).to.deep.equal({ token: app.server.issued[2]!.accessToken })
  })

  it('of nobody: nothing to do', async () => {
    await start()
    const stranger = createBrowser()
    expect(await ask('/disconnect', stranger)).to.deep.equal({ revoked: false, token: null })
    expect(stranger.cookieNames()).to.deep.equal([])
    expect(app.server.count('revocation')).to.equal(0)
  })

  it('says false of a server without a revocation endpoint: forgotten all the same', async () => {
    await start({ serverOptions: { metadata: { revocation_endpoint: undefined } } })
    expect(await ask('/disconnect')).to.deep.equal({ revoked: false, token: null })
    await expectDisconnected()
  })

  const faults = [
    ['that is down', { reset: 'before-response' }],
    ['that fails', { answer: { status: 503 } }],
    ['that does not answer', { hang: true }],
    ['that redirects', { answer: { status: 307, headers: { location: '/other' } } }],
  ] as const
  for (const [what, fault] of faults)
    it(`says false of a server ${what}: forgotten all the same`, async () => {
      await start({ flow: { timeout: 1_000 } })
      app.server.misbehave('revocation', fault)
      expect(await ask('/disconnect')).to.deep.equal({ revoked: false, token: null })
      expect(app.server.count('other')).to.equal(0)
      await expectDisconnected()
    })

  it('a refresh under way cannot bring them back', async () => {
    clock.stop()
    await start()
    const gate = createGate()
    app.server.misbehave('token', { delay: gate.pass() })
    clock.advance(hour)
    const late = browser.copy()
    const asked = ask('/token', late)
    await app.server.received('token', 2)
    const done = ask('/disconnect')
    gate.open()
    await Promise.all([asked, done])
    await until(() => app.server.issued.every(({ active, refreshable }) => !active && !refreshable))
    app.server.behave()
    clock.advance(hour)
    await expectDisconnected()
    expect(await ask('/token', late)).to.include({ code: 'reauthorization_required' })
    expect(app.server.count('token')).to.equal(2)
  })

  it('a store that fails: 503, and nothing was ended', async () => {
    const store = createFaultyStore()
    await start({ store })
    const mend = store.fail(({ operation, key }) => operation === 'set' && key.startsWith('tr.'))
    expect(await ask('/disconnect')).to.include({ code: 'store_unavailable' })
    mend()
    expect(await ask('/token')).to.deep.equal({ token: app.server.issued[0]!.accessToken })
    expect(app.server.count('revocation')).to.equal(0)
  })
})
