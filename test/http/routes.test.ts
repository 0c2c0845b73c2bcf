import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect } from 'chai'
import express from 'express'
import session from 'express-session'
import { pkceFlow } from '../../src/index.ts'
import { createTestAuthorizationServer } from '../../src/testing/index.ts'
import { logIn } from '../protocol/attempt.ts'
import { startApp, type AppSetUp, type RunningApp } from '../support/app.ts'
import { createBrowser } from '../support/browser.ts'
import { answerUrl, json, navigation, startsLogin } from './steps.ts'

describe('routes', () => {
  const running: { close(): Promise<void> }[] = []

  async function start(setUp: AppSetUp = {}): Promise<RunningApp> {
    const app = await startApp(setUp)
    running.push(app)
    return app
  }

  afterEach(async () => {
    for (const each of running.splice(0).reverse()) await each.close()
  })

  describe('methods', () => {
    const allowed = { '/login': 'GET', '/callback': 'GET', '/logout': 'GET, POST' }
    for (const [path, allow] of Object.entries(allowed))
      for (const method of ['HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
        if (!allow.includes(method))
          it(`${method} ${path} is 405, Allow: ${allow}, and changes nothing`, async () => {
            const app = await start()
            const page = await createBrowser().request(app.url(`${path}?state=x&code=y`), {
              method,
            })
            expect(page.status).to.equal(405)
            expect(page.headers).to.include({ allow, 'cache-control': 'no-store' })
            expect(page.headers).not.to.have.property('set-cookie')
            expect(page.body).to.equal('')
            expect(app.errors).to.be.empty
          })

    it('form_post: the callback takes GET, to continue, and POST', async () => {
      const app = await start({ tlsProxy: true, flow: { responseMode: 'form_post' } })
      const browser = createBrowser({ tlsProxy: true })
      const page = await browser.request(app.url('/callback'), { method: 'PUT' })
      expect(page.status).to.equal(405)
      expect(page.headers.allow).to.equal('GET, POST')
    })

    it('a callback by HEAD does not use up the login', async () => {
      const app = await start()
      const browser = createBrowser()
      const answer = await answerUrl(app, browser)
      expect((await browser.request(answer, { method: 'HEAD' })).status).to.equal(405)
      expect((await browser.open(answer)).url).to.equal(app.url('/'))
      expect(app.server.count('token')).to.equal(1)
    })
  })

  it('everything else goes on to the app', async () => {
    const app = await start()
    for (const path of ['/login/x', '/loginx', '/x/login', '/Login', '/callback/x', '//login'])
      expect((await createBrowser().request(app.url(path))).status, path).to.equal(404)
  })

  it('a slash at the end, and a query, make no difference', async () => {
    const app = await start()
    const browser = createBrowser()
    for (const path of ['/login', '/login/', '/login?x', '/login/?returnTo=/', '/login?'])
      expect(startsLogin(app, await browser.request(app.url(path))), path).to.equal(true)
  })

  it('our answers are kept by nobody, and tell no page where they come from', async () => {
    const app = await start()
    const browser = createBrowser()
    const answer = await answerUrl(app, browser)
    for (const url of [app.url('/login'), answer, app.url('/callback'), app.url('/logout')]) {
      const { headers } = await browser.request(url)
      expect(headers['cache-control'], url).to.equal('no-store')
      expect(headers['referrer-policy'], url).to.equal('no-referrer')
    }
  })

  describe('starting (decision 10)', () => {
    for (const [what, headers, status] of [
      ['a prefetch', { 'sec-purpose': 'prefetch' }, 204],
      ['a prerendering', { 'sec-purpose': 'prefetch;prerender' }, 204],
      ['fetch()', { 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' }, 401],
      ['an image', { 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' }, 401],
      ['a frame', { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' }, 401],
      [
        'an image of another site',
        { 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image', 'sec-fetch-site': 'cross-site' },
        403,
      ],
      [
        'a frame of another site',
        {
          'sec-fetch-mode': 'navigate',
          'sec-fetch-dest': 'iframe',
          'sec-fetch-site': 'cross-site',
        },
        403,
      ],
    ] as const)
      it(`P14: ${what} starts nothing: ${status}`, async () => {
        const app = await start()
        const page = await createBrowser().request(app.url('/login'), { headers })
        expect(page.status).to.equal(status)
        expect(startsLogin(app, page)).to.equal(false)
        expect(app.server.count('discovery')).to.equal(0)
      })

    for (const site of ['same-origin', 'same-site', 'cross-site', 'none'])
      it(`a navigation from ${site} starts a login`, async () => {
        const app = await start()
        const headers = { ...navigation, 'sec-fetch-site': site }
        const page = await createBrowser().request(app.url('/login'), { headers })
        expect(startsLogin(app, page)).to.equal(true)
      })
  })

  describe('where the router is mounted', () => {
    it('below a path', async () => {
      const app = await startAt('/auth', '/auth/callback')
      const browser = createBrowser()
      const page = await browser.open(app.url('/auth/login?returnTo=/auth/page'))
      expect(page.url).to.equal(app.url('/auth/page'))
      expect(json(page)).to.have.property('token')
    })

    it('below a path, in other letters', async () => {
      const app = await startAt('/Auth', '/auth/callback')
      const page = await createBrowser().open(app.url('/auth/login?returnTo=/auth/page'))
      expect(page.url).to.equal(app.url('/auth/page'))
    })

    it('in routers within routers', async () => {
      const app = await startAt('/a', '/a/b/callback', '/b')
      const page = await createBrowser().open(app.url('/a/b/login?returnTo=/a/b/page'))
      expect(page.url).to.equal(app.url('/a/b/page'))
    })

    it('with a parameter in the path', async () => {
      const app = await startAt('/:tenant', '/acme/callback')
      const page = await createBrowser().open(app.url('/acme/login?returnTo=/acme/page'))
      expect(page.url).to.equal(app.url('/acme/page'))
    })

    it('in an app within an app', async () => {
      const inner = express()
      const app = await startAt('/inner', '/inner/callback', '/', inner)
      const page = await createBrowser().open(app.url('/inner/login?returnTo=/inner/page'))
      expect(page.url).to.equal(app.url('/inner/page'))
    })

    /** An app with the flow in another router, which has a guarded page. */
    async function startAt(
      mount: string,
      callback: string,
      innerMount = '/',
      inner: express.Router = express.Router(),
    ) {
      const server = await createTestAuthorizationServer()
      const outer = express()
      const listener = http.createServer(outer)
      await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
      const origin = `http://127.0.0.1:${(listener.address() as AddressInfo).port}`
      running.push(server, {
        close: () => new Promise((resolve) => listener.close(() => resolve())),
      })
      const flow = pkceFlow({
        issuer: server.issuer,
        clientId: 'test-client',
        clientSecret: 'test-client-secret',
        redirectUri: origin + callback,
      })
      outer.use(session({ secret: 'x', resave: false, saveUninitialized: false }))
      inner.use(innerMount, flow)
      inner.get(
        [innerMount, 'page'].join('/').replace('//', '/'),
        flow.requireToken((req, res) => {
          res.json({ token: req.token.accessToken })
        }),
      )
      outer.use(mount, inner)
      return { url: (path: string) => origin + path }
    }
  })

  describe('basePath, behind a proxy that strips a prefix', () => {
    /** A proxy at /base, and an app behind it that knows no /base in its URLs. */
    async function startBehindProxy() {
      const target: { app?: RunningApp } = {}
      const proxy = http.createServer((req, res) => {
        const { url = '', method, headers } = req
        if (!url.startsWith('/base/') || target.app === undefined) {
          res.writeHead(404).end('nothing of ours')
          return
        }
        const forwarded = http.request(
          target.app.origin + url.slice('/base'.length),
          { method, headers },
          (answer) => {
            res.writeHead(answer.statusCode ?? 500, answer.headers)
            answer.pipe(res)
          },
        )
        req.pipe(forwarded)
      })
      await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
      const origin = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
      running.push({
        close: () => {
          proxy.closeAllConnections()
          return new Promise((resolve) => proxy.close(() => resolve()))
        },
      })
      const app = await start({
        flow: {
          redirectUri: `${origin}/base/callback`,
          postLogoutRedirectUri: `${origin}/base/logged-out`,
          basePath: '/base',
          afterLogin: '/welcome',
          afterLogout: '/bye',
        },
        routes: (routes, flow) => {
          routes.get('/page', flow.requireToken(), (_req, res) => res.json({ page: true }))
          routes.get('/welcome', (_req, res) => res.json({ welcome: true }))
          routes.get('/bye', (_req, res) => res.json({ bye: true }))
        },
      })
      target.app = app
      return { app, url: (path: string) => `${origin}/base${path}` }
    }

    it('logs in and out, with the prefix in every place that the browser is sent to', async () => {
      const { url } = await startBehindProxy()
      const browser = createBrowser()
      expect((await browser.open(url('/login'))).url).to.equal(url('/welcome'))
      expect((await browser.open(url('/logout'))).url).to.equal(url('/bye'))
    })

    it('a guarded page is come back to', async () => {
      const { url } = await startBehindProxy()
      const page = await createBrowser().open(url('/page?x=1'))
      expect(page.url).to.equal(url('/page?x=1'))
      expect(json(page)).to.deep.equal({ page: true })
    })

    it('loginUrl is what the browser needs', async () => {
      const { url } = await startBehindProxy()
      const page = await createBrowser().request(url('/page'), { headers: { accept: '*/*' } })
      expect(json(page)).to.include({ loginUrl: '/base/login' })
    })

    it('a returnTo of our own routes, with the prefix, would lead in circles and is dropped', async () => {
      const { url } = await startBehindProxy()
      for (const path of ['/base/login', '/base/logout', '/base/callback/'])
        expect((await createBrowser().open(url(`/login?returnTo=${path}`))).url).to.equal(
          url('/welcome'),
        )
    })
  })

  it('the authorization response is taken from the URL, whatever parser the app has', async () => {
    for (const parser of ['extended', 'simple', false] as const) {
      const app = await start({ before: (routes) => routes.set('query parser', parser) })
      await logIn(app)
    }
  })
})
