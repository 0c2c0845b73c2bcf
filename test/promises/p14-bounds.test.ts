import { EventEmitter } from 'node:events'
import { expect } from 'chai'
import type { Express } from 'express'
import type { PkceFlow } from '../../src/index.ts'
import { type AppSetUp, type RunningApp, startApp } from '../support/app.ts'
import { type Browser, createBrowser, type Navigation } from '../support/browser.ts'
import { clock } from '../support/clock.ts'
import { createFaultyStore } from '../support/faulty-store.ts'
import { bindingCookies, recordIn, type Row, rows } from '../support/rows.ts'
import { until } from '../support/until.ts'

describe('P14: what is stored expires, and is bounded', () => {
  let app: RunningApp
  let browser: Browser

  async function start(setUp: AppSetUp = {}) {
    app = await startApp(setUp)
    browser = createBrowser()
  }

  afterEach(async () => {
    clock.release()
    await app.close()
  })

  /** The members that session stores take an expiry from, and our own, all say the same. */
  function expectExpiry({ key, content }: Row, lifetime: number) {
    const { originalMaxAge, maxAge, expires } = content.cookie as unknown as Record<string, unknown>
    expect(originalMaxAge, key).to.equal(lifetime)
    expect(maxAge, key).to.equal(lifetime)
    expect(expires, key).to.equal(new Date(Date.now() + lifetime).toISOString())
    expect(content.expiresAt, key).to.equal(Date.now() + lifetime)
  }

  describe('an expiry that every store understands', () => {
    for (const loginTimeout of [2_000, 600_000, 86_400_000])
      it(`P14: a pending login, with loginTimeout ${loginTimeout}`, async () => {
        await start({ flow: { loginTimeout } })
        clock.stop()
        await browser.request(app.url('/login'))
        const { pending } = await rows(app.store)
        expect(pending).to.have.length(1)
        expectExpiry(pending[0]!, loginTimeout)
      })

    it('P14: a pending login that was finished lives for the rest of its time', async () => {
      await start()
      clock.stop()
      const callback = await browser.openUntil(app.url('/callback'), app.url('/login'))
      clock.advance(200_000)
      app.server.misbehave('authorization', { authorizationError: 'access_denied' })
      const refused = await browser.openUntil(app.url('/callback'), app.url('/login'))
      const altered = new URL(callback)
      altered.searchParams.set('error', 'access_denied')
      await browser.open(altered.href)
      await browser.open(refused)
      const lifetimes = (await rows(app.store)).pending.map((row) => {
        expect(recordIn(row)).to.have.property('outcome')
        return row.content.cookie.originalMaxAge
      })
      expect(lifetimes).to.have.members([400_000, 600_000])
    })

    const sessions = [
      { title: 'a session cookie with maxAge', cookie: { maxAge: 1_800_000 }, lifetime: 1_800_000 },
      { title: 'a session cookie without', cookie: {}, lifetime: 86_400_000 },
    ]
    for (const { title, cookie, lifetime } of sessions) {
      it(`P14: tokens, as long as the session: ${title}`, async () => {
        await start({ session: { cookie } })
        clock.stop()
        await browser.open(app.url('/login'))
        const { tokens } = await rows(app.store)
        expect(tokens).to.have.length(1)
        expectExpiry(tokens[0]!, lifetime)
      })

      it(`P14: the marker of tokens that were ended, as long as a session: ${title}`, async () => {
        await start({ session: { cookie } })
        clock.stop()
        await browser.open(app.url('/login'))
        await browser.open(app.url('/logout'))
        const { tokens } = await rows(app.store)
        expect(tokens).to.have.length(1)
        expectExpiry(tokens[0]!, lifetime)
        expect(JSON.stringify(tokens)).not.to.include(app.server.issued[0]!.accessToken)
      })
    }

    it('P14: every row has a key of 35 characters at most, and an expiry', async () => {
      await start({ session: { cookie: { maxAge: 3_600_000 } } })
      await browser.open(app.url('/login'))
      await browser.request(app.url('/login'))
      await browser.open(app.url('/logout'))
      await browser.open(app.url('/login'))
      const { pending, tokens, sessions: stored } = await rows(app.store)
      for (const { key, content } of [...pending, ...tokens, ...stored]) {
        expect(content.cookie.expires, key).to.be.a('string')
        expect(key.length, key).to.be.at.most(35)
      }
    })
  })

  it('P14: nothing is left of a pending login after loginTimeout', async () => {
    await start()
    clock.stop()
    const callback = await browser.openUntil(app.url('/callback'), app.url('/login'))
    clock.advance(599_999)
    expect((await rows(app.store)).pending).to.have.length(1)
    clock.advance(1)
    expect((await rows(app.store)).pending).to.have.length(0)
    const page = await browser.open(callback)
    expect(page.status).to.equal(400)
    expect(JSON.parse(page.body)).to.include({ code: 'login_not_found' })
    expect(bindingCookies(browser), 'cookies').to.have.length(0)
    expect(app.server.count('token')).to.equal(0)
  })

  it('P14: a store that keeps a record for longer does not make it live longer', async () => {
    await start()
    clock.stop()
    const callback = await browser.openUntil(app.url('/callback'), app.url('/login'))
    const [row] = (await rows(app.store)).pending
    row!.content.cookie.expires = null
    await new Promise((resolve) => app.store.set(row!.key, row!.content as never, resolve))
    clock.advance(600_001)
    expect((await rows(app.store)).pending, 'the store has it').to.have.length(1)
    const page = await browser.open(callback)
    expect(JSON.parse(page.body)).to.include({ code: 'login_not_found' })
    expect(app.server.count('token')).to.equal(0)
  })

  it('P14: no binding cookie outlives its login, whatever the browser says when that began', async () => {
    await start()
    const callback = await browser.openUntil(app.url('/callback'), app.url('/login'))
    const [name = ''] = bindingCookies(browser)
    const jar = browser.cookies.get('127.0.0.1')!
    jar.set(name, jar.get(name)!.replace(/^o\w+/, 'ozzzzzzzzz'))
    const { headers } = await browser.request(callback)
    const cookie = headers['set-cookie']!.find((line) => line.startsWith(name))
    expect(Number(/Max-Age=(\d+)/.exec(cookie!)![1])).to.be.within(1, 600)
  })

  it('P14: a visitor who starts a login and never comes back leaves no session', async () => {
    await start()
    await browser.request(app.url('/login'))
    expect((await rows(app.store)).sessions).to.have.length(0)
  })

  describe('no login is started by', () => {
    const starts: { what: string; method?: string; headers: Record<string, string> }[] = [
      { what: 'a prefetch', headers: { 'sec-purpose': 'prefetch' } },
      { what: 'a prerender', headers: { 'sec-purpose': 'prefetch;prerender' } },
      { what: 'a prefetch of old', headers: { purpose: 'prefetch' } },
      { what: 'a preview of Safari', headers: { 'x-purpose': 'preview' } },
      { what: 'a prefetch of Firefox', headers: { 'x-moz': 'prefetch' } },
      { what: 'a HEAD', method: 'HEAD', headers: {} },
      {
        what: 'an image',
        headers: { 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image', accept: 'image/*' },
      },
      { what: 'a frame', headers: { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' } },
      {
        what: 'an old frame',
        headers: { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'frame' },
      },
      { what: 'an object', headers: { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'object' } },
      { what: 'an embed', headers: { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'embed' } },
      { what: 'a script', headers: { 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'script' } },
      { what: 'a fetch', headers: { 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' } },
      {
        what: 'an image of another site',
        headers: {
          'sec-fetch-mode': 'no-cors',
          'sec-fetch-dest': 'image',
          'sec-fetch-site': 'cross-site',
        },
      },
    ]

    function guarded(express: Express, flow: PkceFlow) {
      express.get('/own', flow.login())
      express.get('/auto', flow.requireToken())
      express.get('/redirect', flow.requireToken({ unauthenticated: 'redirect' }))
      express.get('/member', flow.requireLogin({ unauthenticated: 'redirect' }))
    }

    for (const path of ['/login', '/own', '/auto', '/redirect', '/member'])
      for (const { what, method = 'GET', headers } of starts)
        it(`P14: ${what} of ${path}`, async () => {
          await start({ routes: guarded })
          const page = await browser.request(app.url(path), { method, headers })
          expect(page.headers).not.to.have.property('location')
          expect(page.headers).not.to.have.property('set-cookie')
          expect(page.status).to.be.within(200, 499)
          const stored = await rows(app.store)
          expect([...stored.pending, ...stored.sessions]).to.have.length(0)
          expect(app.server.count('discovery'), 'discoveries').to.equal(0)
          expect(page.headers['cache-control']).to.equal('no-store')
        })

    for (const path of ['/login', '/own', '/auto', '/redirect', '/member'])
      it(`P14: but by a navigation to ${path}`, async () => {
        await start({ routes: guarded })
        const page = await browser.request(app.url(path), {
          headers: {
            'sec-fetch-mode': 'navigate',
            'sec-fetch-dest': 'document',
            'sec-fetch-site': 'none',
          },
        })
        expect(page.status).to.equal(302)
        expect((await rows(app.store)).pending).to.have.length(1)
      })
  })

  it('P14: a browser that keeps cookies has maxPendingLogins of them at most', async () => {
    await start({ flow: { maxPendingLogins: 5 } })
    for (let times = 0; times < 12; times += 1) {
      await browser.request(app.url('/login'))
      expect(bindingCookies(browser).length).to.be.at.most(5)
    }
  })

  describe('a flood of logins that are never finished', () => {
    /** What is in the store, expired or not: it never looks itself. */
    const stored = () => Object.keys((app.store as unknown as { sessions: object }).sessions)
    const tab = { headers: { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' } }
    const fromElsewhere = { headers: { ...tab.headers, 'sec-fetch-site': 'cross-site' } }

    it('P14: of one browser, the store keeps maxPendingLogins, and 3 that another site began', async () => {
      await start()
      const begin = async (navigation: Navigation) => {
        expect((await browser.request(app.url('/login'), navigation)).status).to.equal(302)
        await until(() => stored().length <= 28)
      }
      const first = await browser.openUntil(app.url('/callback'), app.url('/login'))
      for (let times = 0; times < 100; times += 1) await begin(tab)
      await until(() => stored().length === 25)
      for (let times = 0; times < 100; times += 1) await begin(fromElsewhere)
      await until(() => stored().length === 28)
      expect(bindingCookies(browser)).to.have.length(28)
      expect((await browser.open(first)).status).to.equal(400)
      const page = await browser.open(app.url('/login'))
      expect(page.status, 'the newest can be finished').to.equal(200)
    })

    it('P14: what somebody else initiated displaces none, where the browser does not say who', async () => {
      await start()
      const callback = await browser.openUntil(app.url('/callback'), app.url('/login'))
      const initiated = app.url(`/login?iss=${encodeURIComponent(app.server.issuer)}`)
      for (let times = 0; times < 30; times += 1)
        expect((await browser.request(initiated, tab)).status).to.equal(302)
      expect((await browser.open(callback)).status).to.equal(200)
    })

    it('P14: who knows the name of a cookie, and not its secret, makes none go', async () => {
      await start({ flow: { maxPendingLogins: 1 } })
      const callback = await browser.openUntil(app.url('/callback'), app.url('/login'))
      const other = createBrowser()
      const [name = ''] = bindingCookies(browser)
      const value = browser.cookies.get('127.0.0.1')!.get(name)!
      const forged = value.replace(/[^.]*$/, 'x'.repeat(22))
      await other.request(app.url('/login'), { headers: { cookie: `${name}=${forged}` } })
      await other.request(app.url('/login'))
      const page = await browser.open(callback)
      expect(page.status).to.equal(200)
      expect(JSON.parse(page.body)).to.include({ sub: 'alice' })
    })

    it('P14: of browsers without cookies, the store keeps as many as begin in loginTimeout', async () => {
      await start({ flow: { loginTimeout: 100_000 } })
      clock.stop()
      for (let times = 0; times < 400; times += 1) {
        const page = await createBrowser().request(app.url('/login'))
        expect(page.status).to.equal(302)
        clock.advance(1_000)
        expect(stored().length).to.be.at.most(110)
      }
    })

    it('P14: after a burst, those that have expired go while others begin', async () => {
      await start({ flow: { loginTimeout: 100_000 } })
      clock.stop()
      for (let times = 0; times < 200; times += 1) await createBrowser().request(app.url('/login'))
      expect(stored()).to.have.length(200)
      clock.advance(110_000)
      for (let times = 0; times < 100; times += 1) await createBrowser().request(app.url('/login'))
      expect(stored()).to.have.length(100)
    })

    it('P14: a store that others share sweeps itself, and gets one call for each that begins', async () => {
      const store = createFaultyStore()
      class SharedStore extends EventEmitter {
        get = store.get.bind(store)
        set = store.set.bind(store)
        destroy = store.destroy.bind(store)
      }
      await start({ flow: { store: new SharedStore(), lock: 'process', loginTimeout: 2_000 } })
      clock.stop()
      for (let times = 0; times < 10; times += 1) {
        await createBrowser().request(app.url('/login'))
        clock.advance(10_000)
      }
      expect(store.calls.map(({ operation }) => operation)).to.deep.equal(Array(10).fill('set'))
    })
  })
})
