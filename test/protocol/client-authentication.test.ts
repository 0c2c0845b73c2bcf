import http from 'node:http'
import https from 'node:https'
import { inspect } from 'node:util'
import { expect } from 'chai'
import { decodeJwt, exportJWK, generateKeyPair, type JWTPayload } from 'jose'
import { PrivateKeyJwt, TlsClientAuth } from 'openid-client'
import {
  createTestAuthorizationServer,
  type TestAuthorizationServerOptions,
  type TestClient,
} from '../../src/testing/index.ts'
import { startApp, type RunningApp } from '../support/app.ts'
import { createBrowser, type Browser } from '../support/browser.ts'
import { createCertificates, type Certificates } from '../support/certificates.ts'
import { startAppWithoutSecret } from './app-without-secret.ts'
import { failLogin, logIn } from './attempt.ts'

/** Every kind of character that some encoding treats differently. */
const awkward = '-._~*+ %:&=äß'

/** `awkward` as `application/x-www-form-urlencoded` has it: what many servers compare as text. */
const awkwardEncoded = '-._%7E*%2B+%25%3A%26%3D%C3%A4%C3%9F'

describe('client authentication (RFC 6749 section 2.3)', () => {
  const running: { close(): Promise<void> }[] = []

  async function startServer(client: TestClient, options: TestAuthorizationServerOptions = {}) {
    const server = await createTestAuthorizationServer({ ...options, clients: [client] })
    running.push(server)
    return server
  }

  async function start(client: TestClient, flow: object): Promise<RunningApp> {
    const server = await startServer(client)
    const app = await startApp({ server, flow: { clientId: client.clientId, ...flow } })
    running.push(app)
    return app
  }

  async function startWithoutSecret(
    client: TestClient,
    flow: object,
    options?: TestAuthorizationServerOptions,
  ): Promise<RunningApp> {
    const server = await startServer(client, options)
    const app = await startAppWithoutSecret(server, { clientId: client.clientId, ...flow })
    running.push(app)
    return app
  }

  afterEach(async () => {
    for (const each of running.splice(0).reverse()) await each.close()
  })

  describe('client_secret_basic, the default with a secret', () => {
    it('id and secret are form-encoded, and no more than that', async () => {
      const clientId = `client${awkward}`
      const clientSecret = `secret${awkward}`
      const app = await start(
        { clientId, clientSecret, tokenEndpointAuthMethod: 'client_secret_basic' },
        { clientSecret },
      )
      await logIn(app)
      const { headers, body } = await app.server.received('token')
      const [scheme, credentials] = headers.authorization!.split(' ')
      expect(scheme).to.equal('Basic')
      expect(Buffer.from(credentials!, 'base64').toString()).to.equal(
        `client${awkwardEncoded}:secret${awkwardEncoded}`,
      )
      expect([...body.keys()]).to.have.members([
        ...['grant_type', 'code', 'redirect_uri', 'code_verifier'],
      ])
    })

    it('every printable character arrives', async () => {
      const printable = Array.from({ length: 95 }, (_, at) => String.fromCharCode(32 + at)).join('')
      const clientSecret = `${printable}€😀`
      await logIn(await start({ clientId: 'client', clientSecret }, { clientSecret }))
    })
  })

  it('client_secret_post: in the body, not in a header', async () => {
    const clientId = `client${awkward}`
    const clientSecret = `secret${awkward}`
    const app = await start(
      { clientId, clientSecret, tokenEndpointAuthMethod: 'client_secret_post' },
      { clientSecret, clientAuth: 'client_secret_post' },
    )
    await logIn(app)
    const { headers, body } = await app.server.received('token')
    expect(headers).not.to.have.property('authorization')
    expect(Object.fromEntries(body)).to.include({
      client_id: clientId,
      client_secret: clientSecret,
    })
  })

  for (const clientAuth of [undefined, 'none'])
    it(`none, the default without a secret (clientAuth: ${clientAuth ?? 'undefined'})`, async () => {
      const app = await startWithoutSecret({ clientId: `client${awkward}` }, { clientAuth })
      await logIn(app)
      const { headers, body } = await app.server.received('token')
      expect(headers).not.to.have.property('authorization')
      expect(body.get('client_id')).to.equal(`client${awkward}`)
      expect(body.has('client_secret')).to.equal(false)
    })

  for (const clientAuth of ['client_secret_basic', 'client_secret_post'])
    it(`${clientAuth}: a wrong secret is client_rejected, and no error shows it`, async () => {
      const clientSecret = 'wr0ng'
      const app = await start(
        { clientId: 'client', clientSecret: 'right' },
        { clientSecret, clientAuth },
      )
      const error = await failLogin(app, 'client_rejected')
      expect(error).to.include({ status: 500, expose: false, oauthError: 'invalid_client' })
      expect(inspect(error, { depth: Infinity })).not.to.include(clientSecret)
    })

  it('the revocation endpoint gets the same authentication (RFC 7009 section 2.1)', async () => {
    const clientSecret = `secret${awkward}`
    const app = await start(
      { clientId: 'client', clientSecret },
      { clientSecret, onLogin: refuseEverybody },
    )
    await createBrowser().open(app.url('/login'))
    const token = await app.server.received('token')
    const { headers } = await app.server.received('revocation', 2)
    expect(headers.authorization).to.equal(token.headers.authorization)
    expect(app.server.issued[0]).to.include({ active: false, refreshable: false })
  })

  describe('private_key_jwt (RFC 7523)', () => {
    async function startWithKey(options: TestAuthorizationServerOptions = {}) {
      const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
      const { privateKey: otherKey } = await generateKeyPair('ES256')
      const client = { clientId: 'client', jwks: { keys: [await exportJWK(publicKey)] } }
      const app = await startWithoutSecret(
        client,
        { clientAuth: PrivateKeyJwt(privateKey) },
        options,
      )
      return { app, client, otherKey }
    }

    it('an assertion for the issuer, as one string, new for every request', async () => {
      const { app } = await startWithKey({ issuerPath: '/realms/a' })
      await logIn(app)
      await logIn(app)
      const assertions: JWTPayload[] = []
      for (const nth of [1, 2]) {
        const { body, headers } = await app.server.received('token', nth)
        expect(headers).not.to.have.property('authorization')
        expect(body.get('client_assertion_type')).to.equal(
          'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        )
        assertions.push(decodeJwt(body.get('client_assertion')!))
      }
      for (const assertion of assertions) {
        expect(assertion).to.include({ iss: 'client', sub: 'client', aud: app.server.issuer })
        expect(assertion.exp! - assertion.iat!).to.be.at.most(300)
      }
      expect(assertions[0]!.jti).not.to.equal(assertions[1]!.jti)
    })

    it('by another key: client_rejected', async () => {
      const { client, otherKey } = await startWithKey()
      const app = await startWithoutSecret(client, { clientAuth: PrivateKeyJwt(otherKey) })
      await failLogin(app, 'client_rejected')
    })
  })

  describe('a client authentication of the app’s own', () => {
    it('that fails is an error of the set-up, which shows nothing of it', async () => {
      const key = 'the-key-that-could-not-be-read'
      for (const clientAuth of [
        () => {
          throw new Error(`cannot read ${key}`)
        },
        () => Promise.reject(new Error(`cannot read ${key}`)),
      ]) {
        const app = await startWithoutSecret({ clientId: 'client' }, { clientAuth })
        const error = await failLogin(app, 'configuration')
        expect(error.message).to.include('clientAuth')
        expect(inspect(error, { depth: Infinity })).not.to.include(key)
        expect(app.server.count('token')).to.equal(0)
      }
    })

    it('may add headers and parameters, and may take its time', async () => {
      const app = await startWithoutSecret(
        { clientId: 'client' },
        {
          clientAuth: async (
            _server: unknown,
            client: { client_id: string },
            body: URLSearchParams,
            headers: Headers,
          ) => {
            await new Promise((resolve) => setImmediate(resolve))
            body.set('client_id', client.client_id)
            headers.set('x-attestation', 'attested')
          },
        },
      )
      await logIn(app)
      expect((await app.server.received('token')).headers).to.include({
        'x-attestation': 'attested',
      })
    })
  })

  describe('mutual TLS (RFC 8705), with an agent of the app’s own', () => {
    let certificates: Certificates

    before(async () => {
      certificates = await createCertificates({ clientName: 'client' })
    })

    /** An app at a server over TLS, and a browser that trusts that server. */
    async function startTls(
      agent: https.Agent | undefined,
      certificate: TestClient['certificate'],
    ) {
      const { ca, server } = certificates
      const app = await startWithoutSecret(
        { clientId: 'client', certificate, tokenEndpointAuthMethod: 'tls_client_auth' },
        { clientAuth: TlsClientAuth(), agent },
        { tls: { ...server, ca, requestCert: true } },
      )
      return { app, logInOverTls: () => logInOverTls(app, ca) }
    }

    /** createBrowser knows no TLS: this step of the login is taken for it. */
    async function logInOverTls(app: RunningApp, ca: string, browser: Browser = createBrowser()) {
      const login = await browser.request(app.url('/login'))
      if (login.headers.location === undefined) return login
      const answer = await new Promise<http.IncomingMessage>((resolve, reject) => {
        https.get(login.headers.location!, { ca, agent: false }, resolve).on('error', reject)
      })
      answer.resume()
      return browser.open(answer.headers.location!)
    }

    const withCertificate = ({ ca, client: { key, cert } }: Certificates) =>
      new https.Agent({ ca, key, cert, keepAlive: true })

    for (const [how, certificate] of [
      ['by its name', () => ({ commonName: certificates.client.commonName })],
      ['by its fingerprint', () => ({ fingerprint256: certificates.client.fingerprint256 })],
    ] as const)
      it(`the certificate is presented in every request, and known ${how}`, async () => {
        const agent = withCertificate(certificates)
        const { app, logInOverTls: attempt } = await startTls(agent, certificate())
        const page = await attempt()
        expect(page.body).to.include('"sub":"alice"')
        const ours = app.server.requests.filter(({ endpoint }) => endpoint !== 'authorization')
        expect(ours.map(({ endpoint }) => endpoint)).to.deep.equal(['discovery', 'token', 'jwks'])
        for (const { clientCertificate } of ours)
          expect(clientCertificate).to.include({ commonName: 'client', trusted: true })
        expect((await app.server.received('token')).body.get('client_id')).to.equal('client')
        agent.destroy()
      })

    it('without a certificate: client_rejected', async () => {
      const agent = new https.Agent({ ca: certificates.ca })
      const { app, logInOverTls: attempt } = await startTls(agent, { commonName: 'client' })
      await attempt()
      expect(app.errors[0]).to.include({ code: 'client_rejected' })
    })

    it('without an agent that trusts the server: server_unavailable, before anybody is sent there', async () => {
      const { app, logInOverTls: attempt } = await startTls(undefined, { commonName: 'client' })
      await attempt()
      expect(app.errors[0]).to.include({ code: 'server_unavailable', status: 503 })
      expect(inspect(app.errors[0])).to.match(/UNABLE_TO_VERIFY_LEAF_SIGNATURE|self.signed/i)
      expect(app.server.requests).to.be.empty
    })
  })

  describe('agent', () => {
    it('is used for every call to the authorization server', async () => {
      const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
      const opened: unknown[] = []
      const open = agent.createConnection.bind(agent)
      agent.createConnection = (...all) => {
        opened.push(all)
        return open(...all)
      }
      const clientSecret = 'test-client-secret'
      const app = await start(
        { clientId: 'client', clientSecret },
        { clientSecret, agent, onLogin: refuseEverybody },
      )
      await createBrowser().open(app.url('/login'))
      await app.server.received('revocation', 2)
      const ours = app.server.requests.filter(({ endpoint }) => endpoint !== 'authorization')
      expect(ours.map(({ endpoint }) => endpoint)).to.deep.equal([
        ...['discovery', 'token', 'jwks', 'revocation', 'revocation'],
      ])
      expect(new Set(ours.map(({ remotePort }) => remotePort)).size).to.equal(1)
      expect(opened).to.have.length(1)
      agent.destroy()
    })
  })
})

function refuseEverybody() {
  throw new Error('not today')
}
