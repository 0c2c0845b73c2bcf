import { expect } from 'chai'
import type { Claims, RequireLoginOptions } from '../../src/index.ts'
import { createTestAuthorizationServer } from '../../src/testing/index.ts'
import { startApp, type AppSetUp } from '../support/app.ts'
import { createBrowser } from '../support/browser.ts'
import { json, navigation, program, startsLogin } from './steps.ts'

describe('requireLogin({ claims })', () => {
  const running: { close(): Promise<void> }[] = []

  afterEach(async () => {
    for (const each of running.splice(0)) await each.close()
  })

  /** An app with one guarded page, and a browser that is signed in as alice. */
  async function signedIn(options: RequireLoginOptions, setUp: AppSetUp = {}) {
    const app = await startApp({
      routes: (routes, flow) => {
        routes.get('/', (_req, res) => {
          res.end()
        })
        routes.all('/admin', flow.requireLogin(options), (_req, res) => {
          res.json({ admin: true })
        })
      },
      ...setUp,
    })
    running.push(app)
    const browser = createBrowser()
    await browser.open(app.url('/login'))
    expect(app.errors).to.be.empty
    const ask = (headers: Record<string, string>) => browser.request(app.url('/admin'), { headers })
    return { app, ask }
  }

  it('lets through whose claims it says yes to; it sees all claims of the ID Token', async () => {
    const seen: Claims[] = []
    const { app, ask } = await signedIn({
      claims: (claims) => {
        seen.push(claims)
        return claims.email === 'alice@example.com'
      },
    })
    expect(json(await ask(program))).to.deep.equal({ admin: true })
    expect(seen[0]).to.include({
      iss: app.server.issuer,
      sub: 'alice',
      aud: 'test-client',
      name: 'Alice Adams',
    })
    expect(seen[0]).not.to.have.property('nonce')
  })

  const isRoot = ({ sub }: Claims) => sub === 'root'

  for (const unauthenticated of ['auto', 'redirect', 'problem'] as const)
    it(`'${unauthenticated}': a program whose claims do not fit is answered 403`, async () => {
      const { app, ask } = await signedIn({ claims: isRoot, unauthenticated })
      const page = await ask(program)
      expect(page.status).to.equal(403)
      expect(page.headers['content-type']).to.equal('application/problem+json')
      expect(json(page)).to.include({ code: 'insufficient_scope', status: 403 })
      expect(app.errors).to.be.empty
    })

  for (const unauthenticated of ['auto', 'redirect', 'next'] as const)
    it(`'${unauthenticated}': a person gets the app's page for it, not another login`, async () => {
      const { app, ask } = await signedIn({ claims: isRoot, unauthenticated })
      const page = await ask(navigation)
      expect(page.status).to.equal(403)
      expect(startsLogin(app, page)).to.equal(false)
      expect(app.errors[0]).to.include({ code: 'insufficient_scope', status: 403, expose: true })
    })

  it("'problem': a person gets problem JSON, too", async () => {
    const { ask } = await signedIn({ claims: isRoot, unauthenticated: 'problem' })
    expect((await ask(navigation)).headers['content-type']).to.equal('application/problem+json')
  })

  it('nobody without an ID Token is let through', async () => {
    const server = await createTestAuthorizationServer({ discovery: 'none' })
    const { ask } = await signedIn(
      { claims: () => true },
      { server, flow: { issuer: undefined, server: { rootUrl: server.origin } } },
    )
    running.push(server)
    expect(json(await ask(program))).to.include({ code: 'insufficient_scope' })
  })

  it('a function that throws lets nobody through: the app gets its error', async () => {
    const { app, ask } = await signedIn({
      claims: () => {
        throw new Error('the directory is down')
      },
    })
    expect((await ask(program)).status).to.equal(500)
    expect((app.errors[0] as Error).message).to.equal('the directory is down')
  })

  it('a promise of false is not true: nobody is let through because of the promise', async () => {
    const { ask } = await signedIn({ claims: (() => Promise.resolve(false)) as never })
    expect((await ask(program)).status).not.to.equal(200)
  })
})
