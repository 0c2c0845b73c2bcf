import { expect } from 'chai'
import type { Token } from '../../src/index.ts'
import { home, logIn } from '../protocol/attempt.ts'
import { startApp, type AppSetUp, type RunningApp } from '../support/app.ts'
import { type Browser, createBrowser } from '../support/browser.ts'
import { clock } from '../support/clock.ts'
import { json, program, startsLogin } from './steps.ts'

const hour = 3_600_000

describe('refreshing the token', () => {
  const running: RunningApp[] = []

  async function start(setUp: AppSetUp = {}): Promise<RunningApp> {
    const app = await startApp(setUp)
    running.push(app)
    return app
  }

  beforeEach(() => {
    clock.stop()
  })

  afterEach(async () => {
    clock.release()
    for (const app of running.splice(0)) await app.close()
  })

  /** A browser that is signed in; token requests count from here. */
  async function signIn(app: RunningApp): Promise<Browser> {
    const browser = await logIn(app)
    app.server.reset()
    return browser
  }

  const tokenAt = async (app: RunningApp, browser: Browser, path = '/public') =>
    json(await browser.request(app.url(path), { headers: program })).token

  describe('is due', () => {
    const cases: [what: string, life: number, leeway: number | undefined, at: number][] = [
      ['30 s before it expires', hour, undefined, hour - 30_000],
      ['refreshLeeway before it expires', hour, 600_000, hour - 600_000],
      ['when it has expired, with refreshLeeway 0', hour, 0, hour],
      ['in half the life of one that lives shorter than refreshLeeway', 20_000, undefined, 10_000],
      ['in half the life of one that lives hardly longer', 40_000, undefined, 20_000],
    ]
    for (const [what, accessTokenLifetime, refreshLeeway, at] of cases)
      it(`${what}, and not before`, async () => {
        const flow = { refreshLeeway }
        const app = await start({ flow, serverOptions: { accessTokenLifetime } })
        const browser = await signIn(app)
        const first = await tokenAt(app, browser)
        clock.advance(at - 1)
        expect(await tokenAt(app, browser)).to.equal(first)
        expect(app.server.count('token')).to.equal(0)
        clock.advance(1)
        expect(await tokenAt(app, browser)).to.equal(app.server.issued[0]!.accessToken)
        expect(app.server.count('token')).to.equal(1)
        expect(await tokenAt(app, browser)).to.equal(app.server.issued[0]!.accessToken)
        expect(app.server.count('token')).to.equal(1)
      })

    it('not any more when the refresh token ends, to the millisecond', async () => {
      const app = await start({ serverOptions: { accessTokenLifetime: hour } })
      const browsers: Browser[] = []
      for (let times = 0; times < 2; times += 1) {
        app.server.misbehave('token', {
          tokenResponse: (usual) => ({ ...usual, refresh_expires_in: 2 * 3_600 }),
        })
        browsers.push(await signIn(app))
      }
      const [early, late] = browsers as [Browser, Browser]
      clock.advance(2 * hour - 1)
      expect(await tokenAt(app, early)).to.be.a('string')
      expect(app.server.count('token')).to.equal(1)
      clock.advance(1)
      expect(await tokenAt(app, late)).to.equal(null)
      expect(app.server.count('token')).to.equal(1)
    })

    it('never, if nobody knows when it expires', async () => {
      const app = await start()
      app.server.misbehave('token', { tokenResponse: (usual) => ({ ...usual, expires_in: null }) })
      const browser = await signIn(app)
      const first = await tokenAt(app, browser)
      for (let times = 0; times < 4; times += 1) {
        clock.advance(20 * hour)
        expect(await tokenAt(app, browser, '/token')).to.equal(first)
      }
      expect(app.server.count('token')).to.equal(0)
    })

    it('never, if the refresh token has ended, too', async () => {
      const app = await start()
      app.server.misbehave('token', {
        tokenResponse: (usual) => ({ ...usual, refresh_expires_in: 1_800 }),
      })
      const browser = await signIn(app)
      clock.advance(hour)
      const page = await browser.request(app.url('/token'), { headers: program })
      expect(page.status).to.equal(401)
      expect(json(page)).to.include({ code: 'reauthorization_required' })
      expect(app.server.count('token')).to.equal(0)
      expect((await home(app, browser)).status).to.include({ signedIn: true, connected: false })
    })
  })

  describe('tokens that have expired when they come', () => {
    const stillborn = (usual: Record<string, unknown>) => ({ ...usual, expires_in: 0 })

    it('at the login only: they are refreshed at once', async () => {
      const app = await start()
      app.server.misbehave('token', { tokenResponse: stillborn })
      const browser = createBrowser()
      await browser.openUntil(app.url('/public'), app.url('/login?returnTo=/public'))
      app.server.reset()
      expect(await tokenAt(app, browser, '/token')).to.equal(app.server.issued[0]!.accessToken)
      expect(app.server.count('token')).to.equal(1)
    })

    it('and cannot be refreshed: a person is told, and not sent to fetch another such token', async () => {
      const app = await start()
      app.server.misbehave('token', {
        tokenResponse: (usual) => ({ ...stillborn(usual), refresh_token: undefined }),
      })
      const browser = createBrowser()
      const headers = { accept: 'text/html' }
      const page = await browser.open(app.url('/token'), { headers })
      expect(page.status).to.equal(401)
      expect(app.errors.at(-1)).to.include({ code: 'reauthorization_required' })
      expect(app.server.count('authorization')).to.equal(1)
    })

    it('D-46: always: 503, the tokens are kept, and there is no storm of refreshes', async () => {
      const app = await start()
      const browser = await signIn(app)
      const stop = app.server.misbehave('token', { tokenResponse: stillborn })
      clock.advance(hour)
      for (let times = 0; times < 10; times += 1) {
        const page = await browser.request(app.url('/token'))
        expect(page.status).to.equal(503)
        expect(startsLogin(app, page)).to.equal(false)
        expect(await tokenAt(app, browser)).to.equal(null)
      }
      expect(app.errors.at(-1)).to.include({ code: 'server_unavailable', retryAfter: 1 })
      expect(app.server.count('token')).to.equal(1)
      stop()
      clock.advance(1_000)
      expect(await tokenAt(app, browser, '/token')).to.equal(app.server.issued[1]!.accessToken)
      expect(app.server.count('token')).to.equal(2)
    })
  })

  it('a scope that became narrower is what is told, and stays when the next one says nothing', async () => {
    const app = await start({ flow: { scope: 'openid email' } })
    const browser = await signIn(app)
    const scopeNow = async () => (await home(app, browser)).status.scope
    expect(await scopeNow()).to.deep.equal(['openid', 'email'])
    for (const [given, told] of [
      ['openid', ['openid']],
      [undefined, ['openid']],
      ['', []],
    ] as const) {
      const stop = app.server.misbehave('token', {
        tokenResponse: (usual) => ({ ...usual, scope: given }),
      })
      clock.advance(hour)
      expect(await tokenAt(app, browser)).to.be.a('string')
      expect(await scopeNow()).to.deep.equal(told)
      stop()
    }
    expect(app.server.count('token')).to.equal(3)
  })

  it('the claims are those of the login, whatever ID Token a refresh brings', async () => {
    const app = await start({
      routes: (routes, flow) => {
        routes.get('/', (req, res, next) => {
          Promise.all([flow.claims(req), flow.status(req)])
            .then(([claims, status]) => res.json({ iat: claims?.iat, sub: claims?.sub, status }))
            .catch(next)
        })
      },
    })
    const browser = await signIn(app)
    const before = json(await browser.request(app.url('/'))).iat as number
    clock.advance(hour)
    const after = json(await browser.request(app.url('/')))
    expect(after).to.include({ sub: 'alice', iat: before })
  })

  it('requestProperty is where the refreshed token is put', async () => {
    const app = await start({
      flow: { requestProperty: 'gitlab' },
      routes: (routes, flow) => {
        routes.get('/', (req, res, next) => {
          flow.status(req).then((status) => res.json({ status }), next)
        })
        routes.get(['/attached', '/guarded'], (req, res) => {
          const { gitlab } = req as { gitlab?: Token }
          res.json({ token: gitlab?.accessToken ?? null })
        })
      },
    })
    const browser = await signIn(app)
    for (const [index, path] of ['/attached', '/guarded'].entries()) {
      clock.advance(hour)
      expect(await tokenAt(app, browser, path)).to.equal(app.server.issued[index]!.accessToken)
    }
  })
})
