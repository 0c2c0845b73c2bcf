import { expect } from 'chai'
import { logIn } from '../protocol/attempt.ts'
import { startApp, type RunningApp } from '../support/app.ts'
import { createBrowser, type Browser } from '../support/browser.ts'
import { createFaultyStore, type FaultyStore, type StoreCall } from '../support/faulty-store.ts'
import { answerUrl, json, program } from './steps.ts'

describe('the option store, beside the session’s own', () => {
  let app: RunningApp
  let sessions: FaultyStore
  let records: FaultyStore

  beforeEach(async () => {
    sessions = createFaultyStore()
    records = createFaultyStore()
    app = await startApp({ store: sessions, flow: { store: records } })
  })

  afterEach(() => app.close())

  const isRecord = ({ key }: StoreCall) => key.includes('.')

  it('has all records, and the session store has all sessions', async () => {
    const browser = await logIn(app)
    await browser.request(app.url('/token'))
    await browser.open(app.url('/logout'))
    expect(sessions.calls.filter(isRecord)).to.be.empty
    expect(records.calls.filter((call) => !isRecord(call))).to.be.empty
    expect(new Set(records.calls.map(({ key }) => key.slice(0, 3)))).to.deep.equal(
      new Set(['pl.', 'tr.']),
    )
  })

  it('P3: a repeated answer arrives in the session that the first one made', async () => {
    const browser = createBrowser()
    const answer = await answerUrl(app, browser)
    const again: Browser = browser.copy()
    await browser.open(answer)
    await again.open(answer)
    expect(json(await again.request(app.url('/')))).to.include({ sub: 'alice' })
    expect(app.server.count('token')).to.equal(1)
  })

  it('that fails is store_unavailable; the session goes on', async () => {
    const browser = await logIn(app)
    records.fail(() => true)
    const page = await browser.request(app.url('/token'), { headers: program })
    expect(page.status).to.equal(503)
    expect(app.errors[0]).to.include({ code: 'store_unavailable' })
    expect(json(await browser.request(app.url('/public')))).to.deep.equal({ token: null })
  })

  it('a session store that fails at the end of a login: nobody is signed in, no record is left', async () => {
    const browser = createBrowser()
    const answer = await answerUrl(app, browser)
    sessions.fail(({ operation }) => operation === 'set')
    expect((await browser.request(answer)).status).to.equal(503)
    const rows = (records as unknown as { sessions: object }).sessions
    expect(Object.keys(rows).filter((key) => key.startsWith('tr.'))).to.be.empty
    await app.server.received('revocation', 2)
    expect(app.server.issued[0]).to.include({ active: false, refreshable: false })
  })

  it('two apps may share it: a session of the one is nothing in the other', async () => {
    const other = await startApp({
      server: app.server,
      flow: { store: records, clientId: 'test-client', name: new URL(app.server.issuer).host },
    })
    try {
      const browser = await logIn(app)
      await logIn(other, createBrowser())
      const page = await browser.request(other.url('/public'))
      expect(json(page)).to.deep.equal({ token: null })
    } finally {
      await other.close()
    }
  })
})
