import { expect } from 'chai'
import type { Token } from '../../src/index.ts'
import { home, logIn } from '../protocol/attempt.ts'
import { startApp, type AppSetUp, type RunningApp } from '../support/app.ts'
import { type Browser, createBrowser } from '../support/browser.ts'
import { clock } from '../support/clock.ts'
import { createFaultyStore } from '../support/faulty-store.ts'
import { rows } from '../support/rows.ts'
import { json, program } from './steps.ts'

const hour = 3_600_000

describe('refreshing the token, request by request', () => {
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

  describe('happens only where a token is asked for', () => {
    async function startQuiet() {
      const app = await start({
        flow: { attach: false },
        routes: (routes, flow) => {
          routes.get('/', (req, res, next) => {
            Promise.all([flow.status(req), flow.claims(req)])
              .then(([status, claims]) => res.json({ status, sub: claims?.sub }))
              .catch(next)
          })
          routes.get('/token', (req, res, next) => {
            flow
              .token(req)
              .then((token) => res.json({ token: token?.accessToken ?? null }))
              .catch(next)
          })
          routes.get('/member', flow.requireLogin(), (_req, res) => {
            res.json({})
          })
        },
      })
      return { app, browser: await signIn(app) }
    }

    it('attach: false: not for a page that does not ask, status, claims and requireLogin included', async () => {
      const { app, browser } = await startQuiet()
      clock.advance(hour)
      expect((await browser.request(app.url('/member'))).status).to.equal(200)
      expect(await home(app, browser)).to.deep.include({ sub: 'alice' })
      expect((await home(app, browser)).status).to.include({ signedIn: true, connected: true })
      expect(app.server.count('token')).to.equal(0)
      expect(await tokenAt(app, browser, '/token')).to.equal(app.server.issued[0]!.accessToken)
      expect(app.server.count('token')).to.equal(1)
    })

    it('not for a request of nobody, or with a cookie of nobody', async () => {
      const app = await start()
      await signIn(app)
      clock.advance(hour)
      const stranger = createBrowser()
      stranger.cookies.set('127.0.0.1', new Map([['connect.sid', 's%3Anobody.nothing']]))
      for (const browser of [createBrowser(), stranger])
        expect(await tokenAt(app, browser)).to.equal(null)
      expect(app.server.count('token')).to.equal(0)
    })

    it('not at login and logout: they work while the server is down', async () => {
      const app = await start()
      const browser = await signIn(app)
      clock.advance(hour)
      await app.server.stop()
      expect(await tokenAt(app, browser)).to.equal(null)
      expect(app.errors).to.be.empty
      expect((await browser.request(app.url('/logout'))).status).to.equal(302)
      expect((await home(app, browser)).status.signedIn).to.equal(false)
    })
  })

  it('parts of one request get the same new token, by one read more and one token request', async () => {
    const store = createFaultyStore()
    const seen: (string | undefined)[] = []
    const app = await start({
      store,
      routes: (routes, flow) => {
        routes.get('/', (req, res, next) => {
          flow.status(req).then((status) => res.json({ status }), next)
        })
        routes.get('/all', flow.requireToken(), (req, res, next) => {
          const work = async () => {
            const { userinfo_endpoint } = app.server.metadata
            const [token, answer, info] = await Promise.all([
              flow.token(req),
              flow.fetch(req, userinfo_endpoint),
              flow.userInfo(req),
            ])
            const { sub } = (await answer.json()) as { sub: string }
            seen.push((req as { token?: Token }).token?.accessToken, token?.accessToken)
            res.json([sub, info.sub])
          }
          work().catch(next)
        })
      },
    })
    const browser = await signIn(app)
    const reads = () =>
      store.calls.filter(({ operation, key }) => operation === 'get' && key.startsWith('tr.'))
    const before = reads().length
    expect(await browser.request(app.url('/all'))).to.include({ body: '["alice","alice"]' })
    expect(reads().length - before).to.equal(1)
    clock.advance(hour)
    seen.length = 0
    expect(await browser.request(app.url('/all'))).to.include({ body: '["alice","alice"]' })
    const { accessToken } = app.server.issued[0]!
    expect(seen).to.deep.equal([accessToken, accessToken])
    expect(app.server.count('token')).to.equal(1)
    const sent = app.server.requests.slice(-2).map(({ headers }) => headers.authorization)
    expect(sent).to.deep.equal([`Bearer ${accessToken}`, `Bearer ${accessToken}`])
  })

  it('a handler that outlives its token gets the next one', async () => {
    const app = await start({
      routes: (routes, flow) => {
        routes.get('/', (req, res, next) => {
          flow.status(req).then((status) => res.json({ status }), next)
        })
        routes.get('/long', (req, res, next) => {
          const work = async () => {
            const first = await flow.token(req)
            clock.advance(hour)
            const second = await flow.token(req)
            res.json({ changed: first?.accessToken !== second?.accessToken })
          }
          work().catch(next)
        })
      },
    })
    const browser = await signIn(app)
    for (let times = 1; times <= 2; times += 1) {
      expect(json(await browser.request(app.url('/long')))).to.deep.equal({ changed: true })
      expect(app.server.count('token')).to.equal(times)
    }
    const { tokens } = await rows(app.store)
    expect(JSON.stringify(tokens)).to.include(app.server.issued[1]!.refreshToken)
  })
})
