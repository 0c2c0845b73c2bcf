import { expect } from 'chai'
import { pkceFlow } from '../../src/index.ts'
import { createTestAuthorizationServer } from '../../src/testing/index.ts'
import { logIn } from '../protocol/attempt.ts'
import { type AppSetUp, type RunningApp, startApp } from '../support/app.ts'
import { type Browser, createBrowser } from '../support/browser.ts'
import { clock } from '../support/clock.ts'
import { createFaultyStore } from '../support/faulty-store.ts'
import { rows } from '../support/rows.ts'
import { until } from '../support/until.ts'
import { endAtServer, logoutRoutes, signedIn, startLogoutApp, who } from './logout-app.ts'
import { json } from './steps.ts'

describe('RP-initiated logout (OpenID Connect RP-Initiated Logout 1.0)', () => {
  const running: { close(): Promise<void> }[] = []

  async function start(setUp: AppSetUp = {}) {
    const app = await startApp({ postLogout: true, ...setUp })
    running.push(app)
    return { app, browser: await logIn(app) }
  }

  afterEach(async () => {
    clock.release()
    for (const each of running.splice(0)) await each.close()
  })

  const logoutUrl = async (app: RunningApp, browser: Browser, path = '/logout') =>
    new URL((await browser.request(app.url(path))).headers.location ?? '/', app.origin)

  it('section 2: the hint is the ID Token of the login; client_id, where to come back, state', async () => {
    const { app, browser } = await start()
    const { origin, pathname, searchParams } = await logoutUrl(app, browser)
    expect(origin + pathname).to.equal(app.server.metadata.end_session_endpoint)
    const { state, ...others } = Object.fromEntries(searchParams)
    expect(state).to.match(/^[\w-]{22}$/)
    expect(others).to.deep.equal({
      id_token_hint: app.server.issued[0]!.idToken,
      client_id: 'test-client',
      post_logout_redirect_uri: app.url('/logged-out'),
    })
  })

  it('section 2: after a refresh the hint is still the ID Token of the login', async () => {
    const app = await startLogoutApp()
    running.push(app)
    const browser = await logIn(app)
    clock.advance(3_600_000)
    expect((await browser.request(app.url('/token'))).status).to.equal(200)
    const { searchParams } = await logoutUrl(app, browser)
    const [first, second] = app.server.issued
    expect(second!.idToken).to.be.a('string').and.not.equal(first!.idToken)
    expect(searchParams.get('id_token_hint')).to.equal(first!.idToken)
  })

  it('P17: a session that cannot be destroyed: 503, and its tokens are revoked all the same', async () => {
    const store = createFaultyStore()
    const { app, browser } = await start({ store })
    store.fail(({ operation, key }) => operation === 'destroy' && !key.includes('.'))
    expect((await browser.request(app.url('/logout'))).status).to.equal(503)
    await until(() => !app.server.issued[0]!.active && !app.server.issued[0]!.refreshable)
  })

  it('the session here has ended, and its tokens are revoked, before the browser is sent there', async () => {
    const { app, browser } = await start()
    const thief = browser.copy()
    await logoutUrl(app, browser)
    expect(app.server.count('end_session')).to.equal(0)
    expect((await rows(app.store)).sessions).to.deep.equal([])
    expect(app.server.issued[0]).to.include({ active: false, refreshable: false })
    expect(json(await thief.request(app.url('/')))).to.include({ sub: null })
  })

  it('comes back to afterLogout, whatever returnTo says, and the next login is a new one there', async () => {
    const { app, browser } = await start({ flow: { afterLogout: '/public?bye' } })
    const page = await browser.open(app.url('/logout?returnTo=/token'))
    expect(page).to.include({ status: 200, url: app.url('/public?bye') })
    await signedIn(app, browser)
    const [first, second] = app.server.issued.map(({ idToken }) => idToken!.split('.')[1]!)
    const sidOf = (payload: string) =>
      (JSON.parse(Buffer.from(payload, 'base64url').toString()) as { sid: string }).sid
    expect(sidOf(first!)).not.to.equal(sidOf(second!))
  })

  it('without postLogoutRedirectUri the server’s session ends all the same, and the person stays there', async () => {
    const { app, browser } = await start({ postLogout: false })
    const { searchParams } = await logoutUrl(app, browser)
    expect([...searchParams.keys()]).to.have.members(['client_id', 'id_token_hint'])
    const url = (await browser.open(app.url('/login'))).url
    expect(url).to.equal(app.url('/'))
    const page = await browser.open(app.url('/logout'))
    expect(page.url).to.match(/\/logout\?client_id=/)
    expect(page).to.include({ status: 200 })
  })

  it('an end session endpoint with a query of its own keeps it', async () => {
    const issuer = 'https://server.example/end?tenant=1'
    const { app, browser } = await start({
      serverOptions: { metadata: { end_session_endpoint: issuer } },
    })
    expect((await logoutUrl(app, browser)).href).to.match(
      /^https:\/\/server\.example\/end\?tenant=1&client_id=test-client&/,
    )
  })

  for (const endpoint of ['http://server.example/end', 'javascript:alert(1)', '/end', '', 5, null])
    it(`an end session endpoint that is ${JSON.stringify(endpoint)} is none`, async () => {
      const { app, browser } = await start({
        serverOptions: { metadata: { end_session_endpoint: endpoint } },
      })
      expect((await logoutUrl(app, browser)).href).to.equal(app.url('/'))
    })

  it('a hint that would make the URL longer than 8,000 characters is left out', async () => {
    for (const [size, isThere] of [
      [1_000, true],
      [8_000, false],
    ] as const) {
      const users = [{ sub: 'alice', padding: 'x'.repeat(size) }]
      const { app, browser } = await start({ serverOptions: { users } })
      const url = await logoutUrl(app, browser)
      expect(url.href.length).to.be.lessThan(8_001)
      expect(url.searchParams.has('id_token_hint')).to.equal(isThere)
      expect(url.searchParams.get('client_id')).to.equal('test-client')
    }
  })

  it('who is not signed in is sent to afterLogout', async () => {
    const { app } = await start()
    expect((await logoutUrl(app, createBrowser())).href).to.equal(app.url('/'))
  })

  it('logout({ atServer: false }) stays here', async () => {
    const { app, browser } = await start({
      routes(express, flow) {
        express.get('/out', flow.logout({ atServer: false, returnTo: '/?left' }))
        express.get('/', (req, res, next) => {
          flow.status(req).then((status) => res.json({ status }), next)
        })
      },
    })
    const page = await browser.open(app.url('/out'))
    expect(page.url).to.equal(app.url('/?left'))
    expect(app.server.count('end_session')).to.equal(0)
    expect(app.server.issued[0]).to.include({ active: false, refreshable: false })
  })

  it('the metadata cannot be had: logged out here', async () => {
    const { app, browser } = await start({ postLogout: false })
    // Another process, which has not discovered the server yet.
    const flow = { redirectUri: app.url('/callback') }
    const other = await startApp({ server: app.server, store: app.store, flow })
    running.push(other)
    await app.server.stop()
    expect((await logoutUrl(other, browser)).href).to.equal(other.url('/'))
    expect(json(await browser.request(app.url('/'))).sub).to.equal(null)
  })

  describe('sign-ins through other flows that the session refers to', () => {
    async function twoFlows() {
      const second = await createTestAuthorizationServer()
      running.push(second)
      const { app, browser } = await start({
        flow: { name: 'first', routes: logoutRoutes },
        routes(express) {
          const other = pkceFlow({
            ...{ name: 'second', requestProperty: 'second', issuer: second.issuer },
            ...{ clientId: 'test-client', clientSecret: 'test-client-secret' },
            redirectUri: 'http://127.0.0.1/second/callback',
          })
          express.use(other)
          express.get('/second', (req, res, next) => {
            other.claims(req).then((claims) => res.json({ sub: claims?.sub ?? null }), next)
          })
          express.get('/', (_req, res) => res.json({ status: { signedIn: true } }))
        },
      })
      const start_ = app.url('/second/login?pkce-flow-moved=1')
      const answer = await browser.openUntil('http://127.0.0.1/second', start_)
      await browser.request(answer.replace('http://127.0.0.1', app.origin))
      expect(json(await browser.request(app.url('/second')))).to.deep.equal({ sub: 'alice' })
      return { app, browser, second }
    }

    it('end with it, their tokens are revoked', async () => {
      const { app, browser, second } = await twoFlows()
      const url = await logoutUrl(app, browser)
      expect(url.href).to.include(app.server.metadata.end_session_endpoint)
      expect(second.issued[0]).to.include({ active: false, refreshable: false })
      expect(second.count('end_session')).to.equal(0)
      const { tokens } = await rows(app.store)
      expect(tokens).to.have.length(2)
      expect(JSON.stringify(tokens)).not.to.include('accessToken')
    })

    it('one that cannot be ended: 503, and nothing is destroyed', async () => {
      const { app, browser } = await twoFlows()
      const store = app.store
      const set = store.set.bind(store)
      let writes = 0
      store.set = (key, session, done) => {
        if (key.startsWith('tr.') && (writes += 1) === 2) done?.(new Error('down'))
        else set(key, session, done)
      }
      expect((await browser.request(app.url('/logout'))).status).to.equal(503)
      expect((await rows(store)).sessions).to.have.length(1)
    })

    it('and with a back-channel logout, when that is noticed', async () => {
      const { app, browser, second } = await twoFlows()
      app.server.tellLogoutsTo({ backchannel: app.url('/ended') })
      await endAtServer(app, { sub: 'alice' })
      await browser.request(app.url('/'))
      expect(json(await browser.request(app.url('/second')))).to.deep.equal({ sub: null })
      await until(() => !second.issued[0]!.active && !second.issued[0]!.refreshable)
    })
  })

  describe('front-channel logout (OpenID Connect Front-Channel Logout 1.0)', () => {
    async function framed(setUp: AppSetUp = {}) {
      const app = await startLogoutApp(setUp)
      running.push(app)
      return { app, ...(await signedIn(app)) }
    }
    const frame = (app: RunningApp, iss: string, sid: string) =>
      createBrowser().request(app.url(`/framed?${new URLSearchParams({ iss, sid }).toString()}`))

    it('ends the session of a sid, without its cookie, also the app’s own sign-in', async () => {
      const { app, browser, iss, sid } = await framed()
      const other = await signedIn(app)
      const page = await frame(app, iss, sid)
      expect(page.status).to.equal(200)
      expect(page.headers).not.to.have.property('set-cookie')
      expect(await who(app, browser)).to.deep.equal({ sub: null, user: null })
      expect(await who(app, other.browser)).to.deep.equal({ sub: 'alice', user: 'alice' })
    })

    it('may be framed by the issuer only, whatever the app says elsewhere', async () => {
      const { app, iss, sid } = await framed({
        before: (express) =>
          express.use((_req, res, next) => {
            res.setHeader('X-Frame-Options', 'DENY')
            res.setHeader('Content-Security-Policy', "frame-ancestors 'none'")
            next()
          }),
      })
      for (const session of [sid, 'unknown']) {
        const { headers } = await frame(app, iss, session)
        expect(headers).not.to.have.property('x-frame-options')
        expect(headers).to.include({
          'content-security-policy': `default-src 'none'; frame-ancestors ${app.server.origin}`,
          'cache-control': 'no-store',
        })
      }
    })

    it('stores nothing of a sid that no login recorded', async () => {
      const { app, iss } = await framed()
      const count = () =>
        Object.keys((app.store as unknown as { sessions: object }).sessions).length
      const before = count()
      for (const issuer of [iss, 'https://other.example'])
        expect((await frame(app, issuer, 'unknown')).status).to.equal(200)
      expect(count()).to.equal(before)
    })

    it('a login afterwards stays, also of the same session there', async () => {
      const { app, browser, iss, sid } = await framed()
      await frame(app, iss, sid)
      expect(await who(app, browser)).to.include({ sub: null })
      const again = await signedIn(app, browser)
      expect(again.sid).to.equal(sid)
      expect(await who(app, browser)).to.include({ sub: 'alice' })
    })

    it('a prefetch ends nothing', async () => {
      const { app, browser, iss, sid } = await framed()
      const query = new URLSearchParams({ iss, sid }).toString()
      await createBrowser().request(app.url(`/framed?${query}`), {
        headers: { 'sec-purpose': 'prefetch' },
      })
      expect(await who(app, browser)).to.include({ sub: 'alice' })
    })
  })
})
