import { mock } from 'node:test'
import { inspect } from 'node:util'
import { expect } from 'chai'
import { MemoryStore } from 'express-session'
import type { PkceFlowError } from '../../src/index.ts'
import { answerUrl, json, program } from '../http/steps.ts'
import { logIn } from '../protocol/attempt.ts'
import { startApp, type RunningApp } from '../support/app.ts'
import { createBrowser } from '../support/browser.ts'
import { createFaultyStore, type FaultyStore, type StoreCall } from '../support/faulty-store.ts'
import { createGate } from '../support/gate.ts'

const isPendingLogin = ({ key }: StoreCall) => key.startsWith('pl.')
const isTokenRecord = ({ key }: StoreCall) => key.startsWith('tr.')

/** Rows of a MemoryStore, as text. */
const rowsOf = (store: MemoryStore) =>
  (store as unknown as { sessions: Record<string, string> }).sessions

describe('stores that fail, seen from the browser', () => {
  let app: RunningApp
  let store: FaultyStore

  beforeEach(async () => {
    store = createFaultyStore()
    app = await startApp({ store })
  })

  afterEach(async () => {
    mock.timers.reset()
    await app.close()
  })

  const lastError = () => app.errors.at(-1) as PkceFlowError

  it('starting: nobody is sent away before the pending login is stored', async () => {
    store.fail((call) => call.operation === 'set' && isPendingLogin(call))
    const page = await createBrowser().request(app.url('/login'))
    expect(page.status).to.equal(503)
    expect(page.headers).not.to.have.any.keys('location', 'set-cookie')
    expect(lastError()).to.include({ code: 'store_unavailable', loginUrl: '/login' })
  })

  it('starting: a store that never calls back is given up after 5 seconds', async () => {
    mock.timers.enable({ apis: ['setTimeout'] })
    const asked = new Promise<void>((resolve) => {
      store.hold(
        ({ operation }) => operation === 'set',
        () => {
          resolve()
          return new Promise(() => undefined)
        },
      )
    })
    const page = createBrowser().request(app.url('/login'))
    await asked
    mock.timers.tick(5_000)
    expect((await page).status).to.equal(503)
    expect(lastError()).to.include({ code: 'store_unavailable' })
  })

  it('a guard: a store that never calls back is given up after 5 seconds, once a request', async () => {
    const browser = await logIn(app)
    mock.timers.enable({ apis: ['setTimeout'] })
    const [first, second] = [createGate(), createGate()]
    let reads = 0
    store.hold(
      (call) => call.operation === 'get' && isTokenRecord(call),
      () => ((reads += 1) === 1 ? first : second).pass(),
    )
    const page = browser.request(app.url('/token'), { headers: program })
    await first.reached
    mock.timers.tick(5_000)
    const next = await Promise.race([page, second.reached.then(() => 'another 5 seconds')])
    // Whatever waits still is let go.
    first.open()
    second.open()
    await page
    expect(next).to.have.property('status', 503)
  })

  it('the answer: nothing is sent before the login is marked as taken, and it can be sent again', async () => {
    const browser = createBrowser()
    const answer = await answerUrl(app, browser)
    const stop = store.fail((call) => call.operation === 'set' && isPendingLogin(call))
    expect((await browser.request(answer)).status).to.equal(503)
    expect(app.server.count('token')).to.equal(0)
    stop()
    expect((await browser.open(answer)).url).to.equal(app.url('/'))
  })

  for (const [what, which] of [
    ['the token record', (call: StoreCall) => call.operation === 'set' && isTokenRecord(call)],
    ['the new session', (call: StoreCall) => call.operation === 'set' && !call.key.includes('.')],
  ] as const)
    it(`P11: ${what} cannot be stored: 503, nobody is signed in, the tokens are revoked`, async () => {
      const browser = createBrowser()
      const answer = await answerUrl(app, browser)
      const stop = store.fail(which)
      const page = await browser.request(answer)
      expect(page.status).to.equal(503)
      expect(lastError()).to.include({ code: 'store_unavailable' })
      await app.server.received('revocation', 2)
      expect(app.server.issued[0]).to.include({ active: false, refreshable: false })
      stop()
      expect(json(await browser.request(app.url('/')))).to.include({ sub: null })
      expect(JSON.stringify(rowsOf(store))).not.to.include(app.server.issued[0]!.accessToken)
    })

  it('the outcome cannot be noted: signed in all the same', async () => {
    const browser = createBrowser()
    const answer = await answerUrl(app, browser)
    store.fail(
      ({ operation, key, content }) =>
        operation === 'set' && key.startsWith('pl.') && inspect(content).includes("'done'"),
    )
    expect((await browser.open(answer)).url).to.equal(app.url('/'))
    expect(json(await browser.request(app.url('/')))).to.include({ sub: 'alice' })
  })

  describe('P6: a second login that fails on the way puts the old session back', () => {
    const failures: [string, (call: StoreCall) => boolean][] = [
      [
        'the token record cannot be stored',
        (call) => call.operation === 'set' && isTokenRecord(call),
      ],
      [
        'the new session cannot be stored',
        (call) => call.operation === 'set' && !call.key.includes('.'),
      ],
      [
        'the old session cannot be destroyed',
        (call) => call.operation === 'destroy' && !call.key.includes('.'),
      ],
    ]
    for (const [what, which] of failures)
      it(what, async () => {
        const browser = await logIn(app)
        const answer = await answerUrl(app, browser)
        const stop = store.fail(which)
        expect((await browser.request(answer)).status).to.equal(503)
        stop()
        expect(json(await browser.request(app.url('/')))).to.include({ sub: 'alice' })
        expect(json(await browser.request(app.url('/token')))).to.deep.equal({
          token: app.server.issued[0]!.accessToken,
        })
        await app.server.received('revocation', 2)
        expect(app.server.issued.map(({ active }) => active)).to.deep.equal([true, false])
      })

    it('the sign-in before cannot be forgotten: that is no reason to lose both', async () => {
      const browser = await logIn(app)
      const answer = await answerUrl(app, browser)
      const stop = store.fail((call) => call.operation === 'destroy' && isTokenRecord(call))
      await browser.request(answer)
      stop()
      expect(json(await browser.request(app.url('/')))).to.include({ sub: 'alice' })
    })

    it('another person’s sign-in before cannot be ended: that is no reason to lose both', async () => {
      const browser = await logIn(app)
      const old = browser.copy()
      app.server.authorizeAs('bob')
      const answer = await answerUrl(app, browser)
      let writes = 0
      const stop = store.fail(
        (call) => call.operation === 'set' && isTokenRecord(call) && (writes += 1) > 1,
      )
      await browser.request(answer)
      stop()
      const after = [
        json(await browser.request(app.url('/'))),
        json(await old.request(app.url('/'))),
      ]
      expect(after.map(({ sub }) => sub)).to.deep.be.oneOf([
        ['bob', null],
        ['alice', 'alice'],
      ])
    })
  })

  describe('records that are not as we wrote them', () => {
    type Content = Record<string, unknown>

    /** Changes what the one record of a kind says. */
    function spoil(kind: 'pl.' | 'tr.', change: (content: Content) => unknown) {
      const rows = rowsOf(store)
      const key = Object.keys(rows).find((each) => each.startsWith(kind))!
      const { content, ...row } = JSON.parse(rows[key]!) as { content: Content }
      rows[key] = JSON.stringify({ ...row, content: change(content) })
    }

    const tokens = (change: object) => (content: Content) => ({
      tokens: { ...(content.tokens as object), ...change },
    })

    const nobody: [string, (content: Content) => unknown][] = [
      ['null', () => null],
      ['text', () => 'text'],
      ['a list', () => []],
      ['an object', () => ({})],
      ['tokens: null', () => ({ tokens: null })],
      ['tokens: text', () => ({ tokens: 'text' })],
      ['tokens: {}', () => ({ tokens: {} })],
      ['no access token', tokens({ accessToken: null })],
      ['no scope', tokens({ scope: 'openid' })],
    ]
    for (const [what, change] of nobody)
      it(`a token record (${what}) signs nobody in`, async () => {
        const browser = await logIn(app)
        spoil('tr.', change)
        const page = await browser.request(app.url('/token'), { headers: program })
        expect(page.status).to.equal(401)
        expect(json(await browser.request(app.url('/public')))).to.deep.equal({ token: null })
        await logIn(app, browser)
      })

    for (const idToken of ['text', 'a.b.c', 'a..b', 5, {}])
      it(`an ID Token that is ${inspect(idToken)} is no crash, and the next login mends it`, async () => {
        const browser = await logIn(app)
        spoil('tr.', tokens({ idToken }))
        await browser.request(app.url('/'))
        expect((await browser.request(app.url('/public'))).status).to.equal(200)
        await logIn(app, browser)
        expect(json(await browser.request(app.url('/')))).to.include({ sub: 'alice' })
      })

    it('a pending login that lost its secret is found by nobody', async () => {
      const browser = createBrowser()
      const answer = await answerUrl(app, browser)
      for (const secretHash of [undefined, null, '', 5, [], {}]) {
        spoil('pl.', (content) => ({ ...content, secretHash }))
        expect((await browser.copy().request(answer)).status).to.equal(400)
        expect(lastError()).to.include({ code: 'login_not_found' })
      }
      expect(app.server.count('token')).to.equal(0)
    })

    for (const [what, lost] of [
      ['code verifier', 'codeVerifier'],
      ['nonce', 'nonce'],
    ] as const)
      for (const value of [undefined, '', null])
        it(`C-03: without its ${what} (${inspect(value)}) nothing is sent`, async () => {
          const browser = createBrowser()
          const answer = await answerUrl(app, browser)
          spoil('pl.', (content) => ({ ...content, [lost]: value }))
          const page = await browser.request(answer)
          expect(page.status).to.be.within(400, 499)
          expect(app.server.count('token')).to.equal(0)
          expect(json(await browser.request(app.url('/')))).to.include({ sub: null })
        })
  })
})
