import { expect } from 'chai'
import type { Express, RequestHandler } from 'express'
import { MemoryStore } from 'express-session'
import type { PkceFlow } from '../../src/index.ts'
import { type AppSetUp, type RunningApp, startApp } from '../support/app.ts'
import { type Browser, createBrowser, type Page } from '../support/browser.ts'
import { clock } from '../support/clock.ts'
import { createGate, type Gate } from '../support/gate.ts'

declare module 'express-session' {
  interface SessionData {
    user?: string
  }
}

/** Past the life of a token, within that of a session. */
const expired = 3_700_000

describe('P8: one expiry, one token request', () => {
  const apps: RunningApp[] = []
  let app: RunningApp
  let late: Gate

  function routes(express: Express, flow: PkceFlow) {
    const attached: RequestHandler = (req, res) => {
      const { token } = req as { token?: { accessToken: string } }
      res.json({ token: token?.accessToken ?? null })
    }
    express.get('/attached', attached)
    express.get('/guarded', flow.requireToken({ unauthenticated: 'problem' }), attached)
    express.get('/asked', async (req, res) => {
      res.json({ token: (await flow.token(req))?.accessToken ?? null })
    })
    express.get('/fetched', async (req, res) => {
      const answer = await flow.fetch(req, `${app.server.issuer}/userinfo`)
      const used = app.server.requests
        .filter(({ endpoint }) => endpoint === 'userinfo')
        .map(({ headers }) => headers.authorization?.replace('Bearer ', ''))
      const [token] = new Set(used)
      res.status(answer.status).json({ token: new Set(used).size === 1 ? token : used })
    })
    express.get('/late', async (req, res) => {
      await flow.status(req) // what there is was read by this request now
      await late.pass()
      res.json({ token: (await flow.token(req))?.accessToken ?? null })
    })
    express.get('/who', async (req, res) => {
      res.json({ sub: (await flow.claims(req))?.sub ?? null })
    })
  }

  async function start(setUp: AppSetUp = {}): Promise<RunningApp> {
    const started = await startApp({ routes, ...setUp })
    apps.push(started)
    await started.flow.ready()
    return started
  }

  beforeEach(() => {
    late = createGate()
  })

  afterEach(async () => {
    clock.release()
    for (const started of apps.splice(0).reverse()) await started.close()
  })

  async function logIn(at = app): Promise<Browser> {
    const browser = createBrowser()
    await browser.open(at.url('/login?returnTo=/who'))
    return browser
  }

  /** Everybody's token has expired, and the server forgets what it counted. */
  function expireTokens() {
    clock.advance(expired)
    app.server.reset()
    app.server.misbehave('token', { delay: 50 })
  }

  const times = (count: number, browser: Browser, path: string, at = app): Promise<Page[]> =>
    Promise.all(Array.from({ length: count }, () => browser.request(at.url(path))))

  const tokenIn = ({ body }: Page) => (JSON.parse(body) as { token: unknown }).token

  /** All were served, with the one token that was issued, and the sign-in is alive. */
  async function expectOneRefresh(browser: Browser, pages: readonly Page[]) {
    expect(app.server.count('token'), 'token requests').to.equal(1)
    expect(new Set(pages.map(({ status }) => status))).to.deep.equal(new Set([200]))
    const { accessToken } = app.server.issued[0]!
    expect(new Set(pages.map(tokenIn))).to.deep.equal(new Set([accessToken]))
    expect(app.server.issued[0]).to.include({ active: true, refreshable: true })
    const who = await browser.request(app.url('/who'))
    expect(JSON.parse(who.body)).to.deep.equal({ sub: 'alice' })
    expect(apps.flatMap(({ errors }) => errors)).to.deep.equal([])
  }

  const ways = [
    { how: 'requireToken', path: '/guarded', attach: false },
    { how: 'token(req)', path: '/asked', attach: false },
    { how: 'fetch', path: '/fetched', attach: false },
    { how: 'attaching alone', path: '/attached', attach: true },
    { how: 'attaching and requireToken', path: '/guarded', attach: true },
  ]
  for (const { how, path, attach } of ways)
    it(`P8: 200 parallel requests with an expired token, by ${how}`, async () => {
      app = await start({ flow: { attach } })
      const browser = await logIn()
      expireTokens()
      await expectOneRefresh(browser, await times(200, browser, path))
    })

  it('P8: 200 parallel requests that ask in all ways at once, three expiries in a row', async () => {
    app = await start()
    const browser = await logIn()
    for (let round = 0; round < 3; round += 1) {
      expireTokens()
      const pages = await Promise.all(
        ['/guarded', '/asked', '/fetched', '/attached'].map((path) => times(50, browser, path)),
      )
      await expectOneRefresh(browser, pages.flat())
    }
  })

  it('P8: 200 parallel requests with a token that expires soon', async () => {
    app = await start()
    const browser = await logIn()
    const old = app.server.issued[0]!.accessToken
    clock.advance(3_600_000 - 10_000)
    app.server.reset()
    app.server.misbehave('token', { delay: 50 })
    const pages = await times(200, browser, '/guarded')
    expect(app.server.count('token')).to.equal(1)
    for (const page of pages) expect(tokenIn(page)).to.be.oneOf([old, issued()])
    expect(tokenIn(await browser.request(app.url('/guarded')))).to.equal(issued())
    expect(app.server.count('token')).to.equal(1)
  })

  const issued = (index = 0) => app.server.issued[index]!.accessToken

  it('P8: requests that come late with the old token get the new one', async () => {
    app = await start({ flow: { attach: false } })
    const browser = await logIn()
    expireTokens()
    const slow = times(50, browser, '/late')
    await late.reached
    const early = await times(50, browser, '/guarded')
    late.open()
    await expectOneRefresh(browser, [...early, ...(await slow)])
  })

  it('P8: requests that come while the answer is under way get it, too', async () => {
    app = await start()
    const browser = await logIn()
    clock.advance(expired)
    app.server.reset()
    const gate = createGate()
    app.server.misbehave('token', { delay: gate.pass() })
    const first = times(10, browser, '/guarded')
    await app.server.received('token')
    const second = times(10, browser, '/attached')
    gate.open()
    await expectOneRefresh(browser, [...(await first), ...(await second)])
  })

  it('P8: the sessions of two browsers refresh on their own, and do not wait for each other', async () => {
    app = await start()
    const [one, other] = [await logIn(), await logIn()]
    const [ofOne] = app.server.issued
    clock.advance(expired)
    const gate = createGate()
    const isOfOne = ({ body }: { body: URLSearchParams }) =>
      body.get('refresh_token') === ofOne!.refreshToken
    app.server.misbehave('token', { delay: gate.pass() }, { when: isOfOne })
    const waiting = times(100, one, '/guarded')
    await app.server.received('token', 3)
    const quick = new Set((await times(100, other, '/guarded')).map(tokenIn))
    expect([...quick]).to.deep.equal([issued(2)])
    gate.open()
    expect([...new Set((await waiting).map(tokenIn))]).to.deep.equal([issued(3)])
    expect(app.server.count('token'), 'two logins, two refreshes').to.equal(4)
  })

  it('P8: all sessions of one user share the refresh of tokens that are kept per user', async () => {
    app = await start({
      flow: {
        tokenStore: new Map<string, unknown>(),
        userId: (req: { session: { user?: string } }) => req.session.user,
        onLogin: ({ req }: { req: { session: { user?: string } } }) => {
          req.session.user = 'adams'
        },
      },
    })
    const [laptop, phone] = [await logIn(), await logIn()]
    expireTokens()
    const background = app.flow.forUser('adams').token()
    const pages = await Promise.all([times(100, laptop, '/guarded'), times(100, phone, '/fetched')])
    await expectOneRefresh(laptop, pages.flat())
    expect(await background)
      .to.have.property('accessToken')
      .that.equals(issued())
  })

  it('P8: two apps of one process that share a store share the refresh', async () => {
    const store = new MemoryStore()
    app = await start({ store })
    const redirectUri = app.url('/callback')
    const second = await start({ store, server: app.server, flow: { redirectUri } })
    const browser = await logIn()
    expireTokens()
    const pages = await Promise.all([
      times(100, browser, '/guarded'),
      times(100, browser, '/guarded', second),
    ])
    await expectOneRefresh(browser, pages.flat())
  })

  it('P8: a refresh that fails is sent once for 200 requests; each is 503, and later all is well', async () => {
    app = await start()
    const browser = await logIn()
    clock.advance(expired)
    app.server.reset()
    app.server.misbehave('token', { answer: { status: 500 } })
    const pages = await times(200, browser, '/guarded')
    expect(app.server.count('token')).to.equal(1)
    expect([...new Set(pages.map(({ status }) => status))]).to.deep.equal([503])
    apps[0]!.errors.length = 0
    clock.advance(2_000)
    app.server.reset()
    await expectOneRefresh(browser, await times(200, browser, '/guarded'))
  })

  it('P8: a refresh token that has ended is sent once for 200 requests; each is 401, and the session stays', async () => {
    app = await start()
    const browser = await logIn()
    await app.server.restart({ forget: true })
    expireTokens()
    const pages = await times(200, browser, '/guarded')
    expect([...new Set(pages.map(({ status }) => status))]).to.deep.equal([401])
    expect(await times(1, browser, '/guarded')).to.have.nested.property('[0].status', 401)
    expect(app.server.count('token')).to.equal(1)
    expect(JSON.parse((await browser.request(app.url('/who'))).body)).to.include({ sub: 'alice' })
  })
})
