import { expect } from 'chai'
import type { Express, Request } from 'express'
import { ConfigurationError, pkceFlow, type PkceFlow } from '../../src/index.ts'
import { type AppSetUp, type RunningApp, startApp } from '../support/app.ts'
import { type Browser, createBrowser } from '../support/browser.ts'
import { createFaultyStore } from '../support/faulty-store.ts'
import { createGate, type Gate } from '../support/gate.ts'
import { rows, sessionId } from '../support/rows.ts'

declare module 'express-session' {
  interface SessionData {
    cart?: string[]
    theme?: string
    user?: string
  }
}

describe('P6: a sign-in makes a new session', () => {
  let app: RunningApp
  let browser: Browser
  let slow: Gate

  /** Pages of an app that keeps things in the session. */
  function pages(express: Express, flow: PkceFlow) {
    express.get('/fill', (req, res) => {
      Object.assign(req.session, { cart: ['book'], theme: 'dark' })
      res.json({})
    })
    express.get('/session', async (req, res) => {
      const { cart, theme, user } = req.session
      const sub = (await flow.claims(req))?.sub ?? null
      res.json({ data: { cart, theme, user }, sub })
    })
    express.get('/slow', async (_req, res) => {
      await slow.pass()
      res.json({})
    })
  }

  async function start(setUp: AppSetUp = {}) {
    app = await startApp({ routes: pages, ...setUp })
    browser = createBrowser()
    slow = createGate()
  }

  afterEach(() => app.close())

  const kept = { cart: ['book'], theme: 'dark' }

  async function open(path: string, visitor = browser): Promise<unknown> {
    const page = await visitor.open(app.url(path))
    expect(page.status, page.body).to.equal(200)
    return JSON.parse(page.body)
  }

  async function logIn(as: string, query = '') {
    app.server.authorizeAs(as)
    await open(`/login?returnTo=/session${query}`)
  }

  async function stored(id: string | undefined) {
    return (await rows(app.store)).sessions.find(({ key }) => key === id)?.content
  }

  it('P6: the id is new, the old row destroyed, the data there', async () => {
    await start()
    await open('/fill')
    const before = sessionId(browser)
    await logIn('alice')
    expect(sessionId(browser)).not.to.equal(before)
    const { sessions } = await rows(app.store)
    expect(sessions.map(({ key }) => key)).to.deep.equal([sessionId(browser)])
    expect(await open('/session')).to.deep.equal({ data: kept, sub: 'alice' })
  })

  it('P6: who planted the session before the login has nothing of it afterwards', async () => {
    await start()
    await open('/fill')
    const attacker = browser.copy()
    await logIn('alice')
    expect(await open('/session', attacker)).to.deep.equal({ data: {}, sub: null })
  })

  it('P6: the id is new before anything is written', async () => {
    const store = createFaultyStore()
    const seen: { id: string; written: boolean }[] = []
    await start({
      store,
      flow: {
        onLogin: ({ req }: { req: { sessionID: string } }) => {
          const id = req.sessionID
          seen.push({ id, written: store.calls.some(({ key }) => key === id) })
        },
      },
    })
    await open('/fill')
    const before = sessionId(browser)!
    const writes = store.calls.length
    await logIn('alice')
    expect(seen).to.deep.equal([{ id: sessionId(browser), written: false }])
    const ofOld = store.calls.slice(writes).filter(({ key }) => key === before)
    expect(ofOld.map(({ operation }) => operation)).not.to.include('set')
  })

  describe('what the app kept', () => {
    const choices = [
      { sessionAtLogin: 'migrate', data: kept },
      { sessionAtLogin: 'new', data: {} },
      { sessionAtLogin: ['theme'], data: { theme: 'dark' } },
      { sessionAtLogin: ['other', 'cart'], data: { cart: ['book'] } },
      { sessionAtLogin: [], data: {} },
    ]
    for (const { sessionAtLogin, data } of choices) {
      const title = JSON.stringify(sessionAtLogin)

      it(`P6: stays as ${title} says, for a stranger who logs in`, async () => {
        await start({ flow: { sessionAtLogin } })
        await open('/fill')
        await logIn('alice')
        expect(await open('/session')).to.deep.equal({ data, sub: 'alice' })
      })

      it(`P6: stays as ${title} says, for a person who logs in again`, async () => {
        await start({ flow: { sessionAtLogin } })
        await logIn('alice')
        await open('/fill')
        const before = sessionId(browser)
        await logIn('alice')
        expect(sessionId(browser)).not.to.equal(before)
        expect(await open('/session')).to.deep.equal({ data, sub: 'alice' })
        expect((await rows(app.store)).sessions).to.have.length(1)
      })

      it(`P6: never moves to another person, with ${title}`, async () => {
        await start({ flow: { sessionAtLogin } })
        await logIn('alice')
        await open('/fill')
        await logIn('bob')
        expect(await open('/session')).to.deep.equal({ data: {}, sub: 'bob' })
        expect((await rows(app.store)).sessions).to.have.length(1)
      })
    }

    it('P6: does not move to a person of the same name at another issuer', async () => {
      await start()
      const other = await startApp({
        routes: pages,
        store: app.store,
        flow: { redirectUri: app.url('/callback'), name: 'same' },
      })
      const first = await startApp({
        routes: pages,
        store: app.store,
        server: app.server,
        flow: { name: 'same' },
      })
      try {
        await browser.open(first.url('/login'))
        await browser.open(first.url('/fill'))
        const callback = await browser.openUntil(app.url('/callback'), other.url('/login'))
        const page = await browser.open(callback.replace(app.origin, other.origin))
        expect(page.status).to.equal(404) // landed
        expect(JSON.parse((await browser.open(other.url('/session'))).body)).to.deep.equal({
          data: {},
          sub: 'alice',
        })
      } finally {
        await Promise.all([first.close(), other.close()])
      }
    })

    it('P6: does not move to whoever comes after a person who is not known any more', async () => {
      await start()
      await logIn('alice')
      await open('/fill')
      const [record] = (await rows(app.store)).tokens
      app.store.destroy(record!.key)
      await logIn('bob')
      expect(await open('/session')).to.deep.equal({ data: {}, sub: 'bob' })
    })

    it('P6: stays when the login began before the data was there', async () => {
      await start()
      const callback = await browser.openUntil(app.url('/callback'), app.url('/login'))
      await open('/fill')
      await browser.open(callback)
      expect(await open('/session')).to.deep.equal({ data: kept, sub: 'alice' })
    })

    it('P6: stays when one person logs in in two tabs that overlap', async () => {
      await start()
      await logIn('alice')
      await open('/fill')
      const start1 = () => browser.openUntil(app.url('/callback'), app.url('/login'))
      const callbacks = [await start1(), await start1()]
      const gates = [createGate(), createGate()]
      const { server } = app
      const sent = server.count('token')
      server.misbehave('token', { delay: gates[0]!.pass() }, { times: 1 })
      server.misbehave('token', { delay: gates[1]!.pass() }, { after: 1, times: 1 })
      const first = browser.open(callbacks[0]!)
      await server.received('token', sent + 1)
      const second = browser.open(callbacks[1]!)
      await server.received('token', sent + 2)
      gates[0]!.open()
      await first
      gates[1]!.open()
      await second
      expect(await open('/session')).to.deep.equal({ data: kept, sub: 'alice' })
    })

    it('P6: the cookie of the old session is not copied', async () => {
      await start({
        routes: (express, flow) => {
          pages(express, flow)
          express.get('/remember', (req, res) => {
            req.session.theme = 'dark'
            req.session.cookie.maxAge = 30 * 86_400_000
            res.json({})
          })
        },
      })
      await open('/remember')
      expect((await stored(sessionId(browser)))?.cookie.originalMaxAge).to.be.a('number')
      await logIn('alice')
      const after = await stored(sessionId(browser))
      expect(after).to.include({ theme: 'dark' })
      expect(after?.cookie).to.include({ originalMaxAge: null, expires: null })
    })

    it('P6: sessionAtLogin cannot keep "cookie"', () => {
      expect(() =>
        pkceFlow({
          issuer: 'https://issuer.example',
          clientId: 'x',
          redirectUri: 'https://app.example/callback',
          sessionAtLogin: ['cookie'],
        }),
      ).to.throw(ConfigurationError, 'sessionAtLogin')
    })
  })

  describe('a request in flight', () => {
    for (const session of [{ resave: true }, { resave: true, rolling: true }]) {
      const title = JSON.stringify(session)

      it(`P6: may bring the old row back, without the sign-in: ${title}`, async () => {
        await start({ session })
        await open('/fill')
        const before = browser.copy()
        const late = before.open(app.url('/slow'))
        await slow.reached
        await logIn('alice')
        const id = sessionId(browser)
        slow.open()
        await late
        expect(await stored(sessionId(before)), 'the old row').to.include({ theme: 'dark' })
        expect(await open('/session', before)).to.deep.equal({ data: kept, sub: null })
        expect(sessionId(browser)).to.equal(id)
        expect(await open('/session')).to.deep.equal({ data: kept, sub: 'alice' })
      })

      it(`P6: may bring the row of another person back, without the sign-in: ${title}`, async () => {
        await start({ session })
        await logIn('alice')
        await open('/fill')
        const before = browser.copy()
        const late = before.open(app.url('/slow'))
        await slow.reached
        await logIn('bob')
        slow.open()
        await late
        expect(await open('/session', before)).to.include({ sub: null })
        expect(await open('/session')).to.deep.equal({ data: {}, sub: 'bob' })
      })

      it(`P6: may bring the row of the same person back, without the sign-in: ${title}`, async () => {
        await start({ session })
        await logIn('alice')
        const before = browser.copy()
        const late = before.open(app.url('/slow'))
        await slow.reached
        await logIn('alice')
        slow.open()
        await late
        expect(await open('/session', before)).to.include({ sub: null })
        expect(await open('/session')).to.include({ sub: 'alice' })
      })
    }
  })

  describe('onLogin', () => {
    it('P6: what it puts into the session stays', async () => {
      await start({
        flow: {
          onLogin: ({ req, token }: OnLogin) => {
            req.session.user = String(token.claims?.sub)
          },
        },
      })
      await open('/fill')
      await logIn('alice')
      expect(await open('/session')).to.deep.equal({
        data: { ...kept, user: 'alice' },
        sub: 'alice',
      })
    })

    it('P6: may make another session itself', async () => {
      await start({
        flow: {
          onLogin: ({ req }: OnLogin) =>
            new Promise<void>((resolve) => {
              req.session.regenerate(() => {
                req.session.user = 'chosen'
                resolve()
              })
            }),
        },
      })
      await open('/fill')
      await logIn('alice')
      expect(await open('/session')).to.deep.equal({ data: { user: 'chosen' }, sub: 'alice' })
      expect((await rows(app.store)).sessions).to.have.length(1)
    })

    const misdeeds: { what: string; before: (event: OnLogin) => Promise<void> | void }[] = [
      { what: 'throws', before: () => undefined },
      {
        what: 'writes to the session and throws',
        before: ({ req }) => {
          req.session.user = 'bob'
          req.session.theme = 'light'
          delete req.session.cart
        },
      },
      {
        what: 'changes what is kept in place and throws',
        before: ({ req }) => {
          req.session.cart?.push('of bob')
        },
      },
      {
        what: 'saves the session and throws',
        before: ({ req }) =>
          new Promise<void>((resolve) => {
            req.session.user = 'bob'
            req.session.save(() => resolve())
          }),
      },
      {
        what: 'makes another session, saves it and throws',
        before: ({ req }) =>
          new Promise<void>((resolve) => {
            req.session.regenerate(() => {
              req.session.user = 'bob'
              req.session.save(() => resolve())
            })
          }),
      },
    ]

    for (const resave of [false, true])
      for (const { what, before } of misdeeds)
        for (const signedIn of [false, true])
          it(`P6: ${what}: ${signedIn ? 'the person of before' : 'a stranger'} has the session of before, and nothing is left (resave: ${resave})`, async () => {
            let failing = false
            await start({
              session: { resave },
              flow: {
                onLogin: async (event: OnLogin) => {
                  if (!failing) return
                  await before(event)
                  throw new TypeError('no account')
                },
              },
            })
            if (signedIn) await logIn('alice')
            await open('/fill')
            const { sessions, tokens } = await rows(app.store)
            failing = true
            app.server.authorizeAs('bob')
            const page = await browser.open(app.url('/login'))
            expect(page.status).to.equal(500)
            expect(app.errors).to.have.length(1)

            const after = await rows(app.store)
            expect(after.tokens.map(({ key }) => key)).to.deep.equal(tokens.map(({ key }) => key))
            expect(after.sessions).to.deep.equal(sessions)
            expect(await open('/session')).to.deep.equal({
              data: kept,
              sub: signedIn ? 'alice' : null,
            })
            await app.server.received('revocation', 2)
            expect(app.server.issued.at(-1)).to.include({
              sub: 'bob',
              active: false,
              refreshable: false,
            })
            if (signedIn) expect(app.server.issued[0]).to.include({ active: true })
          })
  })

  describe('a store that fails on the way', () => {
    const failures: { what: string; operation: string; prefix: (old: string) => RegExp }[] = [
      { what: 'the token record', operation: 'set', prefix: () => /^tr\./ },
      { what: 'the new session', operation: 'set', prefix: () => /^[^.]*$/ },
      { what: 'the destruction of the old session', operation: 'destroy', prefix: () => /^[^.]*$/ },
    ]

    for (const signedIn of [false, true])
      for (const { what, operation, prefix } of failures)
        it(`P6: ${what}: 503, ${signedIn ? 'the person of before' : 'a stranger'} has the session of before, the tokens are revoked`, async () => {
          const store = createFaultyStore()
          await start({ store })
          if (signedIn) await logIn('alice')
          await open('/fill')
          const id = sessionId(browser)!
          app.server.authorizeAs('bob')
          const callback = await browser.openUntil(app.url('/callback'), app.url('/login'))
          const mend = store.fail(
            (call) => call.operation === operation && prefix(id).test(call.key),
          )
          const page = await browser.open(callback)
          mend()
          expect(page.status, page.body).to.equal(503)
          expect(JSON.parse(page.body)).to.include({ code: 'store_unavailable' })
          expect(sessionId(browser)).to.equal(id)
          expect(await open('/session')).to.deep.equal({
            data: kept,
            sub: signedIn ? 'alice' : null,
          })
          await app.server.received('revocation', 2)
          expect(app.server.issued.at(-1)).to.include({ sub: 'bob', active: false })
        })

    it('P6: the record of the person before: the browser is signed in as one of the two, and its data are whole', async () => {
      const store = createFaultyStore()
      await start({ store })
      await logIn('alice')
      await open('/fill')
      const [old] = (await rows(store)).tokens
      app.server.authorizeAs('bob')
      const callback = await browser.openUntil(app.url('/callback'), app.url('/login'))
      const mend = store.fail(({ operation, key }) => operation === 'set' && key === old!.key)
      await browser.open(callback)
      mend()
      expect(await open('/session')).to.be.deep.oneOf([
        { data: kept, sub: 'alice' },
        { data: {}, sub: 'bob' },
      ])
    })
  })
})

/** As much of the event as these tests use. */
interface OnLogin {
  req: Request
  token: { claims?: { sub: string } }
}
