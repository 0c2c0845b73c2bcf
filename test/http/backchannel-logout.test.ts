import { expect } from 'chai'
import { MemoryStore } from 'express-session'
import { text, urlencoded, type Request } from 'express'
import { wrongLogoutTokens } from '../../src/testing/index.ts'
import type { AppSetUp, RunningApp } from '../support/app.ts'
import { createBrowser } from '../support/browser.ts'
import { clock } from '../support/clock.ts'
import { createFaultyStore } from '../support/faulty-store.ts'
import { createGate } from '../support/gate.ts'
import { rawRequest } from '../support/raw-request.ts'
import { rows } from '../support/rows.ts'
import { until } from '../support/until.ts'
import {
  alice,
  ask,
  endAtServer,
  logoutRoutes,
  mountPages,
  nobody,
  signedIn,
  startLogoutApp,
  who,
} from './logout-app.ts'

describe('back-channel logout (OpenID Connect Back-Channel Logout 1.0)', () => {
  const running: RunningApp[] = []

  async function start(setUp: AppSetUp = {}) {
    const app = await startLogoutApp(setUp)
    running.push(app)
    return app
  }

  afterEach(async () => {
    clock.release()
    for (const app of running.splice(0)) await app.close()
  })

  describe('whom it ends (section 2.4)', () => {
    it('P17: a sid: that session, without any cookie, and no other of the person', async () => {
      const app = await start()
      const laptop = await signedIn(app)
      const phone = await signedIn(app)
      const { status, body, headers } = await endAtServer(app, { sid: laptop.sid, sub: 'alice' })
      expect({ status, body }).to.deep.equal({ status: 200, body: '' })
      expect(headers).to.include({ 'cache-control': 'no-store' })
      expect(headers).not.to.have.property('set-cookie')
      expect(await who(app, laptop.browser)).to.deep.equal(nobody)
      expect(await who(app, phone.browser)).to.deep.equal(alice)
    })

    it('P17: a sid alone', async () => {
      const app = await start()
      const { browser, sid } = await signedIn(app)
      await endAtServer(app, { sid })
      expect(await who(app, browser)).to.deep.equal(nobody)
    })

    it('P17: a sub alone: every session of the person, and nobody else’s', async () => {
      const app = await start()
      const [laptop, phone] = [await signedIn(app), await signedIn(app)]
      app.server.authorizeAs('bob')
      const bob = await signedIn(app)
      await endAtServer(app, { sub: 'alice' })
      expect(await who(app, laptop.browser)).to.deep.equal(nobody)
      expect(await who(app, phone.browser)).to.deep.equal(nobody)
      expect(await who(app, bob.browser)).to.deep.equal({ sub: 'bob', user: 'bob' })
    })

    it('a sid and a sub: also sign-ins of the person that know no sid', async () => {
      const app = await start()
      const known = await signedIn(app)
      const drop = app.server.misbehave('token', {
        idToken: { claims: (claims) => ({ ...claims, sid: undefined }) },
      })
      const unknown = await signedIn(app)
      drop()
      await endAtServer(app, { sid: 'another', sub: 'alice' })
      expect(await who(app, known.browser)).to.deep.equal(alice)
      expect(await who(app, unknown.browser)).to.deep.equal(nobody)
    })

    it('a sid that nobody has, and a sub: 200', async () => {
      const app = await start()
      const { browser } = await signedIn(app)
      await endAtServer(app, { sid: 'unknown', sub: 'unknown' })
      expect(await who(app, browser)).to.deep.equal(alice)
    })

    it('a session that was signed in before the route was there', async () => {
      const store = new MemoryStore()
      const redirectUri = 'http://127.0.0.1/callback'
      const before = await start({ store, postLogout: false, flow: { routes: {}, redirectUri } })
      const callback = async (app: RunningApp) => {
        const browser = createBrowser()
        const url = await browser.openUntil(redirectUri, app.url('/login?pkce-flow-moved=1'))
        await browser.request(url.replace('http://127.0.0.1', app.origin))
        return browser
      }
      const browser = await callback(before)
      const after = await start({
        ...{ store, server: before.server, postLogout: false },
        flow: { redirectUri },
      })
      expect(await who(after, browser)).to.deep.equal(alice)
      const payload = before.server.issued[0]!.idToken!.split('.')[1]!
      const { sid } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { sid: string }
      await endAtServer(after, { sid: 'another', sub: 'alice' })
      expect(await who(after, browser)).to.deep.equal(alice)
      await endAtServer(after, { sid })
      expect(await who(after, browser)).to.deep.equal(nobody)
    })
  })

  describe('what has ended', () => {
    for (const path of ['/token', '/members'])
      it(`${path}: login_required`, async () => {
        const app = await start()
        const { browser, sid } = await signedIn(app)
        expect(await ask(app, browser, path)).to.include({ status: 200 })
        await endAtServer(app, { sid })
        expect(await ask(app, browser, path)).to.deep.equal({ status: 401, code: 'login_required' })
      })

    it('the app’s own sign-in in that session, too, on a page without a guard', async () => {
      const app = await start()
      const { browser, sid } = await signedIn(app)
      await endAtServer(app, { sid })
      const page = await browser.request(app.url('/public'))
      expect(JSON.parse(page.body)).to.deep.equal({ token: false, user: null })
      const { sessions, tokens } = await rows(app.store)
      expect(JSON.stringify([sessions, tokens])).not.to.match(/alice|accessToken/)
    })

    it('P17: what the app kept in it is gone, also if the person logs in again at once', async () => {
      const app = await start({
        routes(express, flow) {
          mountPages(express, flow)
          express.get('/keep', (req, res) => {
            Object.assign(req.session, { kept: 'something' })
            res.end()
          })
        },
      })
      const { browser, sid } = await signedIn(app)
      await browser.request(app.url('/keep'))
      await endAtServer(app, { sid })
      await browser.open(app.url('/login'))
      expect(await who(app, browser)).to.deep.equal(alice)
      expect(JSON.stringify((await rows(app.store)).sessions)).not.to.include('something')
    })

    it('for requests that come all at once', async () => {
      const app = await start()
      const { browser, sid } = await signedIn(app)
      await endAtServer(app, { sid })
      const told = await Promise.all(Array.from({ length: 5 }, () => who(app, browser)))
      for (const each of told) expect(each).to.deep.equal(nobody)
    })

    it('its tokens, which are revoked when that is noticed', async () => {
      const app = await start()
      const { browser, sid } = await signedIn(app)
      await endAtServer(app, { sid })
      await who(app, browser)
      await until(() => !app.server.issued[0]!.active && !app.server.issued[0]!.refreshable)
    })

    it('nothing is refreshed any more', async () => {
      const app = await start()
      const { browser, sid } = await signedIn(app)
      await endAtServer(app, { sid })
      clock.advance(3_600_000)
      expect(await ask(app, browser, '/token')).to.include({ status: 401, code: 'login_required' })
      expect(app.server.count('token')).to.equal(1)
    })

    it('P17: tokens that are kept per user stay', async () => {
      const app = await start({
        flow: { tokenStore: new Map(), userId: (req: Request) => req.session.user },
      })
      const { browser, sid } = await signedIn(app)
      await endAtServer(app, { sid })
      expect(await who(app, browser)).to.deep.equal(nobody)
      expect(await ask(app, browser, '/token')).to.include({ status: 401 })
      const token = await app.flow.forUser('alice').token()
      expect(token!.accessToken).to.equal(app.server.issued[0]!.accessToken)
      expect(app.server.issued[0]).to.include({ active: true, refreshable: true })
    })

    it('the attribute attach: false: guards find out', async () => {
      const app = await start({ flow: { attach: false } })
      const { browser, sid } = await signedIn(app)
      await endAtServer(app, { sid })
      expect(await ask(app, browser, '/members')).to.include({ code: 'login_required' })
      expect(await who(app, browser)).to.deep.equal(nobody)
    })
  })

  describe('a request in flight (row 85)', () => {
    for (const session of [{ resave: true }, { rolling: true, resave: true }])
      it(`cannot bring the session back, ${JSON.stringify(session)}`, async () => {
        const gate = createGate()
        const app = await start({
          session,
          routes: (express, flow) => {
            mountPages(express, flow)
            express.get('/slow', (req, res, next) => {
              gate
                .pass()
                .then(() => {
                  req.session.user = 'written back'
                  res.json({})
                })
                .catch(next)
            })
          },
        })
        const { browser, sid } = await signedIn(app)
        const late = browser.copy().request(app.url('/slow'))
        await gate.reached
        await endAtServer(app, { sid })
        expect(await who(app, browser)).to.deep.equal(nobody)
        gate.open()
        await late
        expect(await who(app, browser)).to.deep.equal(nobody)
      })

    it('a refresh under way does not hand out its token, which is revoked', async () => {
      const app = await start()
      const { browser, sid } = await signedIn(app)
      const gate = createGate()
      app.server.misbehave('token', { delay: gate.pass() })
      clock.advance(3_600_000)
      const answer = ask(app, browser, '/token')
      await gate.reached
      await app.server.received('token', 2)
      await endAtServer(app, { sid })
      gate.open()
      expect(await answer).to.deep.equal({ status: 401, code: 'login_required' })
      await until(() => app.server.issued.every((each) => !each.active && !each.refreshable))
      expect(await who(app, browser)).to.deep.equal(nobody)
    })
  })

  describe('who logs in again', () => {
    it('stays, also in the same second, and also when the token is sent again', async () => {
      const app = await start()
      const first = await signedIn(app)
      clock.stop()
      for (const target of [{ sid: first.sid }, { sub: 'alice' }]) {
        const { logoutToken } = await endAtServer(app, target)
        expect(await who(app, first.browser)).to.deep.equal(nobody)
        clock.advance(1)
        await signedIn(app, first.browser)
        expect(await who(app, first.browser)).to.deep.equal(alice)
        const body = new URLSearchParams({ logout_token: logoutToken })
        const again = await fetch(app.url('/ended'), { method: 'POST', body })
        expect(again.status).to.equal(200)
        expect(await who(app, first.browser)).to.deep.equal(alice)
        clock.advance(1)
      }
    })

    it('is ended by another logout token, also of the same second', async () => {
      const app = await start()
      clock.stop()
      const { browser } = await signedIn(app)
      await endAtServer(app, { sub: 'alice' })
      clock.advance(1)
      await signedIn(app, browser)
      clock.advance(1)
      await endAtServer(app, { sub: 'alice' })
      expect(await who(app, browser)).to.deep.equal(nobody)
    })

    it('is ended by one that comes in the millisecond of the login', async () => {
      const app = await start()
      clock.stop()
      const { browser } = await signedIn(app)
      await endAtServer(app, { sub: 'alice' })
      expect(await who(app, browser)).to.deep.equal(nobody)
    })

    it('an older logout token that comes late ends nothing newer, and brings nothing back', async () => {
      const app = await start()
      const { browser } = await signedIn(app)
      const old = await app.server.sendLogoutToken({ sub: 'alice', to: app.url('/nowhere') })
      clock.advance(5_000)
      await endAtServer(app, { sub: 'alice' })
      clock.advance(5_000)
      await signedIn(app, browser)
      const body = new URLSearchParams({ logout_token: old.logoutToken })
      expect((await fetch(app.url('/ended'), { method: 'POST', body })).status).to.equal(200)
      expect(await who(app, browser)).to.deep.equal(alice)
    })

    it('a login that was under way when the token came has ended with it', async () => {
      const app = await start()
      const gate = createGate()
      app.server.misbehave('token', { delay: gate.pass() }, { processed: true })
      const browser = createBrowser()
      const login = browser.open(app.url('/login'))
      await app.server.received('token')
      await endAtServer(app, { sub: 'alice' })
      gate.open()
      await login
      expect(await who(app, browser)).to.deep.equal(nobody)
    })
  })

  it('lasts as long as a session that lives longer than others', async () => {
    const days = 86_400_000
    const app = await start({
      flow: {
        onLogin({ req }: { req: Request }) {
          req.session.user = 'alice'
          req.session.cookie.maxAge = 30 * days
        },
      },
    })
    const { browser, sid } = await signedIn(app)
    await endAtServer(app, { sid })
    clock.advance(29 * days)
    expect(await who(app, browser)).to.deep.equal(nobody)
  })

  it('knows of sessions that live on because they are used', async () => {
    const hour = 3_600_000
    const app = await start({ session: { rolling: true, cookie: { maxAge: 2 * hour } } })
    const { browser, sid } = await signedIn(app)
    for (let hours = 0; hours < 6; hours += 1) {
      clock.advance(hour)
      expect(await who(app, browser)).to.deep.equal(alice)
    }
    await endAtServer(app, { sid })
    expect(await who(app, browser)).to.deep.equal(nobody)
  })

  describe('what is no logout token for this client: 400, and ends nothing (section 2.6)', () => {
    for (const [what, fault] of Object.entries(wrongLogoutTokens))
      it(what, async () => {
        const app = await start()
        const { browser, sid } = await signedIn(app)
        const answer = await app.server.sendLogoutToken({ sid, sub: 'alice', faults: [fault] })
        expect(answer).to.include({ status: 400, body: '{"error":"invalid_request"}' })
        expect(answer.headers).to.include({ 'cache-control': 'no-store' })
        expect(await who(app, browser)).to.deep.equal(alice)
        expect(app.errors).to.deep.equal([])
      })

    for (const iat of [`${Math.floor(Date.now() / 1000)}`, [1], true, null])
      it(`an iat that is no number, ${JSON.stringify(iat)}`, async () => {
        const app = await start()
        const { browser, sid } = await signedIn(app)
        const faults = [{ claims: (claims: object) => ({ ...claims, iat }) }]
        expect(await app.server.sendLogoutToken({ sid, faults })).to.include({ status: 400 })
        expect(await who(app, browser)).to.deep.equal(alice)
      })

    it('an ID Token', async () => {
      const app = await start()
      const { browser } = await signedIn(app)
      const body = new URLSearchParams({ logout_token: app.server.issued[0]!.idToken! })
      expect((await fetch(app.url('/ended'), { method: 'POST', body })).status).to.equal(400)
      expect(await who(app, browser)).to.deep.equal(alice)
    })

    for (const typ of [undefined, 'JWT', 'logout+jwt', 'application/logout+jwt', 'LOGOUT+JWT'])
      it(`but the typ ${typ} is accepted`, async () => {
        const app = await start()
        const { browser, sid } = await signedIn(app)
        await endAtServer(app, { sid, faults: [{ header: (header) => ({ ...header, typ }) }] })
        expect(await who(app, browser)).to.deep.equal(nobody)
      })

    it('and so is one without exp, as long as it is fresh', async () => {
      const app = await start()
      const { browser, sid } = await signedIn(app)
      const faults = [{ claims: (claims: object) => ({ ...claims, exp: undefined }) }]
      await endAtServer(app, { sid, faults })
      expect(await who(app, browser)).to.deep.equal(nobody)
    })

    it('and one for several audiences', async () => {
      const app = await start()
      const { browser, sid } = await signedIn(app)
      const aud = ['another-client', 'test-client']
      await endAtServer(app, { sid, faults: [{ claims: (claims) => ({ ...claims, aud }) }] })
      expect(await who(app, browser)).to.deep.equal(nobody)
    })
  })

  describe('keys', () => {
    it('that were rotated are fetched again', async () => {
      const app = await start()
      const { browser, sid } = await signedIn(app)
      app.server.rotateKeys()
      await endAtServer(app, { sid })
      expect(await who(app, browser)).to.deep.equal(nobody)
    })

    it('decision 1: are fetched for strangers once in ten seconds, and logins have their own', async () => {
      const app = await start()
      await signedIn(app)
      const unknown = [{ header: (header: object) => ({ ...header, kid: 'unknown' }) }]
      for (let times = 0; times < 5; times += 1)
        expect(await app.server.sendLogoutToken({ sub: 'alice', faults: unknown })).to.include({
          status: 400,
        })
      expect(app.server.count('jwks')).to.equal(2)
      app.server.rotateKeys()
      await signedIn(app)
      expect(app.server.count('jwks')).to.equal(3)
    })

    it('are not fetched for what can be told without them', async () => {
      const app = await start()
      for (const body of ['', 'logout_token=', 'logout_token=x', 'logout_token=a.b.c'])
        expect(await post(app, body)).to.include({ status: 400 })
      await app.server.sendLogoutToken({ sub: 'a', faults: [wrongLogoutTokens['alg-none']] })
      expect(app.server.count('jwks')).to.equal(0)
    })

    it('that cannot be had: 503, so that the server can try again', async () => {
      const app = await start()
      app.server.misbehave('jwks', { answer: { status: 503 } })
      const answer = await app.server.sendLogoutToken({ sub: 'alice' })
      expect(answer.status).to.equal(503)
      expect(app.errors[0]).to.include({ code: 'server_unavailable' })
    })
  })

  describe('keys that strangers ask for in vain', () => {
    const faults = [{ header: (header: object) => ({ ...header, kid: 'unknown' }) }]

    it('P13: a key set that has become none is an error with a code', async () => {
      const app = await start()
      await signedIn(app)
      app.server.misbehave('jwks', { answer: { json: { keys: [null] } } })
      expect((await app.server.sendLogoutToken({ sub: 'alice', faults })).status).to.equal(502)
      expect(app.errors[0]).to.include({ code: 'invalid_server_response' })
    })

    for (const [what, json, status] of [
      ['down', undefined, 503],
      ['none', { keys: 'none' }, 502],
    ] as const)
      it(`a key set that is ${what} is asked for once in ten seconds, and then again`, async () => {
        const app = await start()
        const mend = app.server.misbehave('jwks', {
          answer: json === undefined ? { status: 503 } : { json },
        })
        for (let times = 0; times < 3; times += 1)
          expect(await app.server.sendLogoutToken({ sub: 'alice' })).to.include({ status })
        expect(app.server.count('jwks')).to.equal(1)
        mend()
        clock.advance(11_000)
        expect(await app.server.sendLogoutToken({ sub: 'alice' })).to.include({ status: 200 })
      })

    it('do not hold up what is signed with a known one, nor logins', async () => {
      const app = await start()
      const { browser, sid } = await signedIn(app)
      const mend = app.server.misbehave('jwks', { answer: { status: 503 } })
      await app.server.sendLogoutToken({ sub: 'alice', faults })
      await endAtServer(app, { sid })
      expect(await who(app, browser)).to.deep.equal(nobody)
      mend()
      app.server.rotateKeys()
      await signedIn(app)
    })
  })

  const form = 'application/x-www-form-urlencoded'
  const post = (app: RunningApp, body: string, headers: Record<string, string> = {}) =>
    rawRequest(app.origin, {
      ...{ method: 'POST', path: '/ended', body },
      headers: { 'content-type': form, ...headers },
    })

  describe('the request (section 2.5, row 84)', () => {
    for (const method of ['GET', 'PUT', 'DELETE', 'HEAD'])
      it(`${method}: 405`, async () => {
        const app = await start()
        const { status, headers } = await rawRequest(app.origin, { method, path: '/ended' })
        expect(status).to.equal(405)
        expect(headers).to.include({ allow: 'POST', 'cache-control': 'no-store' })
      })

    const wrong: [string, string, Record<string, string>][] = [
      ['no body', '', {}],
      ['another parameter', 'token=x', {}],
      ['the parameter twice', 'logout_token=x&logout_token=y', {}],
      ['the parameter as a list', 'logout_token[]=x', {}],
      ['JSON', '{"logout_token":"x"}', { 'content-type': 'application/json' }],
      ['no type', 'logout_token=x', { 'content-type': '' }],
      ['bad escapes', 'logout_token=%zz%00%ff', {}],
      ['a compressed body', 'logout_token=x', { 'content-encoding': 'gzip' }],
    ]
    for (const [what, body, headers] of wrong)
      it(`${what}: 400`, async () => {
        const app = await start()
        const page = await post(app, body, headers)
        expect(page).to.include({ status: 400, body: '{"error":"invalid_request"}' })
        expect(page.headers).to.include({ 'cache-control': 'no-store' })
      })

    const huge = `logout_token=${'x'.repeat(70_000)}`
    for (const [what, headers] of [
      ['', {}],
      [', in chunks', { 'transfer-encoding': 'chunked' }],
    ] as const)
      it(`more than 64 kB${what}: 413`, async () => {
        const app = await start()
        expect(await post(app, huge, headers)).to.include({ status: 413 })
      })

    it('what the app has parsed already', async () => {
      for (const parser of [
        urlencoded({ extended: true }),
        urlencoded({ extended: false }),
        text({ type: form }),
      ]) {
        const app = await start({ before: (express) => express.use(parser) })
        const { browser, sid } = await signedIn(app)
        await endAtServer(app, { sid })
        expect(await who(app, browser)).to.deep.equal(nobody)
      }
    })

    it('makes no session, also with saveUninitialized', async () => {
      const app = await start({ session: { saveUninitialized: true } })
      await endAtServer(app, { sub: 'alice' })
      await app.server.sendLogoutToken({ sub: 'alice', faults: [wrongLogoutTokens['no-jti']] })
      expect((await rows(app.store)).sessions).to.deep.equal([])
    })

    it('works over the option store, apart from sessions', async () => {
      const store = new MemoryStore()
      const app = await start({
        flow: { store },
        session: { store: new MemoryStore() },
      })
      const { browser, sid } = await signedIn(app)
      await endAtServer(app, { sid })
      expect(await who(app, browser)).to.deep.equal(nobody)
    })
  })

  describe('a store that is down', () => {
    it('cannot note it: 503, and the next try works', async () => {
      const store = createFaultyStore()
      const app = await start({ store })
      const { browser, sid } = await signedIn(app)
      const mend = store.fail(({ operation, key }) => operation === 'set' && key.startsWith('lm.'))
      expect((await app.server.sendLogoutToken({ sid })).status).to.equal(503)
      expect(app.errors[0]).to.include({ code: 'store_unavailable' })
      mend()
      await endAtServer(app, { sid })
      expect(await who(app, browser)).to.deep.equal(nobody)
    })

    it('cannot tell: nobody is let through, and nobody is ended', async () => {
      const store = createFaultyStore()
      const app = await start({ store })
      const { browser } = await signedIn(app)
      const mend = store.fail(({ operation, key }) => operation === 'get' && key.startsWith('lm.'))
      expect(await ask(app, browser, '/members')).to.deep.equal({
        status: 503,
        code: 'store_unavailable',
      })
      mend()
      expect(await who(app, browser)).to.deep.equal(alice)
    })
  })

  it('costs two reads a request, at the same time as the record; without the routes none', async () => {
    for (const [routes, reads] of [
      [logoutRoutes, ['lm.', 'lm.', 'tr.']],
      [{ frontchannelLogout: '/framed' }, ['lm.', 'tr.']],
      [{}, ['tr.']],
    ] as const) {
      const store = createFaultyStore()
      const app = await start({ store, flow: { routes } })
      const { browser } = await signedIn(app)
      const before = store.calls.length
      await browser.request(app.url('/public'))
      const calls = store.calls.slice(before).filter(({ key }) => key.includes('.'))
      expect(calls.map(({ operation, key }) => `${operation} ${key.slice(0, 3)}`)).to.have.members(
        reads.map((kind) => `get ${kind}`),
      )
    }
  })
})
