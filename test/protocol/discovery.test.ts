import { inspect } from 'node:util'
import { expect } from 'chai'
import {
  createTestAuthorizationServer,
  type TestAuthorizationServer,
  type TestAuthorizationServerOptions,
} from '../../src/testing/index.ts'
import { startApp, type AppSetUp, type RunningApp } from '../support/app.ts'
import { createBrowser } from '../support/browser.ts'
import { failLogin, logIn } from './attempt.ts'

describe('discovery', () => {
  const running: { close(): Promise<void> }[] = []

  async function start(setUp: AppSetUp = {}): Promise<RunningApp> {
    const app = await startApp(setUp)
    running.push(app)
    return app
  }

  async function startServer(options?: TestAuthorizationServerOptions) {
    const server = await createTestAuthorizationServer(options)
    running.push(server)
    return server
  }

  afterEach(async () => {
    for (const each of running.splice(0).reverse()) await each.close()
  })

  const discoveryPaths = (server: TestAuthorizationServer) =>
    server.requests.filter(({ endpoint }) => endpoint === 'discovery').map(({ path }) => path)

  describe('where metadata are (OpenID Connect Discovery 1.0 section 4, RFC 8414 section 3)', () => {
    it('OpenID: below the issuer, fetched once for all logins', async () => {
      const app = await start()
      expect(app.server.requests).to.be.empty
      await Promise.all([logIn(app), logIn(app), logIn(app)])
      await logIn(app)
      expect(discoveryPaths(app.server)).to.deep.equal(['/.well-known/openid-configuration'])
    })

    for (const missing of [404, 405])
      it(`RFC 8414 after a ${missing}: before the issuer's path`, async () => {
        const app = await start({ serverOptions: { discovery: 'oauth', issuerPath: '/realms/a' } })
        app.server.misbehave('discovery', { answer: { status: missing } }, { times: 1 })
        await logIn(app)
        expect(discoveryPaths(app.server)).to.deep.equal([
          '/realms/a/.well-known/openid-configuration',
          '/.well-known/oauth-authorization-server/realms/a',
        ])
      })

    it('nowhere: the error says what to do', async () => {
      const app = await start({ serverOptions: { discovery: 'none' } })
      const { message } = await failLogin(app, 'invalid_server_response')
      expect(message).to.include('"server"')
      expect(app.server.count('authorization')).to.equal(0)
    })

    for (const status of [400, 401, 403, 410, 500, 503])
      it(`not elsewhere after a ${status}: the server has an answer, if not a good one`, async () => {
        const app = await start()
        app.server.misbehave('discovery', { answer: { status } })
        await failLogin(app, status >= 500 ? 'server_unavailable' : 'invalid_server_response')
        expect(app.server.count('discovery')).to.equal(1)
      })
  })

  describe('redirects of metadata and keys: at most 3, within the origin', () => {
    for (const endpoint of ['discovery', 'jwks'] as const) {
      /** An app whose server answers so many requests of this endpoint with a redirect. */
      async function redirecting(location: (app: RunningApp) => string, times = 1, status = 302) {
        const app = await start()
        const headers = { location: location(app) }
        app.server.misbehave(endpoint, { answer: { status, headers } }, { times })
        return app
      }

      const here = ({ server }: RunningApp) =>
        endpoint === 'jwks'
          ? `${server.metadata.jwks_uri}?moved`
          : `${server.issuer}/.well-known/openid-configuration?moved`

      for (const status of [301, 302, 303, 307, 308])
        it(`${endpoint}: ${status} is followed`, async () => {
          const app = await redirecting(here, 1, status)
          await logIn(app)
          expect(app.server.count(endpoint)).to.equal(2)
        })

      it(`${endpoint}: a relative one is followed`, async () => {
        await logIn(await redirecting((app) => new URL(here(app)).pathname))
      })

      it(`${endpoint}: 3 are followed`, async () => {
        const app = await redirecting(here, 3)
        await logIn(app)
        expect(app.server.count(endpoint)).to.equal(4)
      })

      it(`${endpoint}: 4 are refused`, async () => {
        const app = await redirecting(here, 4)
        await failLogin(app, 'invalid_server_response')
        expect(app.server.count(endpoint)).to.equal(4)
      })

      it(`${endpoint}: to another origin is refused, and nothing is sent there`, async () => {
        const other = await startServer()
        const path = endpoint === 'jwks' ? '/jwks' : '/.well-known/openid-configuration'
        await failLogin(await redirecting(() => other.origin + path), 'invalid_server_response')
        expect(other.requests).to.be.empty
      })

      for (const nowhere of ['http://', 'javascript:alert(1)'])
        it(`${endpoint}: to "${nowhere}" is refused`, async () => {
          await failLogin(await redirecting(() => nowhere), 'invalid_server_response')
        })
    }
  })

  describe('what is published', () => {
    it('another issuer is refused (RFC 8414 section 3.3), and nobody is sent there', async () => {
      for (const issuer of ['https://other.example', undefined, 5, '']) {
        const app = await start()
        app.server.misbehave('discovery', { metadata: (all) => ({ ...all, issuer }) })
        await failLogin(app, 'invalid_server_response')
        expect(app.server.count('authorization')).to.equal(0)
      }
    })

    for (const wrong of [null, [], 'text', 5, true, {}])
      it(`${JSON.stringify(wrong)} instead of metadata is refused`, async () => {
        const app = await start()
        app.server.misbehave('discovery', { metadata: () => wrong })
        await failLogin(app, 'invalid_server_response')
      })

    for (const body of ['<html>not found</html>', '{"issuer":', ''])
      it(`${JSON.stringify(body)} instead of JSON is refused`, async () => {
        const app = await start()
        app.server.misbehave('discovery', { answer: { body } })
        await failLogin(app, 'invalid_server_response')
      })

    const unusable: [string, Record<string, unknown>][] = [
      ['no authorization endpoint', { authorization_endpoint: undefined }],
      ['no token endpoint', { token_endpoint: undefined }],
      ['an authorization endpoint that is no URL', { authorization_endpoint: '/authorize' }],
      ['a token endpoint that is no text', { token_endpoint: { url: 'https://server.example' } }],
      ['a list of token endpoints', { token_endpoint: ['https://server.example/token'] }],
      ['an authorization endpoint of a script', { authorization_endpoint: 'javascript:alert(1)' }],
      ['keys at no URL', { jwks_uri: 'nowhere' }],
      ['keys at no text', { jwks_uri: 5 }],
      ['PKCE without S256', { code_challenge_methods_supported: ['plain'] }],
      ['PKCE without any method', { code_challenge_methods_supported: [] }],
      ['PKCE with a text', { code_challenge_methods_supported: 'S256' }],
    ]
    for (const [what, change] of unusable)
      it(`${what}: nobody is sent there`, async () => {
        const app = await start()
        app.server.misbehave('discovery', { metadata: (all) => ({ ...all, ...change }) })
        await failLogin(app, 'invalid_server_response')
        expect(app.server.count('authorization')).to.equal(0)
      })

    for (const [member, value] of [
      ['authorization_response_iss_parameter_supported', 'true'],
      ['authorization_response_iss_parameter_supported', null],
      ['code_challenge_methods_supported', null],
      ['revocation_endpoint', 5],
      ['userinfo_endpoint', 'nowhere'],
      ['token_endpoint_auth_methods_supported', 'client_secret_post'],
      ['mtls_endpoint_aliases', 'nowhere'],
      ['response_types_supported', null],
    ] as const)
      it(`${member}: ${inspect(value)} says nothing, and does no harm`, async () => {
        const app = await start()
        app.server.misbehave('discovery', { metadata: (all) => ({ ...all, [member]: value }) })
        await logIn(app)
      })

    it('an ID Token without published keys is the operator’s to settle', async () => {
      const app = await start({ serverOptions: { metadata: { jwks_uri: undefined } } })
      const { message } = await failLogin(app, 'configuration')
      expect(message).to.include('"server"')
    })
  })

  describe('plain http: off the loopback interface (RFC 9700 section 2.6)', () => {
    // An address for documentation: if it were asked, that would fail otherwise.
    const unsafe = 'http://192.0.2.1/endpoint'

    for (const member of ['authorization_endpoint', 'token_endpoint', 'jwks_uri'] as const)
      it(`${member}: nothing is sent there`, async () => {
        const app = await start()
        app.server.misbehave('discovery', { metadata: (all) => ({ ...all, [member]: unsafe }) })
        const { message } = await failLogin(app, 'invalid_server_response')
        expect(message).to.include('https:')
      })

    it('revocation_endpoint: nothing is sent there; the login does not need it', async () => {
      const app = await start({
        flow: {
          onLogin: () => {
            throw new Error('not this one')
          },
        },
      })
      app.server.misbehave('discovery', {
        metadata: (all) => ({ ...all, revocation_endpoint: unsafe }),
      })
      const page = await createBrowser().open(app.url('/login'))
      expect(page.status).to.equal(500)
      expect(app.errors).to.have.length(1)
      expect((app.errors[0] as Error).message).to.equal('not this one')
    })
  })

  describe('metadata by hand beside discovery', () => {
    it('complete what is missing', async () => {
      const server = await startServer({ metadata: { revocation_endpoint: undefined } })
      const app = await start({
        server,
        flow: {
          server: { revocation_endpoint: `${server.issuer}/revoke` },
          onLogin: () => {
            throw new Error('not this one')
          },
        },
      })
      await createBrowser().open(app.url('/login'))
      await server.received('revocation')
    })

    it('an endpoint by hand is the one that is used', async () => {
      const server = await startServer()
      const token_endpoint = `${server.metadata.token_endpoint}?by=hand`
      await logIn(await start({ server, flow: { server: { token_endpoint } } }))
      expect((await server.received('token')).query.get('by')).to.equal('hand')
    })

    const securityMembers: Record<string, [same: unknown, other: unknown]> = {
      issuer: [undefined, 'https://other.example'],
      jwks_uri: [undefined, 'https://other.example/jwks'],
      code_challenge_methods_supported: [['S256'], ['S256', 'plain']],
      id_token_signing_alg_values_supported: [['ES256'], ['ES256', 'RS256']],
      authorization_response_iss_parameter_supported: [true, false],
    }
    for (const [member, [same, other]] of Object.entries(securityMembers)) {
      it(`${member} that differs is refused, by its name`, async () => {
        const app = await start({ flow: { server: { [member]: other } } })
        const { message } = await failLogin(app, 'configuration')
        expect(message).to.include(`"server.${member}"`)
        expect(app.server.count('authorization')).to.equal(0)
      })

      it(`${member} that is the same is fine`, async () => {
        const server = await startServer()
        const published = server.metadata as unknown as Record<string, unknown>
        const app = await start({
          server,
          flow: { server: { [member]: same ?? published[member] } },
        })
        await logIn(app)
      })
    }

    it('a security member that is not published can be added, and counts', async () => {
      const app = await start({
        serverOptions: { announceIss: false },
        flow: { server: { authorization_response_iss_parameter_supported: true } },
      })
      await failLogin(app, 'issuer_mismatch')
      expect(app.server.count('token')).to.equal(0)
    })
  })
})
