import { expect } from 'chai'
import { createTestAuthorizationServer, logIn, TestLoginError } from '../../src/testing/index.ts'
import type { TestAuthorizationServer } from '../../src/testing/index.ts'
import { type AppSetUp, type RunningApp, startApp } from '../support/app.ts'
import { describeInChromium, openTab } from './chromium.ts'

describeInChromium('logIn of a Playwright page', () => {
  let server: TestAuthorizationServer
  let app: RunningApp

  before(async () => {
    server = await createTestAuthorizationServer()
  })
  beforeEach(() => server.reset())
  afterEach(() => app.close())
  after(() => server.close())

  async function start(setUp: AppSetUp = {}) {
    app = await startApp({ server, ...setUp })
    return openTab({ baseURL: app.origin })
  }

  it('leaves it signed in as the named user, at the page where it began', async () => {
    const page = await start()
    const { landing, tokens } = await logIn(page, { server, user: 'bob', path: '/token?page=2' })
    expect(landing).to.equal('/token?page=2')
    expect(page.url()).to.equal(app.url('/token?page=2'))
    expect(JSON.parse(await page.innerText('body'))).to.deep.equal({ token: tokens.accessToken })
    // The person at this browser stays the same, also for logins that the page begins itself.
    await page.goto('/login?returnTo=/')
    expect(await page.innerText('body')).to.include('"sub":"bob"')
    // What was said of one login is not said of the next.
    await logIn(page, { server })
    expect(await page.innerText('body')).to.include('"sub":"alice"')
  })

  it('with a strict session cookie, a scope, and a token that has expired', async () => {
    const page = await start({ session: { cookie: { sameSite: 'strict' } } })
    const { tokens } = await logIn(page, { server, scope: 'read', expired: true })
    expect(tokens.scope).to.equal('openid read')
    await page.goto('/token')
    expect(await page.innerText('body')).to.include(server.issued[1]!.accessToken)
    // Another login of this browser is a usual one.
    await page.goto('/login')
    expect(server.issued.at(-1)).to.include({ scope: 'openid', lifetime: 3_600_000 })
  })

  it('says what the app answered to a login that failed', async () => {
    const page = await start()
    server.misbehave('authorization-access-denied')
    const [settled] = await Promise.allSettled([logIn(page, { server })])
    expect(settled).to.have.property('reason').that.is.an.instanceOf(TestLoginError)
    expect(settled).to.have.property('reason').that.includes({ status: 403, code: 'access_denied' })
  })
})
