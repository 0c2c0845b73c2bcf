import { expect } from 'chai'
import session from 'express-session'
import { ConfigurationError, pkceFlow } from '../../src/index.ts'
import { startApp, type AppSetUp, type RunningApp } from '../support/app.ts'
import { type Browser, createBrowser, type Page } from '../support/browser.ts'
import { createFaultyStore } from '../support/faulty-store.ts'
import { cookiesSet, json, navigation, program } from './steps.ts'

const probe = 'pkce-flow-silent=1'

describe('silentLogin() (prompt=none, OpenID Connect Core section 3.1.2.1)', () => {
  let app: RunningApp
  let browser: Browser

  async function start(setUp: AppSetUp = {}) {
    app = await startApp({
      routes: (routes, flow) => {
        const tell = flow.silentLogin()
        routes.use('/page', tell, (req, res, next) => {
          flow
            .claims(req)
            .then((claims) => res.json({ sub: claims?.sub ?? null }))
            .catch(next)
        })
        routes.get('/guarded', tell, flow.requireLogin(), (_req, res) => {
          res.json({ through: true })
        })
        routes.get('/', (_req, res) => {
          res.json({})
        })
      },
      ...setUp,
    })
    browser = createBrowser({ tlsProxy: setUp.tlsProxy ?? false })
  }

  afterEach(() => app.close())

  const open = (path: string, headers: Record<string, string> = navigation): Promise<Page> =>
    browser.open(app.url(path), { headers: { accept: 'text/html', ...headers } })
  const asked = () => app.server.count('authorization')
  const forgetCookies = () => browser.cookies.clear()

  it("a person's first navigation signs in who is signed in at the server, and stays where it was", async () => {
    await start()
    const page = await open('/page?x=1&y=%20')
    expect(page).to.include({ status: 200, url: app.url('/page?x=1&y=%20') })
    expect(json(page)).to.deep.equal({ sub: 'alice' })
    const { query } = await app.server.received('authorization')
    expect(query.get('prompt')).to.equal('none')
  })

  it("over the app's own prompt", async () => {
    await start({ flow: { authorizationParams: { prompt: 'consent' } } })
    await open('/page')
    expect((await app.server.received('authorization')).query.get('prompt')).to.equal('none')
  })

  for (const error of [
    'login_required',
    'interaction_required',
    'consent_required',
    'account_selection_required',
    'access_denied',
    'server_error',
    'temporarily_unavailable',
    'something_else',
  ])
    it(`${error}: the page, not signed in, and no second attempt`, async () => {
      await start()
      app.server.misbehave('authorization', { authorizationError: error })
      for (const path of ['/page?x=1', '/page?x=1', '/page/other']) {
        const page = await open(path)
        expect(page).to.include({ status: 200, url: app.url(path) })
        expect(json(page)).to.deep.equal({ sub: null })
      }
      expect(asked()).to.equal(1)
      expect(app.errors).to.be.empty
    })

  it('P3: a repetition of such an answer arrives at the same place', async () => {
    await start()
    app.server.authorizeAs(undefined)
    await open('/page?x=1')
    const callback = browser.pages.find(({ url }) => url.includes('/callback'))!.url
    expect((await browser.open(callback)).url).to.equal(app.url('/page?x=1'))
  })

  it('an error about the client is shown: the developer has to see it', async () => {
    await start()
    app.server.misbehave('authorization', { authorizationError: 'unauthorized_client' })
    expect(json(await open('/page'))).to.include({ code: 'client_rejected' })
  })

  it('also one at the pushed authorization request (RFC 9126)', async () => {
    const metadata = { require_pushed_authorization_requests: true }
    await start({ serverOptions: { metadata } })
    const answer = { status: 401, json: { error: 'invalid_client' } }
    app.server.misbehave('pushed_authorization', { answer })
    expect(json(await open('/page'))).to.include({ code: 'client_rejected' })
  })

  it('a token endpoint that is down: the page, not signed in', async () => {
    await start()
    app.server.misbehave('token', { answer: { status: 503 } })
    expect(json(await open('/page'))).to.deep.equal({ sub: null })
  })

  it('an answer that was forged is an error all the same', async () => {
    await start()
    app.server.misbehave('token', { idToken: { sign: 'wrong-key' } })
    expect(json(await open('/page'))).to.include({ code: 'id_token_invalid' })
  })

  it('a login that a person asked for says what went wrong', async () => {
    await start()
    app.server.authorizeAs(undefined)
    expect(json(await open('/login'))).to.include({ code: 'login_required' })
  })

  it('a server that is down: the page', async () => {
    await start()
    await app.server.stop()
    expect(json(await open('/page'))).to.deep.equal({ sub: null })
    await app.server.start()
    expect(json(await open('/page'))).to.deep.equal({ sub: null })
    expect(asked()).to.equal(0)
  })

  it('a store that is down: nobody knows who is signed in, and nothing is tried', async () => {
    const store = createFaultyStore()
    await start({ store })
    await open('/login')
    store.fail(({ operation, key }) => operation === 'get' && key.startsWith('tr.'))
    expect(json(await open('/page'))).to.include({ code: 'store_unavailable' })
    expect(asked()).to.equal(1)
  })

  it('who is signed in is not asked, and no cookie is set', async () => {
    await start()
    await open('/login')
    const page = await open('/page')
    expect(json(page)).to.deep.equal({ sub: 'alice' })
    expect(cookiesSet(page)).to.be.empty
    expect(asked()).to.equal(1)
  })

  it('after a logout nobody is signed in silently', async () => {
    await start()
    await open('/login')
    await open('/logout')
    expect(json(await open('/page'))).to.deep.equal({ sub: null })
    expect(asked()).to.equal(1)
  })

  it('nor when the first attempt had signed in', async () => {
    await start()
    await open('/page')
    await open('/logout')
    expect(json(await open('/page'))).to.deep.equal({ sub: null })
  })

  it('a logout of an app that does not use it sets no such cookie', async () => {
    await start({
      routes: (routes) => {
        routes.get('/', (_req, res) => {
          res.end()
        })
      },
    })
    await open('/login')
    await open('/logout')
    expect(browser.cookieNames().filter((name) => name.includes('silent'))).to.be.empty
  })

  it('a guard after it asks the person', async () => {
    await start()
    app.server.misbehave('authorization', { authorizationError: 'login_required' }, { times: 1 })
    expect(json(await open('/guarded'))).to.deep.equal({ through: true })
    expect(asked()).to.equal(2)
  })

  describe('without cookies', () => {
    it('one hop, no authorization request, and the page', async () => {
      await start()
      for (const path of ['/page', '/page?x=1']) {
        const first = await browser.request(app.url(path), { headers: navigation })
        expect(first.status).to.equal(302)
        forgetCookies()
        const page = await browser.request(app.url(first.headers.location!), {
          headers: navigation,
        })
        expect(json(page)).to.deep.equal({ sub: null })
        forgetCookies()
      }
      expect(asked()).to.equal(0)
    })

    it('that are lost on the way to the server: no second attempt, whatever comes', async () => {
      await start()
      const answer = await browser.openUntil(app.url('/callback'), app.url('/page'))
      browser.cookies.get('127.0.0.1')?.clear()
      expect((await browser.open(answer)).status).to.equal(400)
      expect(asked()).to.equal(1)
    })
  })

  const others: [string, { method?: string; headers: Record<string, string> }][] = [
    ['a program', { headers: program }],
    ['fetch()', { headers: { 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' } }],
    ['an image', { headers: { 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' } }],
    ['a frame', { headers: { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' } }],
    ['a prefetch', { headers: { ...navigation, 'sec-purpose': 'prefetch' } }],
    ['HEAD', { method: 'HEAD', headers: navigation }],
    ['POST', { method: 'POST', headers: navigation }],
    ['XMLHttpRequest', { headers: { 'x-requested-with': 'XMLHttpRequest', accept: 'text/html' } }],
  ]
  for (const [title, request] of others)
    it(`P14: ${title} gets what it asked for`, async () => {
      await start()
      const page = await browser.request(app.url('/page'), request)
      expect(page.status).to.equal(200)
      expect(cookiesSet(page)).to.be.empty
    })

  it('tabs that are opened together make one attempt each at most', async () => {
    await start()
    app.server.authorizeAs(undefined)
    const pages = await Promise.all(['a', 'b', 'c'].map((tab) => open(`/page?tab=${tab}`)))
    for (const page of pages) expect(json(page)).to.deep.equal({ sub: null })
    const before = asked()
    expect(before).to.be.at.most(3)
    await open('/page')
    expect(asked()).to.equal(before)
  })

  it('the marks are cookies as ours are: __Host-, HttpOnly, SameSite=Lax, until the browser is closed', async () => {
    await start({ tlsProxy: true })
    const first = await browser.request(app.url('/page'), { headers: navigation })
    expect(first.headers['set-cookie']![0]).to.match(
      /^__Host-pkce-silent\.[\w-]{8}=p; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
    )
    const { location } = first.headers
    expect(location).to.equal(`/page?${probe}`)
    const second = await browser.request(app.url(location!), { headers: navigation })
    expect(second.headers['set-cookie']![0]).to.match(/^__Host-pkce-silent\.[\w-]{8}=t; Path=\//)
    expect(second.headers.location).to.include('prompt=none')
  })

  it('an address with the question in it, passed on to others: the page', async () => {
    await start()
    const page = await open(`/page?${probe}`)
    expect(json(page)).to.deep.equal({ sub: null })
    expect(asked()).to.equal(0)
  })

  it('on another host than redirectUri it happens there', async () => {
    await start()
    const page = await browser.open(app.url('/page').replace('127.0.0.1', 'localhost'), {
      headers: navigation,
    })
    expect(page.url).to.equal(app.url(`/page?${probe}`))
    expect(json(await open('/page'))).to.deep.equal({ sub: 'alice' })
  })

  it('a Strict session that a link left behind: the person who is signed in stays so', async () => {
    await start({ session: { cookie: { sameSite: 'strict' } } })
    await open('/login')
    const cookies = browser.cookies.get('127.0.0.1')!
    const held = cookies.get('connect.sid')!
    cookies.delete('connect.sid')
    const first = await browser.request(app.url('/page'), {
      headers: { ...navigation, 'sec-fetch-site': 'cross-site' },
    })
    expect(first.body).to.include('http-equiv="refresh"')
    cookies.set('connect.sid', held)
    const page = await open(`/page?${probe}`)
    expect(page.url).to.equal(app.url('/page'))
    expect(json(page)).to.deep.equal({ sub: 'alice' })
    expect(asked()).to.equal(1)
  })

  it('mounted before the flow, it leaves the routes of the flow alone', async () => {
    await start({
      before: (express) => {
        express.use(session({ secret: 'secret', resave: false, saveUninitialized: false }))
        express.use((req, res, next) => {
          app.flow.silentLogin()(req, res, next)
        })
      },
    })
    const login = await browser.request(app.url('/login'), { headers: navigation })
    expect(login.headers.location).not.to.include('prompt=none')
    const logout = await browser.request(app.url('/logout'), { headers: navigation })
    expect(logout.headers.location).to.equal('/')
    expect((await open('/callback?x=1')).status).to.equal(400)
    expect(asked()).to.equal(0)
  })

  it('an app without sessions is told so', async () => {
    await start({
      before: (express) => {
        express.get('/early', (req, res, next) => {
          app.flow.silentLogin()(req, res, next)
        })
      },
    })
    await open('/early')
    expect(app.errors[0]).to.include({ code: 'session_missing' })
  })
})

describe('silentLogin: what makes no sense', () => {
  const options = {
    clientId: 'test-client',
    redirectUri: 'http://127.0.0.1/callback',
    issuer: 'https://server.example',
  }

  it("with purpose 'connect'", () => {
    const flow = pkceFlow({ ...options, purpose: 'connect', userId: () => 'ann' })
    expect(() => flow.silentLogin()).to.throw(ConfigurationError, 'silentLogin')
  })

  it('without its parentheses, or with options', () => {
    const { silentLogin } = pkceFlow(options) as unknown as Record<
      'silentLogin',
      (...given: unknown[]) => unknown
    >
    expect(() => silentLogin({ headers: {} }, {}, () => undefined)).to.throw(
      ConfigurationError,
      'silentLogin()',
    )
    expect(() => silentLogin({ prompt: 'none' })).to.throw(
      ConfigurationError,
      '"silentLogin.prompt"',
    )
  })
})
