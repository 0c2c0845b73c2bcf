import { inspect } from 'node:util'
import { expect } from 'chai'
import {
  createTestAuthorizationServer,
  type TestAuthorizationServer,
  type TestAuthorizationServerOptions,
} from '../../src/testing/index.ts'
import { startApp } from '../support/app.ts'
import { createBrowser } from '../support/browser.ts'
import { failLogin, home, logIn } from './attempt.ts'

describe('an authorization server by hand, without discovery', () => {
  const running: { close(): Promise<void> }[] = []

  /** A server that publishes no metadata, and an app that is told of it. */
  async function start(
    flowFor: (server: TestAuthorizationServer) => object,
    options: TestAuthorizationServerOptions = {},
  ) {
    const server = await createTestAuthorizationServer({ discovery: 'none', ...options })
    const app = await startApp({ server, flow: { issuer: undefined, ...flowFor(server) } })
    running.push(server, app)
    return { app, server }
  }

  afterEach(async () => {
    for (const each of running.splice(0).reverse()) await each.close()
  })

  const endpointsOf = ({
    metadata: { authorization_endpoint, token_endpoint },
  }: TestAuthorizationServer) => ({
    authorization_endpoint,
    token_endpoint,
  })

  const openId = (server: TestAuthorizationServer) => ({
    ...endpointsOf(server),
    issuer: server.issuer,
    jwks_uri: server.metadata.jwks_uri,
  })

  it('OpenID: issuer and keys by hand are what the ID Token is checked against', async () => {
    const { app, server } = await start((of) => ({ server: openId(of), scope: 'openid email' }))
    const browser = await logIn(app)
    expect((await home(app, browser)).sub).to.equal('alice')
    expect(server.count('discovery')).to.equal(0)

    server.misbehave('token', { idToken: { sign: 'wrong-key' } })
    await failLogin(app, 'id_token_invalid')
  })

  it('plain OAuth 2.0: acr_values are asked for, and nobody says whether they were met', async () => {
    const { app, server } = await start((of) => ({
      server: endpointsOf(of),
      scope: 'read',
      authorizationParams: { acr_values: 'gold' },
    }))
    await logIn(app)
    const [request] = server.requests.filter(({ endpoint }) => endpoint === 'authorization')
    expect(request!.query.get('acr_values')).to.equal('gold')
  })

  it('OpenID: another issuer than that by hand is refused, in the answer and in the ID Token', async () => {
    for (const announceIss of [true, false]) {
      const { app, server } = await start(
        (of) => ({ server: { ...openId(of), issuer: 'https://other.example' }, scope: 'openid' }),
        { announceIss },
      )
      await failLogin(app, announceIss ? 'issuer_mismatch' : 'id_token_invalid')
      expect(server.count('token')).to.equal(announceIss ? 0 : 1)
    }
  })

  describe('plain OAuth 2.0 (RFC 6749), by rootUrl', () => {
    for (const slash of ['', '/'])
      it(`logs in at /oauth${slash}, without scope, nonce and ID Token`, async () => {
        const { app, server } = await start(
          ({ origin }) => ({ server: { rootUrl: `${origin}/oauth${slash}` } }),
          { issuerPath: '/oauth' },
        )
        const browser = await logIn(app)
        const { query } = await server.received('authorization')
        expect(query.has('scope')).to.equal(false)
        expect(query.has('nonce')).to.equal(false)
        expect(query.get('code_challenge_method')).to.equal('S256')
        const { body } = await server.received('token')
        expect(body.get('code_verifier')).to.have.length(43)
        expect((await home(app, browser)).sub).to.equal(null)
        const { body: page } = await browser.open(app.url('/token'))
        expect(JSON.parse(page)).to.deep.equal({ token: server.issued[0]!.accessToken })
        expect(server.count('discovery') + server.count('jwks')).to.equal(0)
      })

    it('gets the scope that was granted', async () => {
      const { app } = await start(
        ({ origin }) => ({ server: { rootUrl: origin }, scope: 'read write' }),
        {
          clients: [{ clientId: 'test-client', clientSecret: 'test-client-secret', scope: 'read' }],
        },
      )
      expect((await home(app, await logIn(app))).status.scope).to.deep.equal(['read'])
    })

    it('an ID Token that nobody asked for is not looked at', async () => {
      const { app, server } = await start(({ origin }) => ({ server: { rootUrl: origin } }))
      server.misbehave('token', { tokenResponse: (all) => ({ ...all, id_token: 'a.b.c' }) })
      expect((await home(app, await logIn(app))).sub).to.equal(null)
    })

    it('an "iss" in the answer is not compared with what nobody knows', async () => {
      const { app, server } = await start(({ origin }) => ({ server: { rootUrl: origin } }))
      server.misbehave('authorization', {
        authorizationResponse: (answer) => answer.set('iss', 'https://whoever.example'),
      })
      await logIn(app)
    })

    describe('P6, P16: nobody can tell who it was, so the next login may be another person’s', () => {
      /** Alice logs in and leaves something behind, then Bob in the same browser. */
      async function aliceThenBob() {
        const { app, server } = await start(({ origin }) => ({ server: { rootUrl: origin } }))
        app.app.get('/keep', (req, res) => {
          Object.assign(req.session, { note: 'for Alice only' })
          res.end()
        })
        const browser = await logIn(app)
        await browser.request(app.url('/keep'))
        server.authorizeAs('bob')
        // Many servers give a refresh token at the first consent only.
        server.misbehave('token', { tokenResponse: ({ refresh_token: _, ...rest }) => rest })
        await logIn(app, browser)
        return { app, server, stored: () => inspect(app.store, { depth: Infinity }) }
      }

      it('the refresh token of the one does not become the other’s', async () => {
        const { server, stored } = await aliceThenBob()
        expect(stored()).to.include(server.issued[1]!.accessToken)
        expect(stored()).not.to.include(server.issued[0]!.refreshToken)
      })

      it('what the one left in the session does not become the other’s', async () => {
        const { stored } = await aliceThenBob()
        expect(stored()).not.to.include('for Alice only')
      })
    })
  })

  it('endpoints keep a query of their own (RFC 6749 sections 3.1 and 3.2)', async () => {
    const { app, server } = await start((of) => ({
      server: {
        authorization_endpoint: `${of.metadata.authorization_endpoint}?tenant=a%20b&x`,
        token_endpoint: `${of.metadata.token_endpoint}?tenant=a%20b`,
      },
    }))
    await logIn(app)
    const { query } = await server.received('authorization')
    expect(query.getAll('tenant')).to.deep.equal(['a b'])
    expect(query.get('x')).to.equal('')
    expect(query.get('client_id')).to.equal('test-client')
    expect((await server.received('token')).query.toString()).to.equal('tenant=a+b')
  })

  it('a revocation endpoint by hand is used', async () => {
    const { app, server } = await start((of) => ({
      server: { ...endpointsOf(of), revocation_endpoint: of.metadata.revocation_endpoint },
      onLogin: () => {
        throw new Error('not this one')
      },
    }))
    await createBrowser().open(app.url('/login'))
    const [refresh, access] = [
      await server.received('revocation', 1),
      await server.received('revocation', 2),
    ]
    expect(refresh.body.get('token')).to.equal(server.issued[0]!.refreshToken)
    expect(access.body.get('token')).to.equal(server.issued[0]!.accessToken)
  })
})
