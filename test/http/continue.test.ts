import { expect } from 'chai'
import { MemoryStore } from 'express-session'
import { home } from '../protocol/attempt.ts'
import { startApp, type AppSetUp, type RunningApp } from '../support/app.ts'
import { createBrowser, type Browser, nextUrl, type Page } from '../support/browser.ts'
import { clock } from '../support/clock.ts'
import { createFaultyStore } from '../support/faulty-store.ts'
import { openForm, postAnswer } from './form-post.ts'
import { answerUrl, cookiesSet, json, withoutSessionCookie } from './steps.ts'

/**
 * The continue step (docs/same-site.md): after a cross-site answer the session cookie may be missing.
 * `SameSite=Strict` never comes, `Lax` does not come with a form_post.
 */
describe('a session cookie that does not come with the answer', () => {
  let app: RunningApp
  let browser: Browser

  async function start({ tlsProxy = false, ...setUp }: AppSetUp = {}) {
    app = await startApp({
      tlsProxy,
      routes: (routes, flow) => {
        routes.get('/keep', (req, res) => {
          Object.assign(req.session, { cart: 'full' })
          res.end()
        })
        routes.get('/', (req, res, next) => {
          Promise.all([flow.claims(req), flow.status(req)])
            .then(([claims, status]) => {
              const { cart } = req.session as unknown as { cart?: string }
              res.json({ sub: claims?.sub ?? null, status, cart: cart ?? null })
            })
            .catch(next)
        })
      },
      ...setUp,
    })
    browser = createBrowser({ tlsProxy })
  }

  afterEach(async () => {
    clock.release()
    await app.close()
  })

  const sessionCookie = () => browser.cookies.get('127.0.0.1')?.get('connect.sid')

  /** The browser has a session, with something in it, and a login that has been answered. */
  async function answered(mode: 'query' | 'form_post') {
    await browser.request(app.url('/keep'))
    if (mode === 'query') {
      const url = await answerUrl(app, browser)
      return { code: new URL(url).searchParams.get('code')!, send: () => browser.request(url) }
    }
    const answer = await openForm(app, browser)
    return { code: answer.get('code')!, send: () => postAnswer(app, browser, answer) }
  }

  const cases = (['query', 'form_post'] as const).flatMap((mode) =>
    (['lax', 'strict', 'none'] as const).flatMap((sameSite) =>
      [false, true].map((saveUninitialized) => ({ mode, sameSite, saveUninitialized })),
    ),
  )

  for (const { mode, sameSite, saveUninitialized } of cases) {
    const comes = sameSite === 'none' || (sameSite === 'lax' && mode === 'query')
    const setUp: AppSetUp = {
      tlsProxy: mode === 'form_post' || sameSite === 'none',
      flow: { responseMode: mode },
      session: { saveUninitialized, cookie: { sameSite, secure: mode === 'form_post' } },
    }
    const what = `${mode}, SameSite=${sameSite}${saveUninitialized ? ', saveUninitialized' : ''}`

    if (comes)
      it(`${what}: comes, and the login is finished at once`, async () => {
        await start(setUp)
        const { send } = await answered(mode)
        const page = await send()
        expect(nextUrl(page)).to.equal(app.url('/'))
        expect(json(await browser.request(app.url('/')))).to.include({ sub: 'alice', cart: 'full' })
      })
    else
      it(`${what}: is sent on to continue, and arrives with all that was in the session`, async () => {
        await start(setUp)
        const { code, send } = await answered(mode)
        const before = sessionCookie()
        const page = await withoutSessionCookie(browser, send)

        expect(cookiesSet(page), 'the real session cookie is not replaced').to.be.empty
        expect(sessionCookie()).to.equal(before)
        expect(page.headers).to.include({
          'cache-control': 'no-store',
          'referrer-policy': 'no-referrer',
        })
        const next = nextUrl(page)!
        expect(next).to.match(new RegExp(`^${app.url('/callback')}\\?continue=[0-9a-f]{32}$`))
        expect(JSON.stringify([page.headers, page.body])).not.to.include(code)
        expect(app.server.count('token'), 'nothing is sent before the cookie is there').to.equal(0)

        const end = await browser.open(next)
        expect(end.url).to.equal(app.url('/'))
        expect(json(end)).to.include({ sub: 'alice', cart: 'full' })
        expect(sessionCookie()).not.to.equal(before)
        expect(app.server.count('token')).to.equal(1)
      })
  }

  it('D-7: the store loses the login just before the answer is kept: 400, as for one that it lost before', async () => {
    const store = createFaultyStore()
    await start({ store, session: { cookie: { sameSite: 'strict' } } })
    const { send } = await answered('query')
    let reads = 0
    store.hold(
      ({ operation, key }) => operation === 'get' && key.startsWith('pl.') && (reads += 1) === 2,
      async () => {
        const { key } = store.calls.at(-1)!
        await new Promise((resolve) => MemoryStore.prototype.destroy.call(store, key, resolve))
      },
    )
    const page = await withoutSessionCookie(browser, send)
    expect(reads).to.equal(2)
    expect(page.status).to.equal(400)
    expect(json(page)).to.include({ code: 'login_not_found' })
    expect(app.server.count('token')).to.equal(0)
  })

  describe('how the browser is sent on', () => {
    it('Strict: by a page without script, that leads on by itself and by a link', async () => {
      await start({ session: { cookie: { sameSite: 'strict' } } })
      const { send } = await answered('query')
      const page = await withoutSessionCookie(browser, send)
      expect(page.status).to.equal(200)
      expect(page.headers['content-type']).to.equal('text/html; charset=utf-8')
      expect(page.headers['content-security-policy']).to.match(
        /default-src 'none'; frame-ancestors 'none'/,
      )
      expect(page.body).to.match(/<meta http-equiv="refresh" content="0;url=[^"]+">/)
      expect(page.body).to.match(/<a href="[^"]+">/)
      expect(page.body).not.to.match(/<script|onload/)
    })

    it('Lax, after a POST: by a 303, which brings it along', async () => {
      await start({ tlsProxy: true, flow: { responseMode: 'form_post' } })
      const { send } = await answered('form_post')
      const page = await withoutSessionCookie(browser, send)
      expect(page.status).to.equal(303)
    })

    it('Strict: the page where the login led is reached by such a page, too', async () => {
      await start({ session: { cookie: { sameSite: 'strict' } } })
      await browser.request(app.url('/keep'))
      const answer = await answerUrl(
        app,
        browser,
        '/login?returnTo=%2F%3Fa%3D%2522%2527%26b%3D%3Ci%3E',
      )
      const page = await browser.request(answer)
      expect(page.status).to.equal(200)
      expect(nextUrl(page)).to.equal(app.url('/?a=%22%27&b=%3Ci%3E'))
      expect(page.body).not.to.include('<i>')
    })
  })

  describe('the address to continue at', () => {
    const strict: AppSetUp = { session: { cookie: { sameSite: 'strict' } } }

    async function continued(): Promise<{ page: Page; next: string }> {
      const { send } = await answered('query')
      const page = await withoutSessionCookie(browser, send)
      return { page, next: nextUrl(page)! }
    }

    it('P3: can be opened again, and leads where it led', async () => {
      await start(strict)
      const { next } = await continued()
      for (let times = 0; times < 3; times += 1)
        expect((await browser.open(next)).url).to.equal(app.url('/'))
      expect((await home(app, browser)).sub).to.equal('alice')
      expect(app.server.count('token')).to.equal(1)
    })

    it('P3: so can the answer itself', async () => {
      await start(strict)
      const { send } = await answered('query')
      await browser.open(nextUrl(await withoutSessionCookie(browser, send))!)
      expect(nextUrl(await send())).to.equal(app.url('/'))
      expect((await home(app, browser)).sub).to.equal('alice')
      expect(app.server.count('token')).to.equal(1)
    })

    it('P2: is of no use in another browser', async () => {
      await start(strict)
      const { next } = await continued()
      const thief = createBrowser()
      expect((await thief.open(next)).status).to.equal(400)
      expect(app.errors[0]).to.include({ code: 'login_not_found' })
      expect((await home(app, thief)).sub).to.equal(null)
      expect((await browser.open(next)).url).to.equal(app.url('/'))
    })

    it('before there is an answer: 400, and the login can still be finished', async () => {
      await start()
      const answer = await answerUrl(app, browser)
      const id = browser
        .cookieNames()
        .find((name) => name.startsWith('pkce.'))!
        .split('.')[2]!
      const page = await browser.request(app.url(`/callback?continue=${id}`))
      expect(page.status).to.equal(400)
      expect((await browser.open(answer)).url).to.equal(app.url('/'))
    })

    for (const id of ['', 'x', '../x', 'A'.repeat(32), 'a'.repeat(31), 'a'.repeat(33), '__proto__'])
      it(`"${id}" is none: invalid_callback`, async () => {
        await start()
        const query = new URLSearchParams({ continue: id }).toString()
        expect((await browser.request(app.url(`/callback?${query}`))).status).to.equal(400)
        expect(app.errors[0]).to.include({ code: 'invalid_callback' })
      })

    it('of a login that nobody knows: login_not_found', async () => {
      await start()
      await browser.request(app.url(`/callback?continue=${'a'.repeat(32)}`))
      expect(app.errors[0]).to.include({ code: 'login_not_found' })
    })

    it('is too old when the login is', async () => {
      await start(strict)
      const { next } = await continued()
      clock.advance(600_000)
      expect((await browser.open(next)).status).to.equal(400)
      expect(app.errors[0]).to.include({ code: 'login_not_found' })
    })
  })

  it('a browser that never sends it is signed in to a new session: no circle', async () => {
    await start()
    const { send } = await answered('query')
    browser.cookies.get('127.0.0.1')!.delete('connect.sid')
    const end = await browser.open(nextUrl(await send())!)
    expect(end.url).to.equal(app.url('/'))
    expect(json(end)).to.include({ sub: 'alice', cart: null })
    expect(app.server.count('token')).to.equal(1)
  })

  it('a login that began without a session has nothing to wait for', async () => {
    await start()
    const page = await browser.request(await answerUrl(app, browser))
    expect(page.headers.location).to.equal('/')
  })

  it('an answer that reports an error waits, too, and is reported then', async () => {
    await start()
    app.server.misbehave('authorization', { authorizationError: 'access_denied' })
    await browser.request(app.url('/keep'))
    const answer = await answerUrl(app, browser)
    const page = await withoutSessionCookie(browser, () => browser.request(answer))
    expect(page.status).to.equal(200)
    const end = await browser.open(nextUrl(page)!)
    expect(end.status).to.equal(403)
    expect(app.errors[0]).to.include({ code: 'access_denied', oauthError: 'access_denied' })
    expect(json(await browser.request(app.url('/')))).to.include({ sub: null, cart: 'full' })
  })

  it('an answer of another authorization server is refused then', async () => {
    await start()
    await browser.request(app.url('/keep'))
    const answer = new URL(await answerUrl(app, browser))
    answer.searchParams.set('iss', 'https://other.example')
    const page = await withoutSessionCookie(browser, () => browser.request(answer.href))
    expect((await browser.open(nextUrl(page)!)).status).to.equal(400)
    expect(app.errors[0]).to.include({ code: 'issuer_mismatch' })
    expect(app.server.count('token')).to.equal(0)
  })

  it('a store that cannot keep the answer: 503, and the answer can be sent again', async () => {
    const store = createFaultyStore()
    await start({ store })
    const { send } = await answered('query')
    const stop = store.fail(({ operation, key }) => operation === 'set' && key.startsWith('pl.'))
    const page = await withoutSessionCookie(browser, send)
    expect(page.status).to.equal(503)
    expect(cookiesSet(page)).to.be.empty
    stop()
    await browser.open(nextUrl(await withoutSessionCookie(browser, send))!)
    expect(json(await browser.request(app.url('/')))).to.include({ sub: 'alice', cart: 'full' })
  })

  it('C-27: a refused answer without it sets no other session cookie', async () => {
    await start()
    const { send } = await answered('query')
    const forged = () => browser.request(app.url('/callback?state=forged&code=forged'))
    const page = await withoutSessionCookie(browser, forged)
    expect(page.status).to.equal(400)
    expect(cookiesSet(page)).to.be.empty
    expect(nextUrl(await send())).to.equal(app.url('/'))
    expect(json(await browser.request(app.url('/')))).to.include({ sub: 'alice', cart: 'full' })
  })
})
