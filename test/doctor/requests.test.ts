import { expect } from 'chai'
import express from 'express'
import { type Finding, pkceFlow } from '../../src/index.ts'
import type { AppSetUp, RunningApp } from '../support/app.ts'
import { createBrowser } from '../support/browser.ts'
import { codesOf, findingsOf, mountDoctor, person, personAt, startDoctorApp } from './doctor-app.ts'

const program = { accept: '*/*', 'user-agent': 'curl/8' }
const atApp = 'https://app.example'
const https = { redirectUri: `${atApp}/callback` }
const secureCookie = { cookie: { secure: true } }
/** Headers that a proxy adds which ends TLS. */
const byProxy = { host: 'app.example', 'x-forwarded-proto': 'https' }
const trusting = { before: (app: express.Express) => app.set('trust proxy', 1) }
const inFrame = (site: string) => ({
  ...{ host: 'app.example', 'sec-fetch-site': site },
  ...{ 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe', accept: 'text/html' },
})

interface Case {
  what: string
  setUp?: AppSetUp
  headers?: Record<string, string>
  path?: string
}

/** Set-ups that something is wrong with, and beside them those that differ in just that. */
const cases: { code: Finding['code']; wrong: Case[]; right: Case[] }[] = [
  {
    code: 'session_missing',
    wrong: [
      { what: 'the session is for another path', setUp: { session: { cookie: { path: '/in' } } } },
    ],
    right: [
      { what: 'the session is for all paths', setUp: { session: { cookie: { path: '/' } } } },
      {
        what: 'the app has ended the session before it asks',
        setUp: {
          routes: (app) => {
            app.use((req, _res, next) => {
              req.session.destroy(next)
            })
          },
        },
      },
    ],
  },
  {
    code: 'insecure_cookie',
    wrong: [{ what: 'a secure cookie, and all is http', setUp: { session: secureCookie } }],
    right: [
      { what: 'no secure cookie', setUp: {} },
      { what: "secure: 'auto'", setUp: { session: { cookie: { secure: 'auto' } } } },
      {
        what: 'a probe past the proxy',
        setUp: { flow: https, session: secureCookie, ...trusting },
        headers: program,
      },
    ],
  },
  {
    code: 'trust_proxy_missing',
    wrong: [
      {
        what: 'a proxy that says https is not trusted',
        setUp: { flow: https, session: secureCookie },
        headers: { ...person, ...byProxy },
      },
      {
        what: 'the same, without a secure cookie',
        setUp: { flow: https },
        headers: { ...program, ...byProxy, 'x-forwarded-proto': 'HTTPS , http' },
      },
    ],
    right: [
      {
        what: 'it is trusted',
        setUp: { flow: https, session: secureCookie, ...trusting },
        headers: { ...person, ...byProxy },
      },
      { what: 'a stranger says so to an app on http', headers: { 'x-forwarded-proto': 'https' } },
    ],
  },
  {
    code: 'https_hidden',
    wrong: [
      {
        what: 'the page before was on https',
        setUp: { flow: https, session: secureCookie, ...trusting },
        headers: { ...personAt(atApp), host: 'app.example' },
      },
      {
        what: 'the browser sends what it sends by https only',
        setUp: { flow: https, ...trusting },
        headers: { ...person, host: 'app.example', 'sec-fetch-site': 'none' },
      },
      {
        what: 'the proxy says http',
        setUp: { flow: https, ...trusting },
        headers: { ...personAt(atApp), ...byProxy, 'x-forwarded-proto': 'http' },
      },
      {
        what: 'the browser was sent on to https before',
        setUp: { flow: https, session: secureCookie, ...trusting },
        headers: { ...person, host: 'app.example' },
        path: '/doctor?pkce-flow-moved=1',
      },
    ],
    right: [
      {
        what: 'the proxy says https',
        setUp: { flow: https, session: secureCookie, ...trusting },
        headers: { ...personAt(atApp), ...byProxy },
      },
      {
        what: 'somebody comes by http, and would be sent on to https',
        setUp: { flow: https, session: secureCookie },
        headers: { ...person, host: 'app.example' },
      },
      {
        what: 'somebody at the machine itself, past the proxy',
        setUp: { flow: https, ...trusting },
        headers: {
          ...program,
          host: 'localhost:8000',
          'sec-fetch-site': 'none',
          'sec-fetch-mode': 'cors',
        },
      },
      {
        what: 'Fetch Metadata on localhost, which has no TLS',
        setUp: { flow: { redirectUri: 'http://localhost/callback' } },
        headers: { ...person, host: 'localhost:3000', 'sec-fetch-site': 'none' },
      },
    ],
  },
  {
    code: 'same_site_none',
    wrong: [
      { what: 'None without Secure', setUp: { session: { cookie: { sameSite: 'none' } } } },
      {
        what: "None and secure: 'auto' by http",
        setUp: { session: { cookie: { sameSite: 'none', secure: 'auto' } } },
      },
    ],
    right: [
      {
        what: 'None with Secure',
        setUp: {
          flow: https,
          session: { cookie: { sameSite: 'none', secure: true } },
          ...trusting,
        },
        headers: { ...person, ...byProxy },
      },
      { what: 'Strict', setUp: { session: { cookie: { sameSite: 'strict' } } } },
      { what: 'Lax', setUp: { session: { cookie: { sameSite: 'lax' } } } },
    ],
  },
  {
    code: 'cookie_domain',
    wrong: [
      {
        what: 'another domain',
        setUp: { flow: https, session: { cookie: { domain: 'other.example' } } },
        headers: { host: 'app.example' },
      },
      {
        what: 'a host below it',
        setUp: { flow: https, session: { cookie: { domain: 'www.app.example' } } },
        headers: { host: 'app.example' },
      },
    ],
    right: ['app.example', '.APP.example', 'example'].map((domain) => ({
      what: domain,
      setUp: { flow: https, session: { cookie: { domain } } },
      headers: { host: 'app.example' },
    })),
  },
  {
    code: 'cookie_path',
    wrong: [
      { what: 'the callback is elsewhere', setUp: { session: { cookie: { path: '/doctor' } } } },
      {
        what: 'the prefix that a proxy strips',
        setUp: {
          flow: { redirectUri: `${atApp}/shop/callback`, basePath: '/shop' },
          session: { cookie: { path: '/shop' } },
        },
        headers: { host: 'app.example' },
        path: '/shop-doctor',
      },
      {
        what: 'what browsers take for another folder',
        setUp: { session: { cookie: { path: '/call' } } },
        path: '/call-the-doctor',
      },
    ],
    right: [
      {
        what: 'the callback is below it',
        setUp: {
          flow: { redirectUri: `${atApp}/in/callback` },
          session: { cookie: { path: '/in' } },
        },
        headers: { host: 'app.example' },
        path: '/in/doctor',
      },
    ],
  },
  {
    code: 'cookie_in_frame',
    wrong: (['lax', 'strict', undefined] as const).map((sameSite) => ({
      what: `framed by another site, SameSite ${sameSite ?? 'is not set'}`,
      setUp: {
        flow: https,
        session: { cookie: { secure: true, ...(sameSite && { sameSite }) } },
        ...trusting,
      },
      headers: { ...inFrame('cross-site'), ...byProxy },
    })),
    right: [
      {
        what: 'SameSite=None',
        setUp: {
          flow: https,
          session: { cookie: { sameSite: 'none', secure: true } },
          ...trusting,
        },
        headers: { ...inFrame('cross-site'), ...byProxy },
      },
      {
        what: 'framed by the same site',
        setUp: { flow: https, session: secureCookie, ...trusting },
        headers: { ...inFrame('same-site'), ...byProxy },
      },
      {
        what: 'a link on another site',
        setUp: {
          flow: https,
          session: { cookie: { sameSite: 'strict', secure: true } },
          ...trusting,
        },
        headers: { ...inFrame('cross-site'), ...byProxy, 'sec-fetch-dest': 'document' },
      },
    ],
  },
  {
    code: 'other_origin',
    wrong: [
      { what: 'localhost for 127.0.0.1', headers: { ...person, host: 'localhost:8000' } },
      { what: 'another port, for sure', headers: personAt('http://127.0.0.1:1') },
      {
        what: 'the same, though cookies know no ports',
        setUp: { session: { cookie: { domain: '127.0.0.1' } } },
        headers: personAt('http://127.0.0.1:1'),
      },
      {
        what: 'www., with a cookie that is not for both',
        setUp: { flow: https, ...trusting },
        headers: { ...person, ...byProxy, host: 'www.app.example' },
      },
      {
        what: 'another name, with a cookie for one of both',
        setUp: { flow: https, session: { cookie: { domain: 'app.example' } }, ...trusting },
        headers: { ...person, ...byProxy, host: 'shop.example' },
      },
    ],
    right: [
      { what: 'another port, which proxies leave out', headers: { ...person, host: '127.0.0.1' } },
      { what: 'a probe by another name', headers: { ...program, host: 'localhost:8000' } },
      { what: 'a page before that has no origin', headers: personAt('about:') },
      {
        what: 'a link on another site',
        setUp: { flow: https, ...trusting },
        headers: {
          ...personAt('https://other.example'),
          ...byProxy,
          'sec-fetch-site': 'cross-site',
        },
      },
      {
        what: 'one cookie for both hosts',
        setUp: { flow: https, session: { cookie: { domain: 'app.example' } }, ...trusting },
        headers: { ...person, ...byProxy, host: 'www.app.example' },
      },
      {
        what: 'an origin that the app names',
        setUp: { flow: { ...https, returnToOrigins: ['https://shop.example'] }, ...trusting },
        headers: { ...personAt('https://shop.example'), ...byProxy, host: 'shop.example' },
      },
      {
        what: 'the same, of a browser that says less',
        setUp: { flow: { ...https, returnToOrigins: ['https://shop.example'] }, ...trusting },
        headers: { ...person, ...byProxy, host: 'shop.example' },
      },
    ],
  },
  {
    code: 'host_hidden',
    wrong: [
      {
        what: 'the browser is at redirectUri’s host, and Host says another',
        setUp: { flow: https, ...trusting },
        headers: { ...personAt(atApp), ...byProxy, host: 'backend:8000' },
      },
    ],
    right: [
      {
        what: 'the proxy passes it on',
        setUp: { flow: https, ...trusting },
        headers: { ...personAt(atApp), ...byProxy },
      },
      {
        what: 'the proxy says it in X-Forwarded-Host',
        setUp: { flow: https, ...trusting },
        headers: {
          ...personAt(atApp),
          ...byProxy,
          host: 'backend:8000',
          'x-forwarded-host': 'app.example',
        },
      },
    ],
  },
  {
    code: 'base_path_missing',
    wrong: [
      {
        what: 'the proxy says that it strips one',
        setUp: { flow: { redirectUri: `${atApp}/shop/callback` }, ...trusting },
        headers: { ...person, ...byProxy, 'x-forwarded-prefix': '/shop/' },
      },
    ],
    right: [
      {
        what: 'basePath says so',
        setUp: { flow: { redirectUri: `${atApp}/shop/callback`, basePath: '/shop' }, ...trusting },
        headers: { ...person, ...byProxy, 'x-forwarded-prefix': '/shop' },
      },
      {
        what: 'the proxy says so, and strips nothing',
        setUp: { flow: { redirectUri: `${atApp}/shop/callback` }, ...trusting },
        headers: { ...person, ...byProxy, 'x-forwarded-prefix': '/shop' },
        path: '/shop/doctor',
      },
      {
        what: 'the same at the prefix itself, with a query',
        setUp: { flow: { redirectUri: `${atApp}/shop/callback` }, ...trusting },
        headers: { ...person, ...byProxy, 'x-forwarded-prefix': '/shop' },
        path: '/shop?page=1',
      },
      {
        what: 'a part of basePath, the rest of which another proxy strips',
        setUp: {
          flow: { redirectUri: `${atApp}/eu/shop/callback`, basePath: '/eu/shop' },
          ...trusting,
        },
        headers: { ...person, ...byProxy, 'x-forwarded-prefix': '/eu' },
      },
      {
        what: 'another prefix than redirectUri has',
        setUp: { flow: { redirectUri: `${atApp}/shop/callback` }, ...trusting },
        headers: { ...person, ...byProxy, 'x-forwarded-prefix': '/sh' },
      },
      {
        what: 'a long path of the app’s own',
        setUp: { flow: { redirectUri: `${atApp}/oauth/one/callback` }, ...trusting },
        headers: { ...person, ...byProxy },
      },
    ],
  },
  {
    code: 'callback_misplaced',
    wrong: [
      { what: 'mounted where the callback is not', setUp: { mount: '/auth' } },
      {
        what: 'one of its other addresses is elsewhere',
        setUp: {
          mount: '/auth',
          flow: {
            redirectUri: 'http://127.0.0.1/auth/callback',
            routes: { backchannelLogout: '/backchannel-logout' },
          },
        },
      },
    ],
    right: [
      {
        what: 'mounted above the callback',
        setUp: { mount: '/auth', flow: { redirectUri: 'http://127.0.0.1/auth/callback' } },
      },
      {
        what: 'at a path with a parameter',
        setUp: { mount: '/:tenant', flow: { redirectUri: 'http://127.0.0.1/one/callback' } },
        path: '/one/doctor',
      },
      {
        what: 'as the handler of a route',
        setUp: { mount: '/other', routes: (app, flow) => app.all('/callback', flow) },
      },
      {
        what: 'by two places, of which one fits',
        setUp: { mount: '/other', routes: (app, flow) => app.use(flow) },
      },
    ],
  },
]

describe('diagnose(req): what is wrong with how a request comes', () => {
  let app: { origin: string; close(): Promise<void> } | undefined

  afterEach(() => app?.close())

  async function found({ setUp, headers, path }: Case): Promise<Finding[]> {
    app = await startDoctorApp(setUp)
    return findingsOf(app, headers, path)
  }

  for (const { code, wrong, right } of cases)
    describe(code, () => {
      for (const each of wrong)
        it(`found: ${each.what}`, async () => {
          expect(codesOf(await found(each))).to.deep.equal([code])
        })
      for (const each of right)
        it(`not found: ${each.what}`, async () => {
          expect(codesOf(await found(each))).to.deep.equal([])
        })
    })

  it('cookie_in_frame, not found: the cookie came all the same', async () => {
    app = await startDoctorApp({
      ...{ flow: https, ...trusting },
      session: { ...secureCookie, saveUninitialized: true },
    })
    const headers = { ...inFrame('cross-site'), ...byProxy }
    const browser = createBrowser()
    const url = `${app.origin}/doctor`
    expect((await browser.request(url, { headers })).body).to.include('cookie_in_frame')
    expect((await browser.request(url, { headers })).body).to.equal('[]')
  })

  describe('callback_misplaced, with routers in routers', () => {
    const inRouters = (redirectPath: string) =>
      startDoctorApp({
        mount: '/nowhere-yet',
        flow: { redirectUri: `http://127.0.0.1${redirectPath}` },
        before: (routes) => {
          routes.use('/shop', outer)
        },
        routes: (_routes, flow) => {
          outer.use('/auth', inner)
          inner.use(flow)
        },
      })
    let outer: express.Router
    let inner: express.Router

    beforeEach(() => {
      outer = express.Router()
      inner = express.Router()
    })

    it('not found: the outer paths together lead to the callback', async () => {
      app = await inRouters('/shop/auth/callback')
      expect(codesOf(await findingsOf(app))).to.deep.equal([])
    })

    it('found: they lead elsewhere', async () => {
      for (const path of ['/shop/callback', '/auth/callback', '/callback']) {
        await app?.close()
        app = await inRouters(path)
        expect(codesOf(await findingsOf(app)), path).to.deep.equal(['callback_misplaced'])
      }
    })

    it('not found: routers in a circle', async () => {
      inner.use('/again', outer)
      app = await inRouters('/shop/auth/callback')
      expect(codesOf(await findingsOf(app))).to.deep.equal([])
    })
  })

  const around: Record<string, (router: express.Router) => object> = {
    'a handler around the router, which nobody can look into': () => ({}),
    'an app of connect, whose layers do not say what they match': (router) => ({
      stack: [{ route: '', handle: router }],
    }),
  }
  for (const [what, members] of Object.entries(around))
    it(`not found: ${what}`, async () => {
      app = await startDoctorApp({
        routes: (routes) => {
          const wrapped = pkceFlow({
            server: {
              authorization_endpoint: 'https://server.example/authorize',
              token_endpoint: 'https://server.example/token',
            },
            ...{ clientId: 'client', redirectUri: 'http://127.0.0.1/two/callback' },
            ...{ name: 'two', requestProperty: 'two' },
          })
          const handle: express.RequestHandler = (req, res, next) => wrapped(req, res, next)
          routes.use('/two', Object.assign(handle, members(wrapped)))
          mountDoctor(routes, wrapped)
        },
      })
      expect(codesOf(await findingsOf(app))).to.deep.equal([])
    })

  it('not found: an app within an app', async () => {
    app = await startDoctorApp({
      mount: '/nowhere',
      flow: { redirectUri: 'http://127.0.0.1/sub/auth/callback' },
      routes: (routes, flow) => {
        const sub = express()
        sub.use('/auth', flow)
        mountDoctor(sub, flow)
        routes.use('/sub', sub)
      },
    })
    expect(codesOf(await findingsOf(app, person, '/sub/doctor'))).to.deep.equal([])
  })

  describe('base_path_missing, by an answer of the authorization server', () => {
    const shop = { redirectUri: 'http://127.0.0.1/shop/callback' }

    /** Starts a login at a guarded page, and brings its answer to where a proxy would. */
    async function answered(running: RunningApp, path: string, otherBrowser = false) {
      const browser = createBrowser()
      const start = await browser.request(running.url('/token'), { headers: person })
      const answer = await browser.request(start.headers.location!)
      const { search } = new URL(answer.headers.location!)
      const page = await (otherBrowser ? createBrowser() : browser).request(
        running.url(path + search),
        { headers: person },
      )
      return JSON.parse(page.body) as Finding[]
    }

    beforeEach(async () => {
      app = await startDoctorApp({
        flow: shop,
        routes: (routes, flow) => {
          routes.get('/token', flow.requireToken())
        },
      })
    })

    it('found: it comes to the path without its beginning', async () => {
      const findings = await answered(app as RunningApp, '/callback')
      expect(codesOf(findings)).to.deep.equal(['base_path_missing'])
      expect(findings[0]!.remedy).to.include("basePath: '/shop'")
    })

    it('not found: it comes to another path', async () => {
      expect(await answered(app as RunningApp, '/lback')).to.deep.equal([])
    })

    it('not found: it comes to the first page', async () => {
      await app?.close()
      const running = await startDoctorApp({
        flow: { ...shop, basePath: '/shop' },
        routes: (routes, flow) => {
          routes.get('/token', flow.requireToken())
        },
      })
      app = running
      expect(await answered(running, '/')).to.deep.equal([])
    })

    it('not found: it comes to where the app says that the proxy sends it', async () => {
      await app?.close()
      const failed: unknown[] = []
      const running = await startDoctorApp({
        flow: { ...shop, routes: { login: '/shop/login', callback: '/callback' } },
        routes: (routes, flow) => {
          routes.get('/token', flow.requireToken())
          routes.use(((error: unknown, req, res, next) => {
            failed.push(error)
            flow.diagnose(req).then((findings) => res.json(findings), next)
          }) satisfies express.ErrorRequestHandler)
        },
      })
      app = running
      running.server.misbehave('token', { answer: { status: 503 } })
      expect(await answered(running, '/callback')).to.deep.equal([])
      expect(failed[0]).to.include({ code: 'server_unavailable' })
    })

    it('not found: it is the answer to another flow’s login, or another browser’s', async () => {
      expect(await answered(app as RunningApp, '/callback', true)).to.deep.equal([])
    })
  })

  it('several things at once are several findings, each whole, with a heading of a guide', async () => {
    const findings = await found({
      what: 'all',
      setUp: {
        flow: { name: 'gitlab' },
        mount: '/auth',
        session: { cookie: { secure: true, domain: 'other.example' } },
      },
    })
    expect(codesOf(findings)).to.deep.equal([
      'cookie_domain',
      'insecure_cookie',
      'callback_misplaced',
    ])
    for (const finding of findings) {
      expect(finding).to.have.all.keys('code', 'flow', 'atFault', 'message', 'remedy', 'guide')
      expect(finding).to.include({ flow: 'gitlab', atFault: 'app' })
    }
  })

  it('what is no request is refused', async () => {
    app = await startDoctorApp()
    const { flow } = app as RunningApp
    const error: unknown = await flow.diagnose({} as never).catch((thrown: unknown) => thrown)
    expect(error).to.include({ code: 'configuration' })
  })
})
