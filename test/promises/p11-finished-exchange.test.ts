import http from 'node:http'
import { expect } from 'chai'
import { type AppSetUp, type RunningApp, startApp } from '../support/app.ts'
import { type Browser, createBrowser } from '../support/browser.ts'
import { createFaultyStore } from '../support/faulty-store.ts'
import { createGate, type Gate } from '../support/gate.ts'
import { rows } from '../support/rows.ts'
import { until } from '../support/until.ts'

describe('P11: a token request once sent is finished', () => {
  let app: RunningApp
  let browser: Browser
  let gate: Gate

  async function start(setUp: AppSetUp = {}) {
    app = await startApp(setUp)
    browser = createBrowser()
    gate = createGate()
  }

  afterEach(() => app.close())

  const startLogin = () =>
    browser.openUntil(app.url('/callback'), app.url('/login?returnTo=/public'))

  /** Sends the callback and goes away while the code is being exchanged. */
  async function leaveDuringExchange(callback: string) {
    const sent = app.server.count('token')
    const cookie = [...browser.cookies.get('127.0.0.1')!].map((pair) => pair.join('=')).join('; ')
    const request = http.get(callback, { headers: { cookie }, agent: false })
    request.on('error', () => undefined)
    const closed = new Promise((resolve) => request.once('close', resolve))
    await app.server.received('token', sent + 1)
    request.destroy()
    await closed
  }

  for (const signedIn of [false, true])
    describe(`when the browser of ${signedIn ? 'a person' : 'a stranger'} disconnects in the middle`, () => {
      let callback: string

      beforeEach(async () => {
        await start()
        if (signedIn) await browser.open(app.url('/login'))
        app.server.reset()
        callback = await startLogin()
        app.server.misbehave('token', { delay: gate.pass() })
        await leaveDuringExchange(callback)
      })

      it('P11: the tokens are stored', async () => {
        const before = (await rows(app.store)).tokens.map(({ key }) => key)
        gate.open()
        await until(async () =>
          (await rows(app.store)).tokens.some(({ key }) => !before.includes(key)),
        )
        expect(app.server.issued[0]).to.include({ active: true })
      })

      it('P11: a reload signs in, with one token request', async () => {
        gate.open()
        const page = await browser.open(callback)
        expect(page).to.include({ status: 200, url: app.url('/public') })
        expect(JSON.parse(page.body)).to.deep.equal({ token: app.server.issued[0]!.accessToken })
        expect(app.server.count('token')).to.equal(1)
      })

      it('P11: a reload before the answer is there signs in, with one token request', async () => {
        const reload = browser.open(callback)
        gate.open()
        expect(JSON.parse((await reload).body)).to.deep.equal({
          token: app.server.issued[0]!.accessToken,
        })
        expect(app.server.count('token')).to.equal(1)
      })
    })

  describe('when the new token cannot be stored', () => {
    const failures = [
      { what: 'its record', which: (key: string) => key.startsWith('tr.') },
      { what: 'the session that refers to it', which: (key: string) => !key.includes('.') },
    ]
    for (const { what, which } of failures)
      it(`P11: ${what}: it is revoked`, async () => {
        const store = createFaultyStore()
        await start({ store })
        const callback = await startLogin()
        store.fail(({ operation, key }) => operation === 'set' && which(key))
        const page = await browser.open(callback)
        expect(page.status).to.equal(503)
        expect(JSON.parse(page.body)).to.include({ code: 'store_unavailable' })
        await app.server.received('revocation', 2)
        await until(() => !app.server.issued[0]!.active)
        expect(app.server.issued[0]).to.include({ active: false, refreshable: false })
        expect(await rows(store))
          .to.have.property('tokens')
          .with.length(0)
      })

    for (const fault of [{ reset: 'before-response' }, { answer: { status: 503 } }] as const)
      it(`P11: and cannot be revoked either (${Object.keys(fault)[0]}): the answer is the same, nothing is unhandled`, async () => {
        const unhandled: unknown[] = []
        const note = (error: unknown) => unhandled.push(error)
        process.on('unhandledRejection', note)
        const store = createFaultyStore()
        await start({ store })
        const callback = await startLogin()
        app.server.misbehave('revocation', fault)
        store.fail(({ operation, key }) => operation === 'set' && key.startsWith('tr.'))
        expect((await browser.open(callback)).status).to.equal(503)
        await app.server.received('revocation', 2)
        await app.close()
        process.off('unhandledRejection', note)
        expect(unhandled).to.deep.equal([])
        await start()
      })
  })

  it('P11: the outcome cannot be written: signed in all the same, and a repetition sends nothing', async () => {
    const store = createFaultyStore()
    await start({ store })
    const callback = await startLogin()
    const mend = store.fail(
      ({ operation, key, content }) =>
        operation === 'set' && key.startsWith('pl.') && JSON.stringify(content).includes('"done"'),
    )
    const page = await browser.open(callback)
    expect(page).to.include({ status: 200, url: app.url('/public') })
    mend()
    expect(JSON.parse((await browser.open(app.url('/public'))).body)).to.deep.equal({
      token: app.server.issued[0]!.accessToken,
    })
    expect(app.server.count('token')).to.equal(1)
  })
})
