import { expect } from 'chai'
import { logIn } from '../protocol/attempt.ts'
import { startApp, withoutEndSession, type AppSetUp, type RunningApp } from '../support/app.ts'
import { createBrowser, type Browser } from '../support/browser.ts'
import { createFaultyStore, type StoreCall } from '../support/faulty-store.ts'
import { rows as rowsIn } from '../support/rows.ts'
import { json, navigation } from './steps.ts'

describe('logout (local)', () => {
  const running: RunningApp[] = []

  /** An app with a browser that is signed in, and another with the same cookies. */
  async function signedIn(setUp: AppSetUp = {}) {
    const app = await startApp({ serverOptions: withoutEndSession, ...setUp })
    running.push(app)
    const browser = await logIn(app)
    return { app, browser, thief: browser.copy() }
  }

  afterEach(async () => {
    for (const app of running.splice(0)) await app.close()
  })

  const isSignedIn = async (app: RunningApp, browser: Browser) =>
    (json(await browser.request(app.url('/'))) as { status: { signedIn: boolean } }).status.signedIn

  it('of a session that a flow has signed in which this process does not have', async () => {
    const { app, browser } = await signedIn()
    const [row] = (await rowsIn(app.store)).sessions
    const content = row!.content as unknown as { pkceFlow: Record<string, string> }
    Object.assign(content.pkceFlow, { gone: Object.values(content.pkceFlow)[0] })
    await new Promise((resolve) => app.store.set(row!.key, content as never, resolve))
    expect((await browser.request(app.url('/logout'))).status).to.equal(302)
    expect(await isSignedIn(app, browser)).to.equal(false)
    expect((await rowsIn(app.store)).sessions).to.deep.equal([])
  })

  it('empties the browser’s cache, where Back would find private pages (OWASP ASVS 7.4.1)', async () => {
    const { app, browser } = await signedIn()
    const { headers } = await browser.request(app.url('/logout'))
    expect(headers).to.include({ 'clear-site-data': '"cache"', 'cache-control': 'no-store' })
  })

  describe('who may ask for it (decision 11)', () => {
    const cases: {
      method: string
      site?: string
      mode?: string
      origin?: string
      allowed: boolean
    }[] = [
      { method: 'GET', allowed: true },
      { method: 'POST', allowed: true },
      ...['same-origin', 'none'].flatMap((site) =>
        ['GET', 'POST'].map((method) => ({ method, site, mode: 'navigate', allowed: true })),
      ),
      ...['same-site', 'cross-site', 'whatever', ''].flatMap((site) =>
        ['GET', 'POST'].map((method) => ({ method, site, mode: 'navigate', allowed: false })),
      ),
      { method: 'POST', site: 'same-origin', mode: 'cors', allowed: true },
      { method: 'GET', site: 'cross-site', mode: 'no-cors', allowed: false },
      { method: 'GET', site: 'same-origin', mode: 'no-cors', allowed: false },
      { method: 'POST', origin: 'ours', allowed: true },
      { method: 'POST', origin: 'https://evil.example', allowed: false },
      { method: 'POST', origin: 'null', allowed: false },
      { method: 'POST', origin: '', allowed: false },
      { method: 'POST', site: 'same-origin', origin: 'https://evil.example', allowed: true },
      { method: 'POST', site: 'cross-site', origin: 'ours', allowed: false },
    ]
    for (const { method, site, mode, origin, allowed } of cases) {
      const said = [
        site !== undefined && `Sec-Fetch-Site: ${site}`,
        mode !== undefined && `Sec-Fetch-Mode: ${mode}`,
        origin !== undefined && `Origin: ${origin}`,
      ].filter(Boolean)
      it(`${method} with ${said.join(', ') || 'none of the headers'} is ${allowed ? 'done' : 'refused'}`, async () => {
        const { app, browser } = await signedIn()
        const page = await browser.request(app.url('/logout'), {
          method,
          headers: {
            ...(site !== undefined && { 'sec-fetch-site': site }),
            ...(mode !== undefined && { 'sec-fetch-mode': mode }),
            ...(origin !== undefined && { origin: origin === 'ours' ? app.origin : origin }),
          },
        })
        if (allowed) {
          expect(page.status).to.equal(method === 'POST' ? 303 : 302)
          expect(page.headers.location).to.equal('/')
        } else {
          expect(page.status).to.equal(403)
          expect(app.errors[0]).to.include({ code: 'cross_site_request', status: 403 })
        }
        expect(page.headers).to.include({
          'cache-control': 'no-store',
          'referrer-policy': 'no-referrer',
        })
        expect(await isSignedIn(app, browser)).to.equal(!allowed)
      })
    }
  })

  it('P17: the old cookie yields no token and no sign-in', async () => {
    const { app, browser, thief } = await signedIn()
    await browser.open(app.url('/logout'))
    expect(await isSignedIn(app, thief)).to.equal(false)
    expect(json(await thief.request(app.url('/public')))).to.deep.equal({ token: null })
  })

  it('P17: nor if a slow request writes the session back', async () => {
    const { app, browser, thief } = await signedIn()
    const rows = (app.store as unknown as { sessions: Record<string, string> }).sessions
    const [id, row] = Object.entries(rows).find(([key]) => !key.includes('.'))!
    await browser.open(app.url('/logout'))
    expect(rows).not.to.have.property(id)
    rows[id] = row
    expect(await isSignedIn(app, thief)).to.equal(false)
    expect(json(await thief.request(app.url('/public')))).to.deep.equal({ token: null })
    expect(rows[id] ?? '', 'whoever meets it ends it again').not.to.include('pkceFlow')
  })

  it('leaves no token in the store', async () => {
    const { app, browser } = await signedIn()
    await browser.open(app.url('/logout'))
    const left = JSON.stringify((app.store as unknown as { sessions: object }).sessions)
    for (const { accessToken, refreshToken, idToken } of app.server.issued)
      for (const token of [accessToken, refreshToken!, idToken!]) expect(left).not.to.include(token)
  })

  it('of nobody leads there, too', async () => {
    const { app } = await signedIn()
    const page = await createBrowser().request(app.url('/logout'), { headers: navigation })
    expect(page.headers.location).to.equal('/')
    expect(page.headers).not.to.have.property('set-cookie')
  })

  it('one of two sessions of a person leaves the other alone', async () => {
    const { app, browser } = await signedIn()
    const phone = await logIn(app)
    await browser.open(app.url('/logout'))
    expect(await isSignedIn(app, phone)).to.equal(true)
  })

  it('and logging in again works', async () => {
    const { app, browser } = await signedIn()
    await browser.open(app.url('/logout'))
    await logIn(app, browser)
  })

  describe('where it leads', () => {
    const flow = { afterLogout: '/bye', returnToOrigins: ['https://other.example'] }
    const cases: [query: string, location: string][] = [
      ['', '/bye'],
      ['?returnTo=%2Fgood%3Fx%3D1', '/good?x=1'],
      ['?returnTo=https%3A%2F%2Fother.example%2Fx', 'https://other.example/x'],
      ['?returnTo=https%3A%2F%2Fevil.example%2Fx', '/bye'],
      ['?returnTo=%2F%2Fevil.example', '/bye'],
      ['?returnTo=%2F%5Cevil.example', '/bye'],
      ['?returnTo=%2F%09%2Fevil.example', '/bye'],
      ['?returnTo=javascript%3Aalert(1)', '/bye'],
      ['?returnTo=%2Flogout', '/bye'],
      ['?returnTo[]=%2Fgood', '/bye'],
    ]
    for (const [query, location] of cases)
      it(`/logout${query} leads to ${location}`, async () => {
        const { app, browser } = await signedIn({ flow })
        const page = await browser.request(app.url(`/logout${query}`))
        expect(page.headers.location).to.equal(location)
      })

    it('a handler of the app’s own', async () => {
      const app = await startApp({
        flow,
        serverOptions: withoutEndSession,
        routes: (routes, own) => {
          routes.post('/sign-out', own.logout({ returnTo: '/good' }))
          routes.get('/', (req, res, next) => {
            own.status(req).then((status) => res.json({ status }), next)
          })
        },
      })
      running.push(app)
      const browser = await logIn(app)
      const page = await browser.request(app.url('/sign-out'), { method: 'POST' })
      expect(page.status).to.equal(303)
      expect(page.headers.location).to.equal('/good')
      expect(await isSignedIn(app, browser)).to.equal(false)
    })
  })

  describe('when the store cannot end the session: 503, and nobody is told "logged out"', () => {
    const isSession = ({ key }: StoreCall) => !key.includes('.')
    const failures: [string, (call: StoreCall) => boolean][] = [
      ['the session', (call) => call.operation === 'destroy' && isSession(call)],
      ['the marker of the tokens', (call) => call.operation === 'set' && !isSession(call)],
    ]
    for (const [what, which] of failures)
      it(`${what}: and it can be tried again`, async () => {
        const store = createFaultyStore()
        const { app, browser } = await signedIn({ store })
        const stop = store.fail(which)
        const page = await browser.request(app.url('/logout'))
        expect(page.status).to.equal(503)
        expect(page.headers).not.to.have.property('location')
        expect(app.errors[0]).to.include({ code: 'store_unavailable' })
        stop()
        await browser.open(app.url('/logout'))
        expect(await isSignedIn(app, browser)).to.equal(false)
      })
  })

  describe('what does not ask for it', () => {
    for (const [what, headers] of [
      ['a prefetch', { 'sec-purpose': 'prefetch' }],
      ['a prerendering', { 'sec-purpose': 'prefetch;prerender' }],
      ['an old prefetch', { purpose: 'prefetch' }],
    ] as const)
      it(`${what}: 204, kept by nobody`, async () => {
        const { app, browser } = await signedIn()
        const page = await browser.request(app.url('/logout'), { headers })
        expect(page.status).to.equal(204)
        expect(page.headers).to.include({ 'cache-control': 'no-store' })
        expect(await isSignedIn(app, browser)).to.equal(true)
      })

    for (const method of ['HEAD', 'PUT', 'DELETE', 'OPTIONS'])
      it(`${method}: 405`, async () => {
        const { app, browser } = await signedIn()
        const page = await browser.request(app.url('/logout'), { method })
        expect(page.status).to.equal(405)
        expect(await isSignedIn(app, browser)).to.equal(true)
      })
  })
})
