import { expect } from 'chai'
import session, { MemoryStore } from 'express-session'
import express from 'express'
import request from 'supertest'
import { pkceFlow } from '../../src/index.ts'
import { logIn } from '../../src/testing/index.ts'
import { type AppSetUp, type RunningApp, startApp } from '../support/app.ts'
import { createBrowser } from '../support/browser.ts'
import { texts } from './guides.ts'

/** Sentences of the guides that no other test shows, each with the test that does. */
describe('what the guides say', () => {
  let app: RunningApp | undefined

  afterEach(async () => {
    await app?.close()
    app = undefined
  })

  async function start(setUp: AppSetUp): Promise<RunningApp> {
    app = await startApp(setUp)
    return app
  }

  function says(guide: string, words: string) {
    const text = texts.get(`docs/${guide}`)!
    it(`${guide}: ${words}`, () => {
      expect(text.replace(/\s+/g, ' ')).to.include(words)
    })
  }

  describe('behind a proxy', () => {
    /** A proxy's request, which says that the browser came by https, or does not. */
    const proxied = (running: RunningApp, path: string, isSaid: boolean) =>
      createBrowser().request(running.url(path).replace('https:', 'http:'), {
        headers: isSaid ? { 'x-forwarded-proto': 'https' } : {},
      })

    says('behind-a-proxy.md', 'So `/login` checks it first, and fails with [`insecure_cookie`]')
    it('a login by a proxy that does not say https fails with insecure_cookie', async () => {
      const running = await start({ tlsProxy: true, session: { cookie: { secure: true } } })
      expect((await proxied(running, '/login', true)).headers.location).to.include('/authorize')
      // First to https, which a proxy of this kind brings here again.
      const moved = await proxied(running, '/login', false)
      expect(moved.headers.location).to.equal(`${running.origin}/login?pkce-flow-moved=1`)
      const page = await proxied(running, '/login?pkce-flow-moved=1', false)
      expect(JSON.parse(page.body)).to.include({ code: 'insecure_cookie' })
    })

    const prefix = {
      redirectUri: 'https://127.0.0.1/shop/callback',
      basePath: '/shop',
      afterLogin: '/orders',
    }

    says('behind-a-proxy.md', "afterLogin: '/orders', // https://example.com/shop/orders")
    says('behind-a-proxy.md', "`login()` and `logout()`; what `onLogin` returns | the browser's")
    it('afterLogin gets the prefix, returnTo has it', async () => {
      const running = await start({ tlsProxy: true, flow: prefix })
      for (const [query, landing] of [
        ['', '/shop/orders'],
        ['?returnTo=/shop/basket', '/shop/basket'],
        ['?returnTo=/basket', '/basket'],
      ] as const) {
        const browser = createBrowser({ tlsProxy: true })
        const there = await browser.request(running.url(`/login${query}`))
        const answer = await browser.openUntil('https://127.0.0.1/shop', there.headers.location!)
        // What the proxy makes of it.
        const page = await browser.request(running.url(answer.split('/shop')[1]!))
        expect(page.headers.location).to.equal(landing)
      }
    })

    says('behind-a-proxy.md', "with `path: '/shop'` there would be no session at all")
    it('a session cookie whose path is the prefix makes no session', async () => {
      const cookie = { path: '/shop' }
      const running = await start({ tlsProxy: true, flow: prefix, session: { cookie } })
      const page = await proxied(running, '/login', true)
      expect(JSON.parse(page.body)).to.include({ code: 'session_missing' })
    })

    says('behind-a-proxy.md', "`app.use('/shop', flow)` works as well; `app.use('/other', flow)`")
    it('the router works below the path of redirectUri, and nowhere else', async () => {
      const flow = { redirectUri: 'http://127.0.0.1/shop/callback' }
      const running = await start({ mount: '/shop', flow })
      const login = () => createBrowser().request(running.url('/shop/login'))
      expect((await login()).headers.location).to.include('/authorize')
      await running.close()
      const elsewhere = await start({ mount: '/other', flow })
      const page = await createBrowser().request(elsewhere.url('/other/anything'))
      expect(JSON.parse(page.body)).to.include({ code: 'callback_misplaced' })
    })
  })

  describe('sessions and stores', () => {
    says('sessions-and-stores.md', 'but know nothing of the tokens: those are not revoked')
    it('a session that the app destroys leaves its tokens as they are', async () => {
      const running = await start({
        before: () => undefined,
        routes: (routes, flow) => {
          routes.get('/', (_req, res) => res.end())
          routes.get('/end', (req, res) => {
            req.session.destroy(() => res.end())
          })
          routes.get('/login-only', flow.requireLogin(), (_req, res) => res.end())
        },
      })
      const agent = request.agent(running.app)
      await logIn(agent, { server: running.server })
      await agent.get('/login-only').expect(200)
      await agent.get('/end').expect(200)
      await agent.get('/login-only').expect(401)
      expect(running.server.issued[0]).to.include({ active: true, refreshable: true })
      expect(running.server.count('revocation')).to.equal(0)
    })

    says('sessions-and-stores.md', 'there is no store beside it, so every login fails')
    it('a session without a store is no session', async () => {
      const bare = express().set('env', 'test') // does not print the error
      bare.use((req, _res, next) => {
        Object.assign(req, { session: {} })
        next()
      })
      bare.use(
        pkceFlow({
          issuer: 'https://server.example',
          clientId: 'client',
          redirectUri: 'https://app.example/callback',
        }),
      )
      const { status, text } = await request(bare).get('/login').set('accept', 'text/html')
      expect(status).to.equal(500)
      expect(text).to.include('There is no req.session')
    })
  })

  says('sessions-and-stores.md', 'ends `maxAge` after the session was last changed')
  for (const rolling of [false, true])
    it(`the session cookie is ${rolling ? '' : 'not '}renewed with rolling: ${rolling}`, async () => {
      const running = await start({ session: { rolling, cookie: { maxAge: 60_000 } } })
      const browser = createBrowser()
      await browser.open(running.url('/login'))
      const page = await browser.request(running.url('/login-only'))
      expect(page.status).to.equal(200)
      const isRenewed = page.headers['set-cookie']?.some((line) => line.startsWith('connect.sid='))
      expect(isRenewed ?? false).to.equal(rolling)
    })

  describe('what a request costs', () => {
    /** Reads and writes of records, by the first letters of their keys. */
    function countingStore() {
      const calls: string[] = []
      class CountingStore extends MemoryStore {
        override get(...[key, done]: Parameters<MemoryStore['get']>) {
          if (key.includes('.')) calls.push(`get ${key.slice(0, 2)}`)
          super.get(key, done)
        }
        override set(...[key, value, done]: Parameters<MemoryStore['set']>) {
          if (key.includes('.')) calls.push(`set ${key.slice(0, 2)}`)
          super.set(key, value, done)
        }
      }
      return { store: new CountingStore(), calls }
    }

    says('how-it-works.md', 'of a browser that is not signed in | none')
    says('how-it-works.md', 'one read, however often it is asked')
    says('how-it-works.md', 'three reads, at the same time')
    for (const [routes, reads] of [
      [{}, ['get tr']],
      [{ backchannelLogout: '/backchannel-logout' }, ['get lm', 'get lm', 'get tr']],
    ] as const)
      it(`${reads.length} of a browser that is signed in`, async () => {
        const { store, calls } = countingStore()
        const running = await start({ store, flow: { routes } })
        const browser = createBrowser()
        await browser.request(running.url('/'))
        expect(calls).to.deep.equal([])
        await browser.request(running.url('/login'))
        expect(calls).to.deep.equal(['set pl'])
        await browser.open(running.url('/login'))
        calls.length = 0
        await browser.request(running.url('/')) // attaches, asks for claims and status
        expect(calls.sort()).to.deep.equal(reads)
      })
  })

  it('express-session itself is what sets no secure cookie by http', async () => {
    const bare = express()
    bare.use(
      session({ secret: 'x', resave: false, saveUninitialized: true, cookie: { secure: true } }),
    )
    bare.get('/', (_req, res) => res.end())
    const { headers } = await request(bare).get('/')
    expect(headers).not.to.have.property('set-cookie')
  })
})
