import { expect } from 'chai'
import type { PkceFlowError } from '../../src/index.ts'
import { failLogin, home, logIn } from '../protocol/attempt.ts'
import { startApp, type RunningApp } from '../support/app.ts'
import { createBrowser, type Browser, type Page } from '../support/browser.ts'
import { clock } from '../support/clock.ts'
import { createFaultyStore } from '../support/faulty-store.ts'
import { json, navigation, program, startsLogin } from './steps.ts'
import { withoutRefreshTokens } from '../support/refresh-tokens.ts'

const html = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'

const people: [string, Record<string, string>][] = [
  ['a navigation (Sec-Fetch-Mode and -Dest)', { ...navigation, accept: '*/*' }],
  ['a navigation (Sec-Fetch-Mode alone)', { 'sec-fetch-mode': 'navigate', accept: '*/*' }],
  ['a navigation with X-Requested-With', { ...navigation, 'x-requested-with': 'com.example.app' }],
  ['Accept: text/html', { accept: html }],
  ['Accept: application/xhtml+xml', { accept: 'application/xhtml+xml' }],
]

const programs: [string, Record<string, string>][] = [
  ['fetch() (Sec-Fetch-Mode: cors)', { 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' }],
  [
    'fetch() of the same origin that accepts HTML',
    { 'sec-fetch-mode': 'same-origin', 'sec-fetch-dest': 'empty', accept: html },
  ],
  ['an image', { 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image', accept: html }],
  [
    'X-Requested-With, though it accepts HTML',
    { 'x-requested-with': 'XMLHttpRequest', accept: html },
  ],
  ['Accept: application/json', program],
  ['Accept: */*', { accept: '*/*' }],
  ['no Accept', { accept: '' }],
]

/** People, too, but none that waits for a page. */
const onlookers: [string, Record<string, string>, string?][] = [
  ['a frame', { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe', accept: html }],
  ['an old frame', { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'frame', accept: html }],
  ['a prefetch', { ...navigation, 'sec-purpose': 'prefetch' }],
  ['a prerendering', { ...navigation, 'sec-purpose': 'prefetch;prerender' }],
  ['a prefetch of older browsers', { purpose: 'prefetch', accept: html }],
  ['a prefetch of old Firefox', { 'x-moz': 'prefetch', accept: html }],
  ['HEAD', { accept: html }, 'HEAD'],
]

describe('guards', () => {
  let app: RunningApp
  let browser: Browser

  before(async () => {
    app = await startApp({
      flow: { afterLogin: '/welcome' },
      routes: (routes, flow) => {
        for (const mode of ['auto', 'redirect', 'problem', 'next'] as const) {
          routes.all(`/token/${mode}`, flow.requireToken({ unauthenticated: mode }), (_req, res) =>
            res.json({ mode }),
          )
          routes.all(`/login/${mode}`, flow.requireLogin({ unauthenticated: mode }), (_req, res) =>
            res.json({ mode }),
          )
        }
        routes.all('/default', flow.requireToken(), (req, res) => {
          const { token } = req as { token?: { accessToken: string } }
          res.json({ url: req.url, token: token?.accessToken })
        })
        routes.get('/welcome', (_req, res) => {
          res.json({ welcome: true })
        })
        routes.get('/', (req, res, next) => {
          Promise.all([flow.claims(req), flow.status(req)])
            .then(([claims, status]) => res.json({ sub: claims?.sub ?? null, status }))
            .catch(next)
        })
      },
    })
  })

  after(() => app.close())

  beforeEach(() => {
    browser = createBrowser()
    app.errors.length = 0
    app.server.reset()
  })

  afterEach(() => {
    clock.release()
  })

  const guarded = (mode: string) => [`/token/${mode}`, `/login/${mode}`]

  /** A request of nobody, to a page that needs somebody. */
  const ask = (path: string, headers: Record<string, string>, method = 'GET') =>
    browser.request(app.url(path), { method, headers })

  function expectProblem(page: Page) {
    expect(page.status).to.equal(401)
    expect(page.headers['content-type']).to.equal('application/problem+json')
    expect(startsLogin(app, page)).to.equal(false)
  }

  describe("'auto', the default", () => {
    for (const [who, headers] of people)
      it(`${who}: is sent to log in, and comes back`, async () => {
        for (const path of ['/default?x=1&y=%2F', ...guarded('auto')]) {
          const page = await ask(path, headers)
          expect(page.status).to.equal(302)
          expect(page.headers.location).to.match(
            new RegExp(`^${app.server.metadata.authorization_endpoint}\\?`),
          )
          const end = await createBrowser().open(app.url(path), { headers })
          expect(end).to.include({ status: 200, url: app.url(path) })
        }
      })

    for (const [who, headers, method] of [...programs, ...onlookers])
      it(`${who}: is answered 401`, async () => {
        for (const path of ['/default', ...guarded('auto')])
          expectProblem(await ask(path, headers, method))
        expect(app.errors).to.be.empty
      })

    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH'])
      it(`${method} of a program: is answered 401`, async () => {
        expectProblem(await ask('/default', program, method))
      })

    it('a form that a person posts: 303, and the login leads to the default place', async () => {
      const page = await ask('/default', { ...navigation, accept: html }, 'POST')
      expect(page.status).to.equal(303)
      expect((await browser.open(page.headers.location!)).url).to.equal(app.url('/welcome'))
    })

    it('a form of another site, with a Strict cookie: the same, for there is no page to try again', async () => {
      const strict = await startApp({
        session: { cookie: { sameSite: 'strict' } },
        routes: (routes, flow) => routes.post('/save', flow.requireToken()),
      })
      try {
        const headers = { ...navigation, 'sec-fetch-site': 'cross-site' }
        const page = await browser.request(strict.url('/save'), { method: 'POST', headers })
        expect(page.status).to.equal(303)
        expect(startsLogin(strict, page)).to.equal(true)
      } finally {
        await strict.close()
      }
    })

    it('a page whose URL is too long to come back to: the default place', async () => {
      const page = await browser.open(app.url(`/default?${'x'.repeat(2_100)}`))
      expect(page.url).to.equal(app.url('/welcome'))
    })
  })

  describe("'redirect'", () => {
    for (const [who, headers] of [...people, programs[4]!, programs[5]!])
      it(`${who}: is sent to log in`, async () => {
        for (const path of guarded('redirect')) {
          const page = await ask(path, headers)
          expect(page.status).to.equal(302)
          expect(startsLogin(app, page)).to.equal(true)
        }
      })

    it('P14: a frame, an image, a prefetch and HEAD start no login', async () => {
      const image: (typeof onlookers)[number] = programs[2]!
      const started = []
      for (const [who, headers, method] of [image, ...onlookers])
        for (const path of guarded('redirect'))
          if (startsLogin(app, await ask(path, headers, method))) started.push(`${who}: ${path}`)
      expect(started).to.be.empty
    })

    for (const method of ['PUT', 'DELETE', 'PATCH'])
      it(`${method}: 303, so that it is not repeated at the authorization server`, async () => {
        const page = await ask('/token/redirect', { accept: html }, method)
        expect(page.status).to.equal(303)
      })
  })

  describe("'problem'", () => {
    for (const [who, headers, method] of [...people, ...programs, ...onlookers])
      it(`${who}: is answered 401`, async () => {
        for (const path of guarded('problem')) expectProblem(await ask(path, headers, method))
      })
  })

  describe("'next'", () => {
    for (const [who, headers, method] of [people[0]!, programs[0]!, onlookers[0]!])
      it(`${who}: the app's error handler gets login_required`, async () => {
        for (const path of guarded('next')) {
          const page = await ask(path, headers, method)
          expect(page.status).to.equal(401)
          expect(startsLogin(app, page)).to.equal(false)
          expect(app.errors.pop()).to.include({
            code: 'login_required',
            status: 401,
            expose: true,
            loginUrl: '/login',
            flow: new URL(app.server.issuer).host,
          })
        }
      })
  })

  describe('problem JSON (RFC 9457)', () => {
    it('has title, status, code and where to log in, and is kept by nobody', async () => {
      const page = await ask('/default', program)
      expect(json(page)).to.deep.equal({
        title: 'Nobody is signed in here. Log in first.',
        status: 401,
        code: 'login_required',
        loginUrl: '/login',
      })
      expect(page.headers).to.include({
        'cache-control': 'no-store',
        'referrer-policy': 'no-referrer',
      })
      expect(page.headers).not.to.have.property('set-cookie')
    })

    it('has no loginUrl where there is no such route', async () => {
      const without = await startApp({ flow: { routes: { login: false } } })
      try {
        const page = await browser.request(without.url('/token'), { headers: program })
        expect(json(page)).to.have.all.keys('title', 'status', 'code')
      } finally {
        await without.close()
      }
    })
  })

  describe('with an access token that has expired and cannot be refreshed', () => {
    beforeEach(async () => {
      withoutRefreshTokens(app.server)
      await browser.open(app.url('/login'))
      clock.advance(3_600_000)
    })

    it('requireToken: a program is answered 401 reauthorization_required', async () => {
      const page = await ask('/default', program)
      expect(page.status).to.equal(401)
      expect(json(page)).to.include({ code: 'reauthorization_required', loginUrl: '/login' })
    })

    it("requireToken: the app's error handler gets reauthorization_required", async () => {
      await ask('/token/next', navigation)
      expect(app.errors[0]).to.include({ code: 'reauthorization_required', status: 401 })
    })

    it('requireToken: a person is sent to log in, comes back, and has a new token', async () => {
      const page = await browser.open(app.url('/default'), { headers: navigation })
      expect(json(page)).to.deep.equal({
        url: '/default',
        token: app.server.issued[1]!.accessToken,
      })
    })

    it('requireLogin: everybody is let through', async () => {
      for (const mode of ['auto', 'redirect', 'problem', 'next'])
        expect(json(await ask(`/login/${mode}`, program))).to.deep.equal({ mode })
      expect((await home(app, browser)).status).to.include({ signedIn: true, connected: false })
    })
  })

  it('lets everybody through who is signed in, whatever the mode', async () => {
    await browser.open(app.url('/login'))
    for (const mode of ['auto', 'redirect', 'problem', 'next'])
      for (const path of guarded(mode))
        for (const method of ['GET', 'POST', 'DELETE'])
          expect(json(await ask(path, program, method))).to.deep.equal({ mode })
  })

  it('a store that fails is an error of the app, not a reason to log in', async () => {
    const store = createFaultyStore()
    const other = await startApp({ store })
    try {
      await logIn(other, browser)
      store.fail(({ operation, key }) => operation === 'get' && key.startsWith('tr.'))
      for (const path of ['/token', '/login-only'])
        for (const headers of [navigation, program]) {
          const page = await browser.request(other.url(path), { headers })
          expect(page.status).to.equal(503)
          expect(startsLogin(other, page)).to.equal(false)
          expect(other.errors.pop()).to.include({ code: 'store_unavailable' })
        }
    } finally {
      await other.close()
    }
  })

  it('what the authorization server does is an error of the app, not of the guard', async () => {
    const other = await startApp()
    try {
      other.server.misbehave('discovery', { answer: { status: 500 } })
      const page = await browser.request(other.url('/token'), { headers: navigation })
      expect(page.status).to.equal(503)
      expect(other.errors[0]).to.include({ code: 'server_unavailable', loginUrl: '/login' })
    } finally {
      await other.close()
    }
  })

  describe('requireToken(handler)', () => {
    const failures: [string, () => unknown][] = [
      [
        'throws',
        () => {
          throw new Error('the handler’s own')
        },
      ],
      ['rejects', () => Promise.reject(new Error('the handler’s own'))],
    ]
    for (const [what, handler] of failures)
      it(`whose handler ${what}: the app's error handler gets that`, async () => {
        const other = await startApp({
          routes: (routes, flow) => {
            routes.get('/', (_req, res) => {
              res.json({ status: { signedIn: true } })
            })
            routes.get('/work', flow.requireToken(handler))
          },
        })
        try {
          await browser.open(other.url('/login'))
          expect((await browser.request(other.url('/work'))).status).to.equal(500)
          expect((other.errors[0] as PkceFlowError).message).to.equal('the handler’s own')
        } finally {
          await other.close()
        }
      })

    it('runs for nobody without a token', async () => {
      const page = await createBrowser().request(app.url('/default'), { headers: program })
      expect(page.body).not.to.include('"url"')
    })
  })

  it('a failed login does not open them', async () => {
    app.server.misbehave('token', { idToken: { sign: 'none' } })
    await failLogin(app, 'id_token_invalid', browser)
    expectProblem(await ask('/default', program))
  })
})
