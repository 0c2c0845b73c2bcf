import http from 'node:http'
import { expect } from 'chai'
import { home, logIn } from '../protocol/attempt.ts'
import { json, program } from '../http/steps.ts'
import { type RunningApp, startApp } from '../support/app.ts'
import type { Browser } from '../support/browser.ts'
import { clock } from '../support/clock.ts'
import { createFaultyStore, type FaultyStore, type StoreCall } from '../support/faulty-store.ts'
import { createGate } from '../support/gate.ts'
import { rows } from '../support/rows.ts'
import { until } from '../support/until.ts'

const hour = 3_600_000

const writesTokens = ({ operation, key }: StoreCall) => operation === 'set' && key.startsWith('tr.')

describe('P11: a refresh once sent is finished', () => {
  let app: RunningApp
  let browser: Browser
  let store: FaultyStore
  const unhandled: unknown[] = []
  const note = (error: unknown) => unhandled.push(error)

  beforeEach(async () => {
    process.on('unhandledRejection', note)
    clock.stop()
    store = createFaultyStore()
    app = await startApp({ store })
    browser = await logIn(app)
    clock.advance(hour)
  })

  afterEach(async () => {
    await app.close()
    clock.release()
    process.off('unhandledRejection', note)
    expect(unhandled.splice(0)).to.deep.equal([])
  })

  const ask = async (path: string) =>
    json(await browser.request(app.url(path), { headers: program }))
  const refreshed = () => app.server.issued[1]!
  const isStored = async () =>
    JSON.stringify((await rows(store)).tokens).includes(refreshed().refreshToken!)

  for (const path of ['/token', '/public'])
    it(`P11: the browser goes away in the middle (${path}): it is finished and stored`, async () => {
      const gate = createGate()
      app.server.misbehave('token', { delay: gate.pass() })
      const cookie = [...browser.cookies.get('127.0.0.1')!].map((pair) => pair.join('=')).join('; ')
      const request = http.get(app.url(path), { headers: { cookie }, agent: false })
      request.on('error', () => undefined)
      const closed = new Promise((resolve) => request.once('close', resolve))
      await app.server.received('token', 2)
      request.destroy()
      await closed
      gate.open()
      await until(() => app.server.issued.length === 2)
      await until(isStored)
      expect(await ask('/token')).to.deep.equal({ token: refreshed().accessToken })
      expect(app.server.count('token')).to.equal(2)
      expect(refreshed()).to.include({ active: true, refreshable: true })
    })

  it('P11: all that waited go away: the next one finds the result', async () => {
    const gate = createGate()
    app.server.misbehave('token', { delay: gate.pass() })
    const requests = Array.from({ length: 5 }, () => {
      const cookie = [...browser.cookies.get('127.0.0.1')!].map((pair) => pair.join('=')).join('; ')
      const request = http.get(app.url('/token'), { headers: { cookie }, agent: false })
      request.on('error', () => undefined)
      return request
    })
    await app.server.received('token', 2)
    const next = ask('/token')
    for (const request of requests) request.destroy()
    gate.open()
    expect(await next).to.deep.equal({ token: refreshed().accessToken })
    expect(app.server.count('token')).to.equal(2)
  })

  describe('the store fails at the write', () => {
    for (const [what, times] of [
      ['once', 1],
      ['for a while', 3],
    ] as const)
      it(`P11, D-75: ${what}: requests go on with the new token, and it is stored when the store is back`, async () => {
        const stop = store.fail(writesTokens)
        expect(await ask('/token')).to.deep.equal({ token: refreshed().accessToken })
        expect(await isStored()).to.equal(false)
        for (const path of ['/token', '/public'])
          expect(await ask(path), 'while it fails').to.deep.equal({
            token: refreshed().accessToken,
          })
        await until(() => store.calls.filter(writesTokens).length > times)
        stop()
        await until(isStored)
        expect(await ask('/token')).to.deep.equal({ token: refreshed().accessToken })
        expect(app.server.count('token')).to.equal(2)
        expect(app.server.count('revocation')).to.equal(0)
        expect(refreshed()).to.include({ active: true, refreshable: true })
      })

    it('P11: for reads, too: it is stored when the store is back', async () => {
      const gate = createGate()
      app.server.misbehave('token', { delay: gate.pass() })
      const asked = ask('/token')
      await app.server.received('token', 2)
      const stop = store.fail(({ key }) => key.startsWith('tr.'))
      gate.open()
      expect(await asked).to.deep.equal({ token: refreshed().accessToken })
      stop()
      await until(isStored)
      expect(await ask('/token')).to.deep.equal({ token: refreshed().accessToken })
      expect(app.server.count('token')).to.equal(2)
    })

    for (const revocation of [undefined, { answer: { status: 503 } }] as const)
      it(`P11: and never comes back: what came is revoked${revocation ? ', which may fail' : ''}; the session stays`, async () => {
        if (revocation) app.server.misbehave('revocation', revocation)
        const real = performance.now.bind(performance)
        const stop = store.fail(writesTokens)
        try {
          expect(await ask('/token')).to.deep.equal({ token: refreshed().accessToken })
          performance.now = () => real() + 61_000
          await app.server.received('revocation', 2)
        } finally {
          Reflect.deleteProperty(performance, 'now')
        }
        if (!revocation) await until(() => !refreshed().active && !refreshed().refreshable)
        stop()
        // The refresh token that is stored was spent.
        await until(async () => (await ask('/token')).code === 'reauthorization_required')
        expect(await home(app, browser)).to.deep.include({ sub: 'alice' })
        expect((await ask('/login-only')).ok).to.equal(true)
      })

    it('P11: at an invalid_grant: the tokens are gone at once, and for good when the store is back', async () => {
      const refused = { answer: { status: 400, json: { error: 'invalid_grant' } } }
      app.server.misbehave('token', refused)
      const stop = store.fail(writesTokens)
      for (let times = 0; times < 3; times += 1)
        expect(await ask('/token')).to.include({ code: 'reauthorization_required' })
      stop()
      await until(async () => !JSON.stringify((await rows(store)).tokens).includes('accessToken'))
      expect(await ask('/token')).to.include({ code: 'reauthorization_required' })
      expect((await ask('/login-only')).ok).to.equal(true)
      expect(app.server.count('token')).to.equal(2)
    })
  })
})
