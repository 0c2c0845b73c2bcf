import { expect } from 'chai'
import type { Express } from 'express'
import type { PkceFlow } from '../../src/index.ts'
import { type AppSetUp, type RunningApp, startApp } from '../support/app.ts'
import { type Browser, createBrowser } from '../support/browser.ts'
import { clock } from '../support/clock.ts'
import { createFaultyStore } from '../support/faulty-store.ts'
import { createGate, type Gate } from '../support/gate.ts'
import { rows, sessionId } from '../support/rows.ts'
import { until } from '../support/until.ts'

declare module 'express-session' {
  interface SessionData {
    visits?: number
  }
}

describe('P9: no session write loses a token record or brings one back', () => {
  let app: RunningApp
  let browser: Browser
  let slow: Gate

  function pages(express: Express, flow: PkceFlow) {
    express.get('/', async (req, res) => {
      const { visits = 0 } = req.session
      res.json({ sub: (await flow.claims(req))?.sub ?? null, visits })
    })
    express.get('/slow', async (req, res) => {
      await slow.pass()
      if (req.query.write !== undefined) req.session.visits = 100
      res.json({})
    })
    express.get('/visit', (req, res) => {
      req.session.visits = (req.session.visits ?? 0) + 1
      res.json({})
    })
    express.get('/token', flow.requireToken({ unauthenticated: 'problem' }), (_req, res) => {
      res.json({})
    })
    express.get('/member', flow.requireLogin({ unauthenticated: 'problem' }), (_req, res) => {
      res.json({})
    })
  }

  async function start(setUp: AppSetUp = {}) {
    app = await startApp({ routes: pages, ...setUp })
    browser = createBrowser()
    slow = createGate()
  }

  afterEach(async () => {
    clock.release()
    await app.close()
  })

  const whoIs = async (visitor: Browser) =>
    (JSON.parse((await visitor.open(app.url('/'))).body) as { sub: unknown }).sub

  const writers = [
    { title: 'resave: true', session: { resave: true }, path: '/slow' },
    { title: 'rolling: true', session: { rolling: true, resave: true }, path: '/slow' },
    { title: 'a change of the session', session: {}, path: '/slow?write' },
    {
      title: 'a change of the session, with maxAge',
      session: { cookie: { maxAge: 3_600_000 } },
      path: '/slow?write',
    },
  ]

  for (const { title, session, path } of writers) {
    it(`P9: a slow request over a logout brings nothing back: ${title}`, async () => {
      await start({ session })
      await browser.open(app.url('/login'))
      const late = browser.copy()
      const answer = late.open(app.url(path))
      await slow.reached
      await browser.open(app.url('/logout'))
      slow.open()
      expect((await answer).status).to.equal(200)
      const { sessions } = await rows(app.store)
      expect(sessions, 'the row that came back').to.have.length(1)
      for (const visitor of [late, browser]) {
        expect((await visitor.open(app.url('/token'))).status).to.equal(401)
        expect((await visitor.open(app.url('/member'))).status).to.equal(401)
        expect(await whoIs(visitor)).to.equal(null)
      }
    })

    it(`P9: a slow request over another login of the same session loses no token: ${title}`, async () => {
      await start({ session })
      await browser.open(app.url('/login'))
      const answer = browser.copy().open(app.url(path))
      await slow.reached
      await browser.open(app.url('/login'))
      slow.open()
      await answer
      expect((await browser.open(app.url('/token'))).status).to.equal(200)
      expect(await whoIs(browser)).to.equal('alice')
    })

    it(`P9: a slow request in the session itself changes nothing about the token: ${title}`, async () => {
      await start({ session })
      await browser.open(app.url('/login'))
      const [before] = (await rows(app.store)).tokens
      const answer = browser.copy().open(app.url(path))
      await slow.reached
      await Promise.all(Array.from({ length: 20 }, () => browser.open(app.url('/visit'))))
      slow.open()
      await answer
      const [after] = (await rows(app.store)).tokens
      expect(after).to.deep.equal(before)
      expect((await browser.open(app.url('/token'))).status).to.equal(200)
    })
  }

  for (const rolling of [false, true])
    it(`P9: the sign-in lasts as long as the session is used (rolling: ${rolling})`, async () => {
      await start({ session: { rolling, cookie: { maxAge: 60_000 } } })
      await browser.open(app.url('/login'))
      const id = sessionId(browser)
      for (let times = 0; times < 5; times += 1) {
        clock.advance(40_000)
        expect((await browser.open(app.url('/member'))).status).to.equal(200)
        const [record] = (await rows(app.store)).tokens
        const soon = new Date(Date.now() + 50_000).toISOString()
        if (record!.content.cookie.expires! < soon)
          await until(async () => {
            const [renewed] = (await rows(app.store)).tokens
            return renewed!.content.cookie.expires! > soon
          })
      }
      expect(sessionId(browser)).to.equal(id)
      expect(await whoIs(browser)).to.equal('alice')
    })

  it('P9: two routers in one process that share a store: renewing the record of a session does not undo its logout', async () => {
    const store = createFaultyStore()
    const session = { resave: true, cookie: { maxAge: 100_000 } }
    await start({ store, session })
    const second = await startApp({
      store,
      session,
      routes: pages,
      server: app.server,
      flow: { redirectUri: app.url('/callback') },
    })
    try {
      await browser.open(app.url('/login'))
      const late = browser.copy()
      const answer = late.open(app.url('/slow'))
      await slow.reached
      clock.advance(20_000)
      const renewal = createGate()
      store.hold(
        ({ operation, key, content }) =>
          operation === 'set' &&
          key.startsWith('tr.') &&
          JSON.stringify(content).includes('accessToken'),
        () => renewal.pass(),
      )
      await browser.copy().open(app.url('/'))
      await renewal.reached
      // Either the logout waits for the renewal, or it is done by the time that this page is.
      const logout = browser.open(second.url('/logout'))
      await createBrowser().open(second.url('/'))
      renewal.open()
      await logout
      slow.open()
      await answer
      expect(await whoIs(late)).to.equal(null)
      expect((await late.open(app.url('/token'))).status).to.equal(401)
    } finally {
      await second.close()
    }
  })
})
