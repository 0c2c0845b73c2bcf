import { expect } from 'chai'
import {
  createTestAuthorizationServer,
  type TestAuthorizationServer,
} from '../../src/testing/index.ts'
import { type AppSetUp, type RunningApp, startApp } from '../support/app.ts'
import { type Browser, createBrowser } from '../support/browser.ts'
import { rows, sessionId } from '../support/rows.ts'
import { seed, shuffled } from '../support/shuffle.ts'
import { until } from '../support/until.ts'

describe('P16: a token is its user’s, whatever interleaves', () => {
  let app: RunningApp
  let server: TestAuthorizationServer | undefined

  async function start(setUp: AppSetUp = {}) {
    app = await startApp(setUp)
  }

  afterEach(async () => {
    await app.close()
    await server?.close()
    server = undefined
  })

  async function startLogin(browser: Browser, as: string): Promise<string> {
    app.server.authorizeAs(as)
    return browser.openUntil(app.url('/callback'), app.url('/login'))
  }

  const whoIs = async (browser: Browser) =>
    (JSON.parse((await browser.open(app.url('/'))).body) as { sub: unknown }).sub

  /** Whose the token is that a handler gets. */
  async function tokenOwner(browser: Browser): Promise<unknown> {
    const { token } = JSON.parse((await browser.open(app.url('/token'))).body) as { token: unknown }
    return app.server.issued.find(({ accessToken }) => accessToken === token)?.sub
  }

  it(`P16: two people in 20 browsers, all at once (seed ${seed})`, async () => {
    await start()
    const people = Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? 'alice' : 'bob'))
    const logins: { person: string; browser: Browser; callback: string }[] = []
    for (const person of people) {
      const browser = createBrowser()
      logins.push({ person, browser, callback: await startLogin(browser, person) })
    }
    await Promise.all(shuffled(logins).map(({ browser, callback }) => browser.open(callback)))
    const requests = shuffled([...logins, ...logins, ...logins], 1)
    await Promise.all(
      requests.map(async ({ person, browser }) => {
        expect(await tokenOwner(browser)).to.equal(person)
        expect(await whoIs(browser)).to.equal(person)
      }),
    )
  })

  describe('when the person at the browser changes between start and callback', () => {
    let browser: Browser

    beforeEach(async () => {
      await start()
      browser = createBrowser()
    })

    it('P16: another one logged in meanwhile: the later callback is who is signed in, with their own token', async () => {
      const ofAlice = await startLogin(browser, 'alice')
      await browser.open(await startLogin(browser, 'bob'))
      expect(await tokenOwner(browser)).to.equal('bob')
      await browser.open(ofAlice)
      expect(await whoIs(browser)).to.equal('alice')
      expect(await tokenOwner(browser)).to.equal('alice')
      await until(() => !app.server.issued.find(({ sub }) => sub === 'bob')!.active)
      expect((await rows(app.store)).sessions).to.have.length(1)
    })

    it('P16: somebody was signed in at the start and logged out meanwhile', async () => {
      await browser.open(await startLogin(browser, 'alice'))
      const ofBob = await startLogin(browser, 'bob')
      await browser.open(app.url('/logout'))
      await browser.open(ofBob)
      expect(await tokenOwner(browser)).to.equal('bob')
    })

    it('P16: a session was taken over by another person meanwhile', async () => {
      await browser.open(await startLogin(browser, 'alice'))
      const again = await startLogin(browser, 'alice')
      await browser.open(app.url('/logout'))
      await browser.open(await startLogin(browser, 'bob'))
      const id = sessionId(browser)
      await browser.open(again)
      expect(await tokenOwner(browser)).to.equal('alice')
      expect(sessionId(browser)).not.to.equal(id)
    })

    it('P16: the tokens of who was signed in before are ended and revoked, and nobody else’s', async () => {
      const other = createBrowser()
      await other.open(await startLogin(other, 'alice'))
      await browser.open(await startLogin(browser, 'alice'))
      const before = browser.copy()
      await browser.open(await startLogin(browser, 'bob'))
      await until(() => !app.server.issued[1]!.active)
      expect(app.server.issued.map(({ active }) => active)).to.deep.equal([true, false, true])
      expect(await tokenOwner(other)).to.equal('alice')
      expect(await tokenOwner(browser)).to.equal('bob')
      expect((await before.open(app.url('/login-only'), program)).status).to.equal(401)
    })
  })

  const program = { headers: { accept: 'application/json' } }

  describe('a refresh token that comes with the first login only', () => {
    const withoutRefreshToken = (response: Record<string, unknown>) => ({
      ...response,
      refresh_token: undefined,
    })

    async function refreshTokens() {
      const { tokens } = await rows(app.store)
      return app.server.issued
        .filter(({ refreshToken }) => JSON.stringify(tokens).includes(refreshToken!))
        .map(({ sub }) => sub)
    }

    it('P16: is kept for the same person', async () => {
      await start()
      const browser = createBrowser()
      await browser.open(await startLogin(browser, 'alice'))
      app.server.misbehave('token', { tokenResponse: withoutRefreshToken })
      await browser.open(await startLogin(browser, 'alice'))
      expect(await refreshTokens()).to.deep.equal(['alice'])
    })

    it('P16: is not kept for another person', async () => {
      await start()
      const browser = createBrowser()
      await browser.open(await startLogin(browser, 'alice'))
      app.server.misbehave('token', { tokenResponse: withoutRefreshToken })
      await browser.open(await startLogin(browser, 'bob'))
      expect(await refreshTokens()).to.deep.equal([])
    })

    it('P16: is not kept where nobody can tell who it is (plain OAuth 2.0)', async () => {
      server = await createTestAuthorizationServer({ announceIss: false })
      const { authorization_endpoint, token_endpoint } = server.metadata
      await start({
        server,
        flow: {
          issuer: undefined,
          server: { authorization_endpoint, token_endpoint },
          scope: 'read',
        },
      })
      const browser = createBrowser()
      await browser.open(await startLogin(browser, 'alice'))
      app.server.misbehave('token', { tokenResponse: withoutRefreshToken })
      await browser.open(await startLogin(browser, 'bob'))
      expect(await refreshTokens()).to.deep.equal([])
    })
  })

  it('P16: tokens go to the authorization server’s endpoints only', async () => {
    await start()
    const browser = createBrowser()
    await browser.open(await startLogin(browser, 'alice'))
    await browser.open(await startLogin(browser, 'bob'))
    await app.server.received('revocation', 2)
    const { issued, requests } = app.server
    for (const { endpoint, query, body, headers } of requests) {
      const sent = `${query.toString()} ${body.toString()} ${JSON.stringify(headers)}`
      for (const { accessToken, refreshToken } of issued)
        if (endpoint !== 'revocation')
          for (const token of [accessToken, refreshToken!]) expect(sent).not.to.include(token)
    }
  })
})
