import { expect } from 'chai'
import type { Express } from 'express'
import type { PkceFlow } from '../../src/index.ts'
import { type AppSetUp, type RunningApp, startApp } from '../support/app.ts'
import { type Browser, createBrowser, type Page } from '../support/browser.ts'
import { bindingCookies, rows, sessionId } from '../support/rows.ts'
import { seed, shuffled } from '../support/shuffle.ts'

const crossSite = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }

/** A page for each tab, which says who is signed in there. */
function tabRoutes(app: Express, flow: PkceFlow) {
  app.get('/tab/:number', async (req, res) => {
    res.json({ tab: Number(req.params.number), sub: (await flow.claims(req))?.sub ?? null })
  })
}

function shownAt(page: Page): unknown {
  return { status: page.status, ...(JSON.parse(page.body) as object) }
}

describe('P1: logins started in one browser all finish', () => {
  let app: RunningApp
  let browser: Browser

  async function start(setUp: AppSetUp = {}) {
    app = await startApp({ routes: tabRoutes, ...setUp })
    browser = createBrowser()
  }

  afterEach(() => app.close())

  /** Starts the login of a tab, as far as the answer that it comes back with. */
  async function startTab(tab: number, headers: Record<string, string> = {}): Promise<string> {
    const url = app.url(`/login?returnTo=/tab/${tab}`)
    const { location } = (await browser.request(url, { headers })).headers
    return browser.openUntil(app.url('/callback'), location ?? '')
  }

  /** Finishes it. */
  async function finishTab(tab: number, callback: string) {
    const page = await browser.open(callback)
    expect(shownAt(page), `tab ${tab}, seed ${seed}`).to.deep.equal({
      status: 200,
      tab,
      sub: 'alice',
    })
  }

  async function whoIsSignedIn() {
    return (JSON.parse((await browser.open(app.url('/tab/0'))).body) as { sub: unknown }).sub
  }

  async function expectNotFound(callback: string) {
    const { status, body } = await browser.open(callback)
    expect({ status, ...(JSON.parse(body) as object) }).to.include({
      status: 400,
      code: 'login_not_found',
    })
  }

  const numbers = Array.from({ length: 20 }, (_, index) => index + 1)
  const sessions = [{ saveUninitialized: false }, { saveUninitialized: true }]

  for (const session of sessions)
    describe(`with saveUninitialized: ${session.saveUninitialized}`, () => {
      beforeEach(() => start({ session }))

      it(`P1: 20 cold overlapping logins, finished one by one in random order (seed ${seed})`, async () => {
        const callbacks = await Promise.all(numbers.map((tab) => startTab(tab)))
        const made = new Set<string | undefined>()
        for (const tab of shuffled(numbers)) {
          await finishTab(tab, callbacks[tab - 1]!)
          expect(made, 'the session made last is the browser’s').not.to.include(sessionId(browser))
          made.add(sessionId(browser))
        }
        expect(app.server.count('token')).to.equal(20)
      })

      it(`P1: 20 cold overlapping logins, finished all at once in random order (seed ${seed})`, async () => {
        const callbacks = await Promise.all(numbers.map((tab) => startTab(tab)))
        await Promise.all(shuffled(numbers, 1).map((tab) => finishTab(tab, callbacks[tab - 1]!)))
        expect(await whoIsSignedIn()).to.equal('alice')
        expect(app.server.count('token')).to.equal(20)
      })

      it('P1: 20 whole logins at once from nothing', async () => {
        const pages = await Promise.all(
          numbers.map((tab) => browser.open(app.url(`/login?returnTo=/tab/${tab}`))),
        )
        for (const [index, page] of pages.entries())
          expect(shownAt(page)).to.deep.equal({ status: 200, tab: index + 1, sub: 'alice' })
        expect(await whoIsSignedIn()).to.equal('alice')
      })

      it('P1: 20 warm logins, one after another', async () => {
        await browser.open(app.url('/login?returnTo=/tab/0'))
        for (const tab of numbers) await finishTab(tab, await startTab(tab))
        expect((await rows(app.store)).sessions).to.have.length(1)
      })

      it(`P1: 20 warm overlapping logins, finished one by one in random order (seed ${seed})`, async () => {
        await browser.open(app.url('/login?returnTo=/tab/0'))
        const callbacks = await Promise.all(numbers.map((tab) => startTab(tab)))
        for (const tab of shuffled(numbers, 2)) await finishTab(tab, callbacks[tab - 1]!)
        expect((await rows(app.store)).sessions).to.have.length(1)
      })

      it(`P1: 20 warm overlapping logins, finished all at once in random order (seed ${seed})`, async () => {
        await browser.open(app.url('/login?returnTo=/tab/0'))
        const callbacks = await Promise.all(numbers.map((tab) => startTab(tab)))
        await Promise.all(shuffled(numbers, 3).map((tab) => finishTab(tab, callbacks[tab - 1]!)))
        expect(await whoIsSignedIn()).to.equal('alice')
      })
    })

  it('P1: the 26th pending login evicts the first, and the other 25 finish', async () => {
    await start()
    const callbacks = []
    for (let tab = 1; tab <= 26; tab += 1) callbacks.push(await startTab(tab))
    expect(bindingCookies(browser)).to.have.length(25)
    await expectNotFound(callbacks[0]!)
    for (let tab = 2; tab <= 26; tab += 1) await finishTab(tab, callbacks[tab - 1]!)
  })

  it('P1: maxPendingLogins sets how many there can be', async () => {
    await start({ flow: { maxPendingLogins: 2 } })
    const callbacks = [await startTab(1), await startTab(2), await startTab(3)]
    await expectNotFound(callbacks[0]!)
    await finishTab(3, callbacks[2]!)
    await finishTab(2, callbacks[1]!)
  })

  it('P1: finished logins make place before pending ones', async () => {
    await start({ flow: { maxPendingLogins: 3 } })
    const callbacks = [await startTab(1), await startTab(2), await startTab(3)]
    await finishTab(3, callbacks[2]!)
    callbacks.push(await startTab(4))
    for (const tab of [1, 2, 4]) await finishTab(tab, callbacks[tab - 1]!)
  })

  it('P1: of the logins that another site started, three can be pending', async () => {
    await start()
    const callbacks = []
    for (let tab = 1; tab <= 5; tab += 1) callbacks.push(await startTab(tab, crossSite))
    await expectNotFound(callbacks[0]!)
    await expectNotFound(callbacks[1]!)
    for (const tab of [3, 4, 5]) await finishTab(tab, callbacks[tab - 1]!)
  })

  for (const own of [1, 24, 25])
    it(`P1: logins that another site started push none of ${own} own ones out`, async () => {
      await start()
      const callbacks = []
      for (let tab = 1; tab <= own; tab += 1) callbacks.push(await startTab(tab))
      for (let times = 0; times < 10; times += 1) await startTab(100, crossSite)
      for (let tab = 1; tab <= own; tab += 1) await finishTab(tab, callbacks[tab - 1]!)
    })

  it('P1: flows on one host count their own logins only', async () => {
    await start({ flow: { maxPendingLogins: 1 } })
    const other = await startApp({ server: app.server, flow: { maxPendingLogins: 1 } })
    try {
      const callback = await startTab(1)
      for (let times = 0; times < 5; times += 1) await browser.request(other.url('/login'))
      await finishTab(1, callback)
    } finally {
      await other.close()
    }
  })
})
