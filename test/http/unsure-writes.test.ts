import { expect } from 'chai'
import { type RunningApp, startApp } from '../support/app.ts'
import { type Browser, createBrowser } from '../support/browser.ts'
import { createFaultyStore, type FaultyStore, type StoreCall } from '../support/faulty-store.ts'
import { until } from '../support/until.ts'
import { endAtServer, nobody, signedIn, startLogoutApp, who } from './logout-app.ts'
import { answerUrl, json } from './steps.ts'

/** A connection that breaks, perhaps after the store has done its work: nobody knows. */
describe('a write that is reported as failed, and may be done (rows D-72, D-76)', () => {
  let store: FaultyStore
  let app: RunningApp
  let browser: Browser

  beforeEach(async () => {
    store = createFaultyStore()
    app = await startApp({
      store,
      routes(express, flow) {
        express.get('/disconnect', (req, res, next) => {
          flow
            .disconnect(req)
            .then((done) => res.json(done))
            .catch(next)
        })
        express.get('/', (req, res, next) => {
          flow
            .claims(req)
            .then((claims) => res.json({ sub: claims?.sub ?? null }))
            .catch(next)
        })
      },
    })
    browser = createBrowser()
  })
  afterEach(() => app.close())

  const writes = (kind: string) => (call: StoreCall) =>
    call.operation === 'set' && call.key.startsWith(kind)

  it('of a pending login that is taken: nothing was sent, the same answer can be tried again', async () => {
    const url = await answerUrl(app, browser)
    let isFirst = true
    const stop = store.misreport((call) => writes('pl.')(call) && isFirst && !(isFirst = false))
    expect((await browser.request(url)).status).to.equal(503)
    stop()
    expect(app.server.count('token')).to.equal(0)
    expect((await browser.open(url)).status).to.equal(200)
    expect(json(await browser.request(app.url('/')))).to.include({ sub: 'alice' })
  })

  it('of the end of a sign-in: its tokens are revoked all the same', async () => {
    await browser.open(app.url('/login'))
    const [tokens] = app.server.issued
    const stop = store.misreport(writes('tr.'))
    await browser.open(app.url('/logout'))
    stop()
    await browser.open(app.url('/logout'))
    await until(() => !tokens!.active && !tokens!.refreshable)
    expect(json(await browser.request(app.url('/')))).to.include({ sub: null })
  })

  it('of tokens that are disconnected: they are revoked all the same', async () => {
    await browser.open(app.url('/login'))
    const [tokens] = app.server.issued
    const stop = store.misreport(writes('tr.'))
    await browser.open(app.url('/disconnect'))
    stop()
    await browser.open(app.url('/disconnect'))
    await until(() => !tokens!.active && !tokens!.refreshable)
  })

  it('of tokens that are disconnected, from a store that is down then: 503, and they are still there', async () => {
    await browser.open(app.url('/login'))
    const [tokens] = app.server.issued
    let isDown = false
    const stop = store.fail((call) => isDown || (isDown = writes('tr.')(call)))
    expect((await browser.request(app.url('/disconnect'))).status).to.equal(503)
    expect([tokens!.active, tokens!.refreshable]).to.deep.equal([true, true])
    stop()
    expect(json(await browser.request(app.url('/disconnect')))).to.deep.equal({ revoked: true })
  })

  it('a sign-in that the server has ended, and whose record cannot be: its tokens are revoked', async () => {
    await app.close()
    app = await startLogoutApp({ store })
    const { sub } = await signedIn(app, browser)
    const [tokens] = app.server.issued
    await endAtServer(app, { sub })
    const stop = store.fail(writes('tr.'))
    expect(await who(app, browser)).to.deep.equal(nobody)
    stop()
    await until(() => !tokens!.active && !tokens!.refreshable)
  })
})
