import { expect } from 'chai'
import type { TestAuthorizationServer } from '../../src/testing/index.ts'
import { type AppSetUp, type RunningApp, startApp } from '../support/app.ts'
import { type Browser, createBrowser, nextUrl, type Page } from '../support/browser.ts'
import { clock } from '../support/clock.ts'
import { createFaultyStore } from '../support/faulty-store.ts'
import { createGate } from '../support/gate.ts'
import { changeRow, recordIn, rows, sessionId } from '../support/rows.ts'

const host = '127.0.0.1'
const landing = '/public?from=login'

describe('P3: a pending login is used once', () => {
  let app: RunningApp
  let server: TestAuthorizationServer
  let browser: Browser

  async function start(setUp: AppSetUp = {}) {
    app = await startApp(setUp)
    server = app.server
    browser = createBrowser()
  }

  afterEach(async () => {
    clock.release()
    await app.close()
  })

  function startLogin(): Promise<string> {
    return browser.openUntil(
      app.url('/callback'),
      app.url(`/login?returnTo=${encodeURIComponent(landing)}`),
    )
  }

  async function whoIs(visitor: Browser): Promise<unknown> {
    return (JSON.parse((await visitor.open(app.url('/'))).body) as { sub: unknown }).sub
  }

  /** The callback leads to the landing page, and nothing is sent. */
  async function expectRepeated(visitor: Browser, callback: string): Promise<Page> {
    const before = server.count('token')
    const page = await visitor.open(callback)
    expect(page).to.include({ status: 200, url: app.url(landing) })
    expect(server.count('token'), 'token requests').to.equal(before)
    return page
  }

  function forgetSession(visitor: Browser) {
    visitor.cookies.get(host)?.delete('connect.sid')
  }

  async function logOut() {
    const page = await browser.open(app.url('/logout'))
    expect(page.status).to.equal(200)
    expect(await whoIs(browser)).to.equal(null)
  }

  const beginnings: { title: string; session: object; begin: () => Promise<unknown> }[] = [
    { title: 'without a session', session: {}, begin: () => Promise.resolve() },
    {
      title: 'in a session',
      session: { saveUninitialized: true },
      begin: () => browser.open(app.url('/public')),
    },
    {
      title: 'in a session that is signed in',
      session: {},
      begin: () => browser.open(app.url('/login')),
    },
    {
      title: 'in a session with a SameSite=Strict cookie',
      session: { saveUninitialized: true, cookie: { sameSite: 'strict' } },
      begin: () => browser.open(app.url('/public')),
    },
  ]

  for (const { title, session, begin } of beginnings) {
    describe(`a login that began ${title}`, () => {
      beforeEach(async () => {
        await start({ session })
        await begin()
        server.reset()
      })

      it('P3: the same callback 20 times at once: one token request, all arrive signed in whatever answer the browser kept', async () => {
        const callback = await startLogin()
        const copies = Array.from({ length: 20 }, () => browser.copy())
        const pages = await Promise.all(copies.map((copy) => copy.open(callback)))
        for (const page of pages) expect(page).to.include({ status: 200, url: app.url(landing) })
        expect(server.count('token')).to.equal(1)
        const ids = new Set(copies.map(sessionId))
        expect(ids, 'sessions').to.have.property('size', 1)
        for (const copy of copies) expect(await whoIs(copy)).to.equal('alice')
      })

      it('P3: the same callback 20 times at once in one cookie jar', async () => {
        const callback = await startLogin()
        const pages = await Promise.all(Array.from({ length: 20 }, () => browser.open(callback)))
        for (const page of pages) expect(page).to.include({ status: 200, url: app.url(landing) })
        expect(server.count('token')).to.equal(1)
        expect(await whoIs(browser)).to.equal('alice')
      })

      it('P3: a repetition while the first is at the token endpoint waits for it', async () => {
        const callback = await startLogin()
        const gate = createGate()
        server.misbehave('token', { delay: gate.pass() }, { times: 1 })
        const first = browser.copy().open(callback)
        await server.received('token')
        const second = browser.open(callback)
        gate.open()
        for (const page of await Promise.all([first, second]))
          expect(page).to.include({ status: 200, url: app.url(landing) })
        expect(server.count('token')).to.equal(1)
        expect(await whoIs(browser)).to.equal('alice')
      })

      it('P3: a reload, and Back after the login, in the session that it made', async () => {
        const callback = await startLogin()
        await browser.open(callback)
        const id = sessionId(browser)
        await expectRepeated(browser, callback)
        await browser.open(app.url('/token'))
        await expectRepeated(browser, callback)
        expect(sessionId(browser)).to.equal(id)
        expect(await whoIs(browser)).to.equal('alice')
      })

      it('P3: a repetition by who still has the cookie of before is signed in', async () => {
        const callback = await startLogin()
        const before = browser.copy()
        await browser.open(callback)
        await expectRepeated(before, callback)
        expect(sessionId(before)).to.equal(sessionId(browser))
        expect(await whoIs(before)).to.equal('alice')
      })

      it('P3: a repetition without session cookie is signed in, within 60 s', async () => {
        const callback = await startLogin()
        await browser.open(callback)
        clock.advance(59_000)
        forgetSession(browser)
        await expectRepeated(browser, callback)
        expect(await whoIs(browser)).to.equal('alice')
      })

      it('P3: a repetition without session cookie after 60 s arrives, and signs nobody in', async () => {
        const callback = await startLogin()
        await browser.open(callback)
        clock.advance(61_000)
        const other = browser.copy()
        forgetSession(other)
        // What the browser has and did not send (SameSite=Strict) must not be replaced.
        await other.request(callback)
        expect(sessionId(other), 'a session cookie').to.equal(undefined)
        await expectRepeated(other, callback)
        expect(await whoIs(other)).to.equal(null)
        await expectRepeated(browser, callback)
        expect(await whoIs(browser)).to.equal('alice')
      })

      it('P3: a repetition later within loginTimeout, in the session that it made', async () => {
        const callback = await startLogin()
        await browser.open(callback)
        clock.advance(595_000)
        await expectRepeated(browser, callback)
        expect(await whoIs(browser)).to.equal('alice')
      })

      it('P3: after loginTimeout there is nothing to repeat', async () => {
        const callback = await startLogin()
        await browser.open(callback)
        clock.advance(600_001)
        const page = await browser.open(callback)
        expect(JSON.parse(page.body)).to.include({ code: 'login_not_found' })
        expect(server.count('token')).to.equal(1)
        expect(await whoIs(browser)).to.equal('alice')
      })

      it('P3: a repetition after the logout signs nobody in', async () => {
        const callback = await startLogin()
        const before = browser.copy()
        await browser.open(callback)
        await logOut()
        for (const visitor of [browser, before]) {
          await expectRepeated(visitor, callback)
          expect(await whoIs(visitor)).to.equal(null)
          forgetSession(visitor)
          await expectRepeated(visitor, callback)
          expect(await whoIs(visitor)).to.equal(null)
        }
      })

      it('P3: a repetition from the session of a later login does not switch', async () => {
        const callback = await startLogin()
        await browser.open(callback)
        server.authorizeAs('bob')
        await browser.open(app.url('/login'))
        const id = sessionId(browser)
        await expectRepeated(browser, callback)
        expect(sessionId(browser)).to.equal(id)
        expect(await whoIs(browser)).to.equal('bob')
      })
    })
  }

  it('P3: a repetition from the session of somebody else does not switch', async () => {
    await start()
    const other = createBrowser()
    server.authorizeAs('bob')
    await other.open(app.url('/login'))
    server.authorizeAs('alice')
    const callback = await startLogin()
    await browser.open(callback)
    const cookie = other.cookies.get(host)!.get('connect.sid')!
    const switched = browser.copy()
    switched.cookies.get(host)!.set('connect.sid', cookie)
    await expectRepeated(switched, callback)
    expect(sessionId(switched)).to.equal(sessionId(other))
    expect(await whoIs(switched)).to.equal('bob')
  })

  it('P3: a repetition with another code leads to the first outcome', async () => {
    await start()
    const callback = await startLogin()
    await browser.open(callback)
    const altered = new URL(callback)
    altered.searchParams.set('code', 'another-code')
    await expectRepeated(browser, altered.href)
    altered.searchParams.delete('code')
    altered.searchParams.set('error', 'access_denied')
    await expectRepeated(browser, altered.href)
    expect(await whoIs(browser)).to.equal('alice')
  })

  describe('a failed login fails again, in the same way', () => {
    const failures: {
      what: string
      flow?: object
      code: string
      status: number
      spoil: () => unknown
    }[] = [
      {
        what: 'the person said no',
        code: 'access_denied',
        status: 403,
        spoil: () => server.misbehave('authorization', { authorizationError: 'access_denied' }),
      },
      {
        what: 'another issuer',
        code: 'issuer_mismatch',
        status: 400,
        spoil: () =>
          server.misbehave('authorization', {
            authorizationResponse: (parameters) => parameters.set('iss', 'https://other.example'),
          }),
      },
      {
        what: 'a refused code',
        code: 'code_rejected',
        status: 400,
        spoil: () =>
          server.misbehave('token', { answer: { status: 400, json: { error: 'invalid_grant' } } }),
      },
      {
        what: 'a refused client',
        code: 'client_rejected',
        status: 500,
        spoil: () =>
          server.misbehave('token', { answer: { status: 401, json: { error: 'invalid_client' } } }),
      },
      {
        what: 'a server that is overloaded',
        code: 'server_unavailable',
        status: 503,
        spoil: () =>
          server.misbehave('token', { answer: { status: 503, headers: { 'retry-after': '7' } } }),
      },
      {
        what: 'an ID Token with another nonce',
        code: 'id_token_invalid',
        status: 502,
        spoil: () =>
          server.misbehave('token', {
            idToken: { claims: (claims) => ({ ...claims, nonce: 'another' }) },
          }),
      },
    ]

    for (const { what, code, status, spoil } of failures)
      it(`P3: ${what}: ${status} ${code} twice, one token request at most`, async () => {
        await start()
        spoil()
        const callback = await startLogin()
        const first = await browser.open(callback)
        expect(JSON.parse(first.body)).to.include({ code })
        const sent = server.count('token')
        server.behave()
        const second = await browser.open(callback)
        expect(second.status).to.equal(first.status).and.to.equal(status)
        expect(second.body).to.equal(first.body)
        expect(pick(app.errors[1])).to.deep.equal(pick(app.errors[0]))
        expect(server.count('token')).to.equal(sent).and.to.be.at.most(1)
        expect(await whoIs(browser)).to.equal(null)
      })

    it('P3: onLogin throws: the repetition is 400 login_interrupted, without a wait', async function () {
      this.timeout(5_000)
      const failing = () => {
        throw new TypeError('no such user')
      }
      await start({ flow: { onLogin: failing } })
      const callback = await startLogin()
      expect((await browser.open(callback)).status).to.equal(500)
      const second = await browser.open(callback)
      expect(JSON.parse(second.body)).to.include({ code: 'login_interrupted' })
      expect(server.count('token')).to.equal(1)
    })
  })

  /** What a page, or a program, sees of an error. */
  function pick(error: unknown) {
    const { code, status, message, loginUrl, retryAfter, oauthError, flow } = error as Record<
      string,
      unknown
    >
    return { code, status, message, loginUrl, retryAfter, oauthError, flow }
  }

  it('P3: what other processes read meanwhile: taken, when, and no secret any more', async () => {
    let meanwhile: Record<string, unknown> | undefined
    await start({
      flow: {
        async onLogin() {
          meanwhile = (await rows(app.store)).pending.map(recordIn)[0]
        },
      },
    })
    const before = Date.now()
    await browser.open(app.url('/login'))
    expect(meanwhile).to.include({ codeVerifier: '', nonce: '' })
    expect(meanwhile!.outcome).to.include({ status: 'taken' })
    expect((meanwhile!.outcome as { at: number }).at).to.be.within(before, Date.now())
  })

  describe('when the first answer was lost on the way', () => {
    it('P3: taken without outcome, after the lease: 400 login_interrupted, and no second token request', async () => {
      await start()
      const callback = await startLogin()
      await browser.copy().open(callback)
      // As a process leaves it that dies in the middle of the token request.
      const [pending] = (await rows(app.store)).pending
      await changeRow(app.store, pending!, (content) => {
        content.outcome = { status: 'taken', at: Date.now() }
      })
      clock.advance(60_000)
      const page = await browser.open(callback)
      expect(page.status).to.equal(400)
      expect(JSON.parse(page.body)).to.include({ code: 'login_interrupted' })
      expect(server.count('token')).to.equal(1)
    })

    it('P3: the store fails before anything was sent: the same callback can be tried again', async () => {
      const store = createFaultyStore()
      await start({ store })
      const callback = await startLogin()
      const mend = store.fail(({ operation, key }) => operation === 'set' && key.startsWith('pl.'))
      const page = await browser.open(callback)
      expect(page.status).to.equal(503)
      expect(JSON.parse(page.body)).to.include({ code: 'store_unavailable' })
      expect(server.count('token')).to.equal(0)
      mend()
      expect((await browser.open(callback)).url).to.equal(app.url(landing))
      expect(await whoIs(browser)).to.equal('alice')
    })
  })

  describe('another process has it, that shares the store and no lock', () => {
    it('P3: a repetition while that one is at the token endpoint waits for its outcome', async () => {
      const store = createFaultyStore()
      await start({ store })
      const callback = await startLogin()
      const repeating = browser.copy()
      await browser.open(callback)
      const [pending] = (await rows(store)).pending
      const { outcome } = recordIn(pending!)
      await changeRow(store, pending!, (content) => {
        content.outcome = { status: 'taken', at: Date.now() }
      })
      const asked = createGate()
      let asks = 0
      store.hold(
        ({ operation, key }) => operation === 'get' && key === pending!.key,
        () => {
          asks += 1
          if (asks === 4) void asked.pass()
          return Promise.resolve()
        },
      )
      const repetition = repeating.open(callback)
      await asked.reached
      await changeRow(store, pending!, (content) => {
        content.outcome = outcome
      })
      expect(await repetition).to.include({ status: 200, url: app.url(landing) })
      expect(server.count('token')).to.equal(1)
      expect(await whoIs(repeating)).to.equal('alice')
    })
  })

  describe('two routers in one process that share a store', () => {
    let second: RunningApp

    beforeEach(async () => {
      await start()
      second = await startApp({
        server,
        store: app.store,
        flow: { redirectUri: app.url('/callback') },
      })
      await Promise.all([app.flow.ready(), second.flow.ready()])
    })

    afterEach(() => second.close())

    const atSecond = (callback: string) => callback.replace(app.origin, second.origin)

    it('P3: a repetition at the other one sends nothing and is signed in', async () => {
      const callback = await startLogin()
      const before = browser.copy()
      await browser.open(callback)
      const page = await before.open(atSecond(callback))
      expect(page).to.include({ status: 200, url: second.url(landing) })
      expect(server.count('token')).to.equal(1)
      expect(await whoIs(before)).to.equal('alice')
    })

    it('P3: a repetition while the first one is at the token endpoint waits for its outcome', async () => {
      const callback = await startLogin()
      const gate = createGate()
      server.misbehave('token', { delay: gate.pass() }, { times: 1 })
      const copy = browser.copy()
      const first = browser.open(callback)
      await server.received('token')
      const repetition = copy.open(atSecond(callback))
      // Sent later, answered: the repetition is there.
      await createBrowser().open(second.url('/public'))
      gate.open()
      expect(await first).to.include({ status: 200, url: app.url(landing) })
      expect(await repetition).to.include({ status: 200, url: second.url(landing) })
      expect(server.count('token')).to.equal(1)
      expect(await whoIs(copy)).to.equal('alice')
    })

    it('P3: the same callback at both at the same instant, 10 times: one token request each', async () => {
      for (let round = 1; round <= 10; round += 1) {
        browser = createBrowser()
        const callback = await startLogin()
        const copy = browser.copy()
        const pages = await Promise.all([browser.open(callback), copy.open(atSecond(callback))])
        expect(server.count('token'), 'token requests').to.equal(round)
        for (const page of pages) expect(page.status).to.equal(200)
        expect(await whoIs(browser)).to.equal('alice')
        expect(await whoIs(copy)).to.equal('alice')
      }
    })
  })

  describe('an answer that came without the session cookie', () => {
    /** Up to the page that continues, as browsers leave `SameSite=Strict` cookies out. */
    async function answerWithoutSession() {
      await browser.open(app.url('/public'))
      const id = sessionId(browser)
      const callback = await startLogin()
      const stranger = browser.copy()
      forgetSession(stranger)
      const page = await stranger.request(callback)
      return { id, page, stranger, callback }
    }

    it('P3: is kept until the browser continues with its session, and then used once', async () => {
      await start({ session: { saveUninitialized: true } })
      const { id, page, stranger, callback } = await answerWithoutSession()
      expect(page.status).to.equal(200)
      expect(page.body).not.to.include(new URL(callback).searchParams.get('code'))
      expect(page.body).not.to.include(new URL(callback).searchParams.get('state'))
      expect(sessionId(stranger), 'a session cookie').to.equal(undefined)
      expect(server.count('token')).to.equal(0)

      const copies = Array.from({ length: 20 }, () => browser.copy())
      const next = nextUrl(page)!
      const pages = await Promise.all(copies.map((copy) => copy.open(next)))
      for (const each of pages) expect(each).to.include({ status: 200, url: app.url(landing) })
      expect(server.count('token')).to.equal(1)
      for (const copy of copies) expect(await whoIs(copy)).to.equal('alice')
      const { sessions } = await rows(app.store)
      expect(sessions.map(({ key }) => key)).to.deep.equal([sessionId(copies[0]!)])
      expect(sessions[0]!.key).not.to.equal(id)
    })

    it('P3: continues from nowhere but the browser with the binding cookie', async () => {
      await start({ session: { saveUninitialized: true } })
      const { page } = await answerWithoutSession()
      const next = nextUrl(page)!
      const elsewhere = await createBrowser().open(next)
      expect(JSON.parse(elsewhere.body)).to.include({ code: 'login_not_found' })
      expect(server.count('token')).to.equal(0)
      expect((await browser.open(next)).url).to.equal(app.url(landing))
      expect(await whoIs(browser)).to.equal('alice')
    })

    it('P3: a reload of the page that continues, and of the callback, arrives all the same', async () => {
      await start({ session: { saveUninitialized: true } })
      const { page, callback } = await answerWithoutSession()
      await browser.open(nextUrl(page)!)
      await expectRepeated(browser, nextUrl(page)!)
      await expectRepeated(browser, callback)
      expect(await whoIs(browser)).to.equal('alice')
    })

    it('P3: continuing before there is an answer uses nothing up', async () => {
      await start({ session: { saveUninitialized: true } })
      await browser.open(app.url('/public'))
      const callback = await startLogin()
      const id = (await rows(app.store)).pending[0]!.key.slice(3)
      const early = await browser.open(app.url(`/callback?continue=${id}`))
      expect(early.status).to.equal(400)
      expect((await browser.open(callback)).url).to.equal(app.url(landing))
      expect(await whoIs(browser)).to.equal('alice')
    })

    for (const sameSite of ['lax', 'strict'] as const)
      it(`P3: posted from another site, which leaves a SameSite=${sameSite} cookie out: continues and arrives in the session`, async () => {
        await start({
          tlsProxy: true,
          flow: { responseMode: 'form_post' },
          session: { saveUninitialized: true, cookie: { sameSite, secure: true } },
        })
        browser = createBrowser({ tlsProxy: true })
        await browser.open(app.url('/public'))
        const id = sessionId(browser)
        const start1 = await browser.request(
          app.url(`/login?returnTo=${encodeURIComponent(landing)}`),
        )
        const form = await browser.request(start1.headers.location!)
        const body = [...form.body.matchAll(/name="(\w+)" value="([^"]*)"/g)]
          .map(([, name, value]) => `${name!}=${encodeURIComponent(value!)}`)
          .join('&')
        const stranger = browser.copy()
        forgetSession(stranger)
        const page = await stranger.request(app.url('/callback'), {
          method: 'POST',
          headers: {
            'content-type': 'application/x-www-form-urlencoded',
            'sec-fetch-site': 'cross-site',
          },
          body,
        })
        expect(page.status).to.equal(sameSite === 'lax' ? 303 : 200)
        expect(sessionId(stranger), 'a session cookie').to.equal(undefined)
        expect(server.count('token')).to.equal(0)
        const arrived = await browser.open(nextUrl(page)!)
        expect(arrived).to.include({ status: 200, url: app.url(landing) })
        expect(await whoIs(browser)).to.equal('alice')
        const { sessions } = await rows(app.store)
        expect(sessions.map(({ key }) => key)).to.deep.equal([sessionId(browser)])
        expect(sessionId(browser)).not.to.equal(id)
      })
  })
})
