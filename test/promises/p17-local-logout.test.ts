import { expect } from 'chai'
import type { Express } from 'express'
import type { PkceFlow } from '../../src/index.ts'
import { type AppSetUp, type RunningApp, startApp, withoutEndSession } from '../support/app.ts'
import { type Browser, createBrowser } from '../support/browser.ts'
import { createFaultyStore } from '../support/faulty-store.ts'
import { createGate } from '../support/gate.ts'
import { rows } from '../support/rows.ts'

declare module 'express-session' {
  interface SessionData {
    user?: string
  }
}

describe('P17: logout is local first', () => {
  let app: RunningApp
  let browser: Browser

  function pages(express: Express, flow: PkceFlow) {
    express.get('/', async (req, res) => {
      res.json({ sub: (await flow.claims(req))?.sub ?? null, user: req.session.user ?? null })
    })
    express.get('/token', flow.requireToken({ unauthenticated: 'problem' }), (_req, res) => {
      res.json({})
    })
    express.all('/out', flow.logout({ returnTo: '/?out' }))
  }

  async function start(setUp: AppSetUp = {}) {
    app = await startApp({
      routes: pages,
      postLogout: true,
      ...setUp,
      flow: {
        onLogin: ({ req }: { req: { session: { user?: string } } }) => {
          req.session.user = 'alice'
        },
        ...setUp.flow,
      },
    })
    browser = createBrowser()
    await browser.open(app.url('/login'))
  }

  afterEach(() => app.close())

  async function expectNobody(visitor: Browser) {
    expect(JSON.parse((await visitor.open(app.url('/'))).body)).to.deep.equal({
      sub: null,
      user: null,
    })
    expect((await visitor.open(app.url('/token'))).status).to.equal(401)
  }

  async function expectAlice(visitor: Browser) {
    expect(JSON.parse((await visitor.open(app.url('/'))).body)).to.deep.equal({
      sub: 'alice',
      user: 'alice',
    })
    expect((await visitor.open(app.url('/token'))).status).to.equal(200)
  }

  const servers = [
    { where: 'here', setUp: { serverOptions: withoutEndSession }, comesBack: false },
    { where: 'at the server, too', setUp: {}, comesBack: true },
  ]
  const ways = [
    { by: 'GET /logout', path: '/logout', method: 'GET', lands: '/' },
    { by: 'POST /logout', path: '/logout', method: 'POST', lands: '/' },
    { by: 'GET of the app’s own route', path: '/out', method: 'GET', lands: '/?out' },
    { by: 'POST to the app’s own route', path: '/out', method: 'POST', lands: '/?out' },
  ]
  const sessions = [
    {},
    { saveUninitialized: true, resave: true, rolling: true },
    { unset: 'destroy' },
  ]

  for (const session of sessions)
    for (const { where, setUp, comesBack } of servers)
      for (const { by, path, method, lands } of ways)
        it(`P17: ${by}: ${where}: the old cookie is nobody’s, with ${JSON.stringify(session)}`, async () => {
          await start({ ...setUp, session: session as object })
          const old = browser.copy()
          const page = await browser.open(app.url(path), { method })
          expect(page).to.include({ status: 200, url: app.url(comesBack ? '/' : lands) })
          expect(app.server.count('end_session')).to.equal(comesBack ? 1 : 0)
          await expectNobody(old)
          await expectNobody(browser)
          const { sessions: stored, tokens } = await rows(app.store)
          expect(JSON.stringify([stored, tokens])).not.to.include('alice')
          for (const issued of app.server.issued) {
            expect(JSON.stringify(tokens)).not.to.include(issued.accessToken)
            expect(issued).to.include({ active: false, refreshable: false })
          }
        })

  it('P17: a POST is answered with 303, so that nothing is sent twice', async () => {
    await start()
    const { status, headers } = await browser.request(app.url('/logout'), { method: 'POST' })
    expect(status).to.equal(303)
    expect(headers).to.include({ 'cache-control': 'no-store' })
    expect(headers.location).to.match(/^http:\/\/127\.0\.0\.1:\d+\/logout\?/)
    const again = await browser.request(app.url('/logout'), { method: 'POST' })
    expect(again.status).to.equal(303)
    expect(again.headers).to.include({ 'cache-control': 'no-store', location: '/' })
  })

  it('P17: a request in flight brings neither the sign-in back nor what the app kept', async () => {
    const gate = createGate()
    await start({
      session: { resave: true },
      routes: (express, flow) => {
        pages(express, flow)
        express.get('/slow', async (_req, res) => {
          await gate.pass()
          res.json({})
        })
      },
    })
    const late = browser.copy()
    const answer = late.open(app.url('/slow'))
    await gate.reached
    await browser.open(app.url('/logout'))
    gate.open()
    await answer
    expect((await rows(app.store)).sessions, 'the row that came back').to.have.length(1)
    await expectNobody(late)
    await expectNobody(browser)
  })

  it('P17: other sessions of the same person go on', async () => {
    await start()
    const elsewhere = createBrowser()
    await elsewhere.open(app.url('/login'))
    await browser.open(app.url('/logout'))
    await expectNobody(browser)
    await expectAlice(elsewhere)
  })

  it('P17: with the authorization server down', async () => {
    await start()
    await app.server.stop()
    const page = await browser.open(app.url('/logout'))
    expect(page).to.include({ status: 200, url: app.url('/') })
    await expectNobody(browser)
  })

  it('P17: twice, and by who was never signed in', async () => {
    await start()
    for (const visitor of [browser, browser, createBrowser()]) {
      const page = await visitor.open(app.url('/logout'))
      expect(page).to.include({ status: 200, url: app.url('/') })
    }
    await expectNobody(browser)
  })

  it('P17: who logged out logs in again', async () => {
    await start()
    await browser.open(app.url('/logout'))
    await browser.open(app.url('/login'))
    await expectAlice(browser)
  })

  describe('not by another site, an image, or nobody', () => {
    const requests: {
      what: string
      method?: string
      status: number
      headers: Record<string, string>
    }[] = [
      {
        what: 'an image of another site',
        status: 403,
        headers: { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' },
      },
      {
        what: 'an image of our own page',
        status: 403,
        headers: { 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'no-cors' },
      },
      {
        what: 'a link of another site',
        status: 403,
        headers: { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' },
      },
      {
        what: 'a link of another host of the same site',
        status: 403,
        headers: { 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'navigate' },
      },
      {
        what: 'a form of another site',
        method: 'POST',
        status: 403,
        headers: { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' },
      },
      {
        what: 'a form of another site, in a browser of old',
        method: 'POST',
        status: 403,
        headers: { origin: 'https://evil.example' },
      },
      {
        what: 'a form of a sandbox, in a browser of old',
        method: 'POST',
        status: 403,
        headers: { origin: 'null' },
      },
      { what: 'a prefetch', status: 204, headers: { 'sec-purpose': 'prefetch' } },
      { what: 'a HEAD', method: 'HEAD', status: 405, headers: {} },
    ]
    for (const { what, method = 'GET', status, headers } of requests)
      it(`P17: ${what}: ${status}, and nothing is ended`, async () => {
        await start()
        const page = await browser.request(app.url('/logout'), { method, headers })
        expect(page.status).to.equal(status)
        if (status === 403) expect(JSON.parse(page.body)).to.include({ code: 'cross_site_request' })
        await expectAlice(browser)
      })

    for (const { what, method = 'GET', headers } of requests)
      it(`P17: nor at the app’s own route: ${what}`, async () => {
        await start()
        await browser.request(app.url('/out'), { method, headers })
        await expectAlice(browser)
      })

    const allowed: { what: string; method?: string; headers: () => Record<string, string> }[] = [
      { what: 'a link', headers: () => ({ 'sec-fetch-site': 'same-origin' }) },
      { what: 'the address bar', headers: () => ({ 'sec-fetch-site': 'none' }) },
      {
        what: 'a form',
        method: 'POST',
        headers: () => ({ 'sec-fetch-site': 'same-origin', origin: app.origin }),
      },
      {
        what: 'a form, in a browser of old',
        method: 'POST',
        headers: () => ({ origin: app.origin }),
      },
      {
        what: 'a script of our own page',
        method: 'POST',
        headers: () => ({ 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors' }),
      },
    ]
    for (const { what, method = 'GET', headers } of allowed)
      it(`P17: but by ${what}`, async () => {
        await start()
        await browser.request(app.url('/logout'), { method, headers: headers() })
        await expectNobody(browser)
      })
  })

  describe('a store that cannot end the session', () => {
    const failures = [
      {
        what: 'ending the tokens',
        operation: 'set',
        which: (key: string) => key.startsWith('tr.'),
      },
      { what: 'destroying the session', operation: 'destroy', which: () => true },
      { what: 'anything but reading', operation: 'any', which: () => true },
    ]
    for (const { what, operation, which } of failures)
      it(`P17: fails in ${what}: 503, never "logged out", and the next try works`, async () => {
        const store = createFaultyStore()
        await start({ store })
        const mend = store.fail(
          (call) =>
            call.operation !== 'get' &&
            (operation === 'any' || call.operation === operation) &&
            which(call.key),
        )
        const page = await browser.request(app.url('/logout'))
        expect(page.status).to.equal(503)
        expect(JSON.parse(page.body)).to.include({ code: 'store_unavailable' })
        expect(page.headers).not.to.have.property('location')
        mend()
        const again = await browser.open(app.url('/logout'))
        expect(again).to.include({ status: 200, url: app.url('/') })
        await expectNobody(browser)
        expect((await rows(store)).sessions).to.have.length(0)
      })
  })
})
