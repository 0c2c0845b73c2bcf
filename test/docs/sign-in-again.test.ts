import { expect } from 'chai'
import {
  createTestAuthorizationServer,
  type TestAuthorizationServer,
} from '../../src/testing/index.ts'
import { type Browser, createBrowser } from '../support/browser.ts'
import { findFreePort } from '../support/service.ts'
import {
  createDocsProject,
  programIn,
  type DocsProject,
  type RunningProgram,
} from './docs-project.ts'

/** What a browser says of an address that was typed. */
const headers = {
  'sec-fetch-site': 'none',
  'sec-fetch-mode': 'navigate',
  'sec-fetch-dest': 'document',
}

describe('guide sign-in-again.md', function () {
  this.timeout(120_000)

  let project: DocsProject
  let server: TestAuthorizationServer
  let running: RunningProgram
  let origin: string
  let browser: Browser

  before(async () => {
    project = await createDocsProject({ 'again.ts': await programIn('sign-in-again.md') })
  })

  after(() => project.remove())

  beforeEach(async () => {
    server = await createTestAuthorizationServer()
    browser = createBrowser()
    const port = await findFreePort()
    origin = `http://127.0.0.1:${port}`
    running = project.run('again.ts', {
      PORT: String(port),
      ISSUER: server.issuer,
      CLIENT_ID: 'test-client',
      CLIENT_SECRET: 'test-client-secret',
      SESSION_SECRET: 'session-secret-of-the-guide',
    })
    await running.printed(/Open/)
  })

  afterEach(async () => {
    await running.stop()
    await server.close()
  })

  const open = async (path: string) => {
    const { status, url, body } = await browser.open(origin + path, { headers })
    return { status, path: url.slice(origin.length), body }
  }
  const asked = async (nth: number) => (await server.received('authorization', nth)).query

  it('who is signed in at the server is welcomed by name, and not again after a logout', async () => {
    expect(await open('/')).to.deep.equal({ status: 200, path: '/', body: 'Welcome, alice' })
    expect((await asked(1)).get('prompt')).to.equal('none')
    expect((await open('/logout')).body).to.equal('Welcome')
    expect((await open('/')).body).to.equal('Welcome')
  })

  it('who is not is welcomed all the same', async () => {
    server.authorizeAs(undefined)
    for (let times = 0; times < 2; times += 1)
      expect(await open('/')).to.deep.equal({ status: 200, path: '/', body: 'Welcome' })
    expect(server.count('authorization')).to.equal(1)
  })

  it('payments need a recent login', async () => {
    expect((await open('/payments')).body).to.equal('Your payments')
    expect((await asked(1)).get('max_age')).to.equal('300')
  })

  it('a transfer needs a login of a certain kind, in one round', async () => {
    await open('/payments')
    expect((await open('/transfer')).body).to.equal('Transfer money')
    expect((await asked(2)).get('acr_values')).to.equal('gold platinum')
    server.misbehave('token', { idToken: { claims: (claims) => ({ ...claims, acr: 'tin' }) } })
    await open('/login')
    expect((await open('/transfer')).status).to.equal(401)
    expect(server.count('authorization')).to.equal(4)
  })

  it("a portal's link leads to the page that it names; one for another server is refused", async () => {
    const link = new URLSearchParams({
      iss: server.issuer,
      login_hint: 'alice',
      target_link_uri: `${origin}/payments`,
    })
    expect(await open(`/login?${link.toString()}`)).to.include({ status: 200, path: '/payments' })
    expect((await asked(1)).get('login_hint')).to.equal('alice')
    link.set('iss', 'https://evil.example')
    expect(await open(`/login?${link.toString()}`)).to.include({ status: 400 })
    link.set('iss', server.issuer)
    link.set('target_link_uri', 'https://evil.example/')
    expect(await open(`/login?${link.toString()}`)).to.include({ status: 200, path: '/' })
  })
})
