import { expect } from 'chai'
import type { PkceFlowError } from '../../src/index.ts'
import { startApp, type AppSetUp, type RunningApp } from '../support/app.ts'
import { createBrowser } from '../support/browser.ts'
import { json, navigation, program, startsLogin } from './steps.ts'

describe('the app’s own set-up', () => {
  let app: RunningApp | undefined

  async function start(setUp: AppSetUp): Promise<RunningApp> {
    app = await startApp(setUp)
    return app
  }

  afterEach(() => app?.close())

  describe('session_missing: there is no session to sign anybody in to', () => {
    const reasons: [string, AppSetUp, (app: RunningApp) => void][] = [
      [
        'the cookie path of express-session is another',
        { session: { cookie: { path: '/elsewhere' } } },
        () => undefined,
      ],
      ['its store is disconnected', {}, ({ store }) => store.emit('disconnect')],
      [
        'another session middleware has no store',
        {
          before: (routes) => {
            routes.use((req, _res, next) => {
              Object.assign(req, { session: { views: 1 } })
              next()
            })
          },
        },
        () => undefined,
      ],
    ]
    for (const [why, setUp, spoil] of reasons) {
      for (const path of ['/login', '/callback?state=x&code=y', '/logout', '/token', '/login-only'])
        it(`${path}, when ${why}`, async () => {
          spoil(await start(setUp))
          for (const headers of [navigation, program]) {
            const page = await createBrowser().request(app!.url(path), { headers })
            expect(page.status).to.equal(500)
            expect(startsLogin(app!, page)).to.equal(false)
            const error = app!.errors.pop() as PkceFlowError
            expect(error).to.include({ code: 'session_missing', expose: false })
            expect(error.message).to.match(/express-session.*cookie path.*connected/)
          }
        })

      it(`pages without a guard work, when ${why}`, async () => {
        spoil(await start(setUp))
        const page = await createBrowser().request(app!.url('/public'))
        expect(json(page)).to.deep.equal({ token: null })
      })
    }

    it('and it works again when the store is back', async () => {
      const { store, origin } = await start({})
      store.emit('disconnect')
      expect((await createBrowser().request(`${origin}/login`)).status).to.equal(500)
      store.emit('connect')
      expect((await createBrowser().open(`${origin}/login`)).url).to.equal(`${origin}/`)
    })
  })

  describe('insecure_cookie: the session cookie would never be set', () => {
    const secure = { session: { cookie: { secure: true } } }

    for (const path of ['/login', '/token'])
      it(`${path} over http: says so with the remedy, and starts nothing`, async () => {
        await start(secure)
        const page = await createBrowser().request(app!.url(path), { headers: navigation })
        expect(page.status).to.equal(500)
        expect(startsLogin(app!, page)).to.equal(false)
        const error = app!.errors[0] as PkceFlowError
        expect(error).to.include({ code: 'insecure_cookie', expose: false })
        expect(error.message)
          .to.match(/trust proxy/)
          .and.to.match(/X-Forwarded-Proto/)
        expect(app!.server.requests).to.be.empty
      })

    it('behind a proxy that the app does not trust: no circle, and the same error', async () => {
      await start({
        ...secure,
        tlsProxy: true,
        before: (routes) => routes.set('trust proxy', false),
      })
      const page = await createBrowser({ tlsProxy: true }).open(app!.url('/login'))
      expect(page.status).to.equal(500)
      expect(app!.errors[0]).to.include({ code: 'insecure_cookie' })
    })

    it('behind a proxy that the app trusts, all is well', async () => {
      await start({ ...secure, tlsProxy: true })
      const browser = createBrowser({ tlsProxy: true })
      expect((await browser.open(app!.url('/login'))).url).to.equal(app!.url('/'))
      expect(browser.cookieNames()).to.include('connect.sid')
    })

    it('three logins and then no session: a person is told, a program gets its 401', async () => {
      await start({})
      const browser = createBrowser()
      for (let logins = 0; logins < 3; logins++) await browser.open(app!.url('/login'))
      browser.cookies.get('127.0.0.1')!.delete('connect.sid')

      const page = await browser.request(app!.url('/token'), { headers: navigation })
      expect(page.status).to.equal(500)
      expect(app!.errors[0]).to.include({ code: 'insecure_cookie' })
      expect((app!.errors[0] as Error).message).to.match(
        /without its session cookie\..*trust proxy/,
      )
      const answer = await browser.request(app!.url('/token'), {
        headers: { accept: 'application/json' },
      })
      expect(answer.status).to.equal(401)
      expect(JSON.parse(answer.body)).to.include({ code: 'login_required' })
    })

    it("with secure: 'auto' all is well, with TLS and without", async () => {
      for (const tlsProxy of [true, false]) {
        await app?.close()
        await start({ session: { cookie: { secure: 'auto' } }, tlsProxy })
        const page = await createBrowser({ tlsProxy }).open(app!.url('/login'))
        expect(page.url).to.equal(app!.url('/'))
      }
    })
  })

  describe('express-session in every way that people set it up', () => {
    const ways: [string, AppSetUp['session']][] = [
      ['resave', { resave: true }],
      ['saveUninitialized', { saveUninitialized: true }],
      ['rolling', { rolling: true }],
      ['all of them', { resave: true, saveUninitialized: true, rolling: true }],
      ['maxAge', { cookie: { maxAge: 60_000 } }],
      ['another cookie name', { name: 'app.session' }],
      ['several secrets', { secret: ['new', 'old'] }],
      ['unset: destroy', { unset: 'destroy' }],
      ['ids of the app’s own', { genid: () => `id/${Math.random()} +=ä` }],
    ]
    for (const [what, session] of ways)
      it(`${what}: logs in, again, and out`, async () => {
        await start({ session: session ?? {} })
        const browser = createBrowser()
        for (const path of ['/login', '/login', '/token'])
          expect((await browser.open(app!.url(path))).status).to.equal(200)
        expect(json(await browser.request(app!.url('/')))).to.deep.include({ sub: 'alice' })
        await browser.open(app!.url('/logout'))
        expect(json(await browser.request(app!.url('/')))).to.deep.include({ sub: null })
        expect(app!.errors).to.be.empty
      })
  })
})
