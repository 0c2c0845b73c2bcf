import { expect } from 'chai'
import type { Store } from 'express-session'
import { alice, endAtServer, nobody, signedIn, startLogoutApp, who } from '../http/logout-app.ts'
import type { RunningApp } from '../support/app.ts'
import { createBrowser } from '../support/browser.ts'
import { type OpenStore, sessionStores } from './stores.ts'

for (const kind of sessionStores)
  kind.suite(`logouts that the authorization server tells of, over ${kind.name}`, () => {
    let opened: OpenStore<Store>
    let app: RunningApp

    before(async () => {
      opened = await kind.open()
      app = await startLogoutApp({ session: { store: opened.store } })
    })

    after(async () => {
      await app?.close()
      await opened?.close()
    })

    beforeEach(() => app.server.reset())

    for (const target of ['sid', 'sub'] as const)
      it(`P17: a logout token with ${target} ends the session, and a login afterwards stays`, async () => {
        const { browser, ...claims } = await signedIn(app)
        expect(await who(app, browser)).to.deep.equal(alice)
        await endAtServer(app, { [target]: claims[target] })
        expect(await who(app, browser)).to.deep.equal(nobody)
        await signedIn(app, browser)
        expect(await who(app, browser)).to.deep.equal(alice)
      })

    it('a front-channel logout ends the session of its sid', async () => {
      const { browser, iss, sid } = await signedIn(app)
      const query = new URLSearchParams({ iss, sid }).toString()
      await createBrowser().request(app.url(`/framed?${query}`))
      expect(await who(app, browser)).to.deep.equal(nobody)
    })
  })
