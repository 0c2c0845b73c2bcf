import { expect } from 'chai'
import { attemptLogin, logIn } from './protocol/attempt.ts'
import { type AppSetUp, type RunningApp, startApp } from './support/app.ts'
import { type Browser, createBrowser, type Page } from './support/browser.ts'
import { clock } from './support/clock.ts'
import { type CostMeter, type Costs, createCostMeter } from './support/cost-meter.ts'
import { logoutRoutes } from './http/logout-app.ts'
import { startUserApp } from './http/user-app.ts'

/** What express-session does for every request that brings a session cookie. */
const session = { 'session get': 1, 'session touch': 1 }

describe('costs: what each step takes, exactly', () => {
  const running: RunningApp[] = []
  let meter: CostMeter

  beforeEach(() => {
    meter = createCostMeter()
  })

  afterEach(async () => {
    clock.release()
    meter.release()
    for (const app of running.splice(0)) await app.close()
  })

  async function start(setUp: AppSetUp = {}, startOne = startApp): Promise<RunningApp> {
    const app = await startOne({ store: meter.store(), ...setUp })
    running.push(app)
    return app
  }

  /** A browser that has logged in; what follows counts from here. */
  async function signedIn(app: RunningApp): Promise<Browser> {
    const browser = await logIn(app)
    meter.take(app.server)
    return browser
  }

  /** What one request takes, whatever it leads to. */
  async function costOf(app: RunningApp, browser: Browser, path: string): Promise<Costs> {
    return meter.take(app.server, await browser.request(app.url(path)))
  }

  /** Starts a login: gives its page and the URL of the answer, which has not been asked for yet. */
  async function startLogin(app: RunningApp, browser: Browser): Promise<[page: Page, url: string]> {
    const page = await browser.request(app.url('/login'))
    return [page, (await browser.request(page.headers.location!)).headers.location!]
  }

  describe('a visitor without a session', () => {
    it('any page: nothing', async () => {
      const app = await start()
      meter.take(app.server)
      expect(await costOf(app, createBrowser(), '/public')).to.deep.equal({})
    })

    it('any page, with records sealed and tokens kept per user: nothing', async () => {
      const flow = { encryptionKeys: [new Uint8Array(32)] }
      const app = await start({ flow }, startUserApp)
      meter.take(app.server)
      expect(await costOf(app, createBrowser(), '/public')).to.deep.equal({})
    })
  })

  describe('somebody who is signed in', () => {
    it('a page that the token is attached to: one read', async () => {
      const app = await start()
      const browser = await signedIn(app)
      expect(await costOf(app, browser, '/public')).to.deep.equal({ ...session, 'tokens get': 1 })
    })

    it('a page behind a guard: the same read', async () => {
      const app = await start()
      const browser = await signedIn(app)
      const costs = { ...session, 'tokens get': 1 }
      expect(await costOf(app, browser, '/token')).to.deep.equal(costs)
      expect(await costOf(app, browser, '/login-only')).to.deep.equal(costs)
    })

    it('a page that asks for status and claims beside: the same read', async () => {
      const app = await start()
      const browser = await signedIn(app)
      expect(await costOf(app, browser, '/')).to.deep.equal({ ...session, 'tokens get': 1 })
    })

    it('attach: false, a page without a token: no read', async () => {
      const app = await start({ flow: { attach: false } })
      const browser = await signedIn(app)
      expect(await costOf(app, browser, '/public')).to.deep.equal(session)
    })

    it('sealed: one opening', async () => {
      const app = await start({ flow: { encryptionKeys: [new Uint8Array(32)] } })
      const browser = await signedIn(app)
      const costs = { ...session, 'tokens get': 1, createDecipheriv: 1 }
      expect(await costOf(app, browser, '/public')).to.deep.equal(costs)
    })

    it('with a back-channel logout route: two reads of marks beside', async () => {
      const app = await start({ flow: { routes: logoutRoutes } })
      const browser = await signedIn(app)
      expect(await costOf(app, browser, '/public')).to.deep.equal({
        ...session,
        'tokens get': 1,
        'mark get': 2,
        createHash: 2,
      })
    })

    it('with a token store: the sign-in, and at the same time the user’s tokens', async () => {
      const app = await start({ flow: { tokenStore: meter.store() } }, startUserApp)
      const browser = await signedIn(app)
      expect(await costOf(app, browser, '/public')).to.deep.equal({
        ...session,
        'tokens get': 2,
        createHash: 1,
      })
    })
  })

  describe('a login', () => {
    it('its start: one write, one cookie, no session', async () => {
      const app = await start()
      await app.flow.ready()
      meter.take(app.server)
      const [page] = await startLogin(app, createBrowser())
      expect(meter.take(app.server, page)).to.deep.equal({
        'pending login set': 1,
        createHash: 3,
        randomBytes: 2,
        cookies: 1,
      })
    })

    it('its end: one token request', async () => {
      const app = await start()
      await logIn(app)
      const browser = createBrowser()
      const [, answer] = await startLogin(app, browser)
      meter.take(app.server)
      const page = await browser.request(answer)
      expect(meter.take(app.server, page)).to.deep.equal({
        // Once more when the lock is held: others may have been here while this request waited.
        'pending login get': 2,
        // Taken, and done.
        'pending login set': 2,
        'token request': 1,
        'signature check': 1,
        'tokens set': 1,
        // By us, before the redirect, and by express-session, which does not know of that.
        'session set': 2,
        createHash: 4,
        randomBytes: 2,
        // The session's, and the one that binds the login, for repetitions.
        cookies: 2,
      })
    })

    it('the first of a process: the keys are fetched, and imported, once', async () => {
      const app = await start()
      const { page } = await attemptLogin(app)
      const { 'discovery request': discovery, ...first } = meter.take(app.server, page)
      expect({ discovery, jwks: first['jwks request'], keys: first['key import'] }).to.deep.equal({
        ...{ discovery: 1, jwks: 1, keys: 1 },
      })
      await attemptLogin(app)
      expect(meter.take(app.server)).not.to.have.any.keys(
        ...['discovery request', 'jwks request', 'key import'],
      )
    })

    it('the same answer again: no token request', async () => {
      const app = await start()
      const browser = createBrowser()
      const [, answer] = await startLogin(app, browser)
      await browser.request(answer)
      meter.take(app.server)
      expect(await costOf(app, browser, answer.replace(app.origin, ''))).to.deep.equal({
        ...session,
        'pending login get': 2,
        createHash: 3,
      })
    })
  })

  it('a refresh: one token request, one write', async () => {
    const app = await start()
    const browser = await signedIn(app)
    // The tokens come for an hour, the keys for ten minutes.
    clock.advance(3_600_000 - 20_000)
    expect(await costOf(app, browser, '/token')).to.deep.equal({
      ...session,
      // For the request, under the lock, and before it is replaced.
      'tokens get': 3,
      'tokens set': 1,
      'token request': 1,
      'jwks request': 1,
      'key import': 1,
      'signature check': 1,
      randomBytes: 1,
    })
  })

  it('a logout: the sign-in and the session end, both tokens are revoked', async () => {
    const app = await start()
    const browser = await signedIn(app)
    const page = await browser.request(app.url('/logout'))
    await app.server.received('revocation', 2)
    expect(meter.take(app.server, page)).to.deep.equal({
      'session get': 1,
      'session destroy': 1,
      'tokens get': 1,
      'tokens set': 1,
      'revocation request': 2,
    })
  })
})
