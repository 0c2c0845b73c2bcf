import { expect } from 'chai'
import { MemoryStore } from 'express-session'
import type { AppSetUp, RunningApp } from '../support/app.ts'
import { createBrowser } from '../support/browser.ts'
import { rows, sessionId } from '../support/rows.ts'
import { until } from '../support/until.ts'
import {
  accountOf,
  ask,
  browserOf,
  connect,
  ownPage,
  sessionRows,
  startConnect,
  startConnectApp,
  told,
} from './connect-app.ts'
import { cookiesSet } from './steps.ts'

describe('accounts that users of the app connect (purpose: connect)', () => {
  const running: { close(): Promise<void> }[] = []

  async function start(setUp: AppSetUp = {}): Promise<RunningApp> {
    const app = await startConnectApp(setUp)
    running.push(app)
    return app
  }

  afterEach(async () => {
    for (const each of running.splice(0).reverse()) await each.close()
  })

  const nothing = {
    ...{ attached: null, token: null, sub: null, signedIn: false, connected: false },
    scope: [],
  }

  const stores: [string, () => AppSetUp['flow'] & object][] = [
    ['the session store', () => ({})],
    ['a tokenStore', () => ({ tokenStore: new Map() })],
    ['a store', () => ({ store: new MemoryStore() })],
  ]

  for (const [where, options] of stores)
    describe(`tokens in ${where}`, () => {
      let app: RunningApp

      beforeEach(async () => {
        app = await start({ flow: options() })
      })

      it('P16: are given to handlers by every member, and to no other user', async () => {
        const browser = await browserOf(app, 'ann')
        expect(await told(app, browser)).to.deep.equal({ user: 'ann', ...nothing })
        expect((await connect(app, browser)).url).to.equal(app.url('/connected'))
        const { accessToken } = app.server.issued[0]!
        expect(await told(app, browser)).to.deep.equal({
          user: 'ann',
          attached: accessToken,
          token: accessToken,
          sub: 'alice',
          signedIn: true,
          connected: true,
          scope: ['openid'],
        })
        expect(await ask(app, browser, '/guarded/auto')).to.deep.equal({ token: accessToken })
        expect(await ask(app, browser, '/info')).to.include({ sub: 'alice' })
        const others = await browserOf(app, 'ben')
        expect(await told(app, others)).to.deep.equal({ user: 'ben', ...nothing })
        expect(await told(app, createBrowser())).to.deep.equal({ user: null, ...nothing })
      })

      it('P16: are all browsers’ in which the user is signed in', async () => {
        await connect(app, await browserOf(app, 'ann'))
        expect(await accountOf(app, await browserOf(app, 'ann'))).to.equal('alice')
      })

      it('P6: the session keeps its id and its row, and its cookie is not set again', async () => {
        const browser = await browserOf(app, 'ann')
        const id = sessionId(browser)
        const before = await sessionRows(app)
        const pages = browser.pages.length
        await connect(app, browser)
        await ask(app, browser, '/guarded/auto')
        await browser.open(app.url('/logout'))
        expect(await sessionRows(app)).to.equal(before)
        expect(sessionId(browser)).to.equal(id)
        expect(browser.pages.slice(pages).flatMap(cookiesSet)).not.to.include('connect.sid')
      })

      it('P17: /logout disconnects the account, revokes, and leaves the user signed in', async () => {
        const browser = await browserOf(app, 'ann')
        await connect(app, browser)
        const page = await browser.open(app.url('/logout'))
        expect(page.url).to.equal(app.url('/disconnected'))
        expect(app.server.issued[0]).to.include({ active: false, refreshable: false })
        expect(await told(app, browser)).to.deep.equal({ user: 'ann', ...nothing })
        await connect(app, browser, 'bob')
        expect(await accountOf(app, browser)).to.equal('bob')
      })

      it('P17: /logout of nobody, and of a user with nothing connected, is no error', async () => {
        for (const browser of [createBrowser(), await browserOf(app, 'ann')]) {
          const page = await browser.open(app.url('/logout'))
          expect(page.url).to.equal(app.url('/disconnected'))
        }
      })

      it('P17: another site cannot disconnect it', async () => {
        const browser = await browserOf(app, 'ann')
        await connect(app, browser)
        const headers = { 'sec-fetch-site': 'cross-site' }
        const page = await browser.request(app.url('/logout'), { headers })
        expect(page.status).to.equal(403)
        expect(await accountOf(app, browser)).to.equal('alice')
      })

      it('disconnect() forgets and revokes; nothing connected is no error', async () => {
        const browser = await browserOf(app, 'ann')
        await connect(app, browser)
        expect(await ask(app, browser, '/disconnect')).to.deep.equal({ revoked: true })
        expect(await ask(app, browser, '/disconnect')).to.deep.equal({ revoked: false })
        expect(await told(app, browser)).to.deep.equal({ user: 'ann', ...nothing })
      })

      it('another account takes the place of the one before, whose tokens are revoked', async () => {
        const browser = await browserOf(app, 'ann')
        await connect(app, browser, 'alice')
        await connect(app, browser, 'bob')
        expect(await accountOf(app, browser)).to.equal('bob')
        await until(() => !app.server.issued[0]!.active)
        expect(app.server.issued[1]).to.include({ active: true, refreshable: true })
      })
    })

  it('P16: fetch sends the token of the user who is signed in; without one it is an error', async () => {
    const app = await start()
    const url = `/fetched?url=${encodeURIComponent(app.server.metadata.userinfo_endpoint)}`
    const ann = await browserOf(app, 'ann')
    const ben = await browserOf(app, 'ben')
    await connect(app, ann, 'alice')
    await connect(app, ben, 'bob')
    expect(await ask(app, ann, url)).to.include({ sub: 'alice' })
    expect(await ask(app, ben, url)).to.include({ sub: 'bob' })
    await ask(app, ben, '/disconnect')
    expect(await ask(app, ben, url)).to.include({ code: 'not_connected' })
    expect(await ask(app, createBrowser(), url)).to.include({ code: 'not_signed_in' })
  })

  describe('forUser', () => {
    for (const [where, options] of stores.slice(1))
      it(`finds the tokens in ${where}`, async () => {
        const app = await start({ flow: options() })
        await connect(app, await browserOf(app, 'ann'))
        const ann = app.flow.forUser('ann')
        expect((await ann.token())?.accessToken).to.equal(app.server.issued[0]!.accessToken)
        expect(await ann.status()).to.include({ connected: true })
        expect(await app.flow.forUser('ben').token()).to.equal(undefined)
        expect(await ann.disconnect()).to.deep.equal({ revoked: true })
        expect(await ann.token()).to.equal(undefined)
      })

    it('with the session’s store says which option it needs', async () => {
      const { flow } = await start()
      expect(() => flow.forUser('ann'))
        .to.throw('"tokenStore" or "store"')
        .with.property('code', 'configuration')
    })
  })

  describe('onLogin', () => {
    it('decides where the browser goes', async () => {
      const app = await start({ flow: { onLogin: () => '/elsewhere' } })
      const page = await connect(app, await browserOf(app, 'ann'))
      expect(page.url).to.equal(app.url('/elsewhere'))
    })

    it('that throws keeps the connection from before, and revokes what came', async () => {
      let fails = false
      const app = await start({
        flow: {
          onLogin: () => {
            if (fails) throw new Error('not this account')
          },
        },
      })
      const browser = await browserOf(app, 'ann')
      await connect(app, browser, 'alice')
      fails = true
      expect((await connect(app, browser, 'bob')).status).to.equal(500)
      expect(await accountOf(app, browser)).to.equal('alice')
      await until(() => !app.server.issued[1]!.active)
      expect(app.server.issued[0]).to.include({ active: true, refreshable: true })
    })
  })

  it('a handler of the app’s own starts it, by a form of the app, too', async () => {
    const app = await start()
    const browser = await browserOf(app, 'ann')
    const url = await startConnect(app, browser, { path: '/start' })
    expect((await browser.open(url)).url).to.equal(app.url('/started'))
    const headers = { origin: app.origin }
    const form = await browser.request(app.url('/start'), { method: 'POST', headers })
    expect(form.status).to.equal(303)
  })

  it('a person is sent from a guard to connect, and comes back to the page', async () => {
    const app = await start()
    const browser = await browserOf(app, 'ann')
    for (const mode of ['auto', 'redirect']) {
      const url = app.url(`/guarded/${mode}?x=1`)
      const page = await browser.open(url, { headers: ownPage })
      expect(page).to.include({ status: 200, url })
      await ask(app, browser, '/disconnect')
    }
  })

  it('of a user whom another cookie tells, any number of times, without a session', async () => {
    const app = await start({ flow: { userId: () => 'ann' } })
    const browser = createBrowser()
    for (let times = 0; times < 5; times += 1) {
      const page = await browser.open(app.url('/guarded/auto'), { headers: ownPage })
      expect(page.status, `${times}: ${page.body}`).to.equal(200)
      await ask(app, browser, '/disconnect')
    }
    expect((await rows(app.store)).sessions).to.deep.equal([])
  })
})
