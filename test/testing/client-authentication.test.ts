import { request } from 'node:https'
import { json } from 'node:stream/consumers'
import { expect } from 'chai'
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey } from 'jose'
import { createTestAuthorizationServer } from '../../src/testing/index.ts'
import type { TestAuthorizationServer } from '../../src/testing/index.ts'
import { createCertificates, type Certificates } from '../support/certificates.ts'
import { outcome } from './login.ts'

const refused = { status: 401, error: 'invalid_client' }
/** Who is let in hears that its refresh token is unknown. */
const letIn = { status: 400, error: 'invalid_grant' }
const refresh = { grant_type: 'refresh_token', refresh_token: 'unknown' }

describe('test authorization server: client authentication (RFC 6749 section 2.3)', () => {
  let server: TestAuthorizationServer
  let privateKey: CryptoKey

  before(async () => {
    const keys = await generateKeyPair('ES256')
    privateKey = keys.privateKey
    server = await createTestAuthorizationServer({
      clients: [
        { clientId: 'test-client', clientSecret: 'a-secret' },
        { clientId: 'a client', clientSecret: 'p@ss:word' },
        {
          clientId: 'only-post',
          clientSecret: 'a-secret',
          tokenEndpointAuthMethod: 'client_secret_post',
        },
        { clientId: 'public' },
        { clientId: 'keys', jwks: { keys: [await exportJWK(keys.publicKey)] } },
      ],
    })
  })
  after(() => server.close())

  const ask = (body: Record<string, string>, credentials?: string) =>
    outcome(
      fetch(server.metadata.token_endpoint, {
        method: 'POST',
        headers: credentials === undefined ? {} : { authorization: `Basic ${btoa(credentials)}` },
        body: new URLSearchParams({ ...refresh, ...body }),
      }),
    )

  const basicCases: [string, object][] = [
    ['test-client:a-secret', letIn],
    ['test-client:another-secret', refused],
    ['another-client:a-secret', refused],
    // What openid-client sends by default.
    ['test%2Dclient:a%2Dsecret', refused],
    ['a+client:p%40ss%3Aword', letIn],
    ['a client:p@ss:word', refused],
    ['only-post:a-secret', refused],
    ['public:', refused],
    ['', refused],
  ]
  for (const [credentials, expected] of basicCases)
    it(`client_secret_basic "${credentials}": ${expected === letIn ? 'let in' : 'refused'}`, async () => {
      expect(await ask({}, credentials)).to.eql(expected)
    })

  const bodyCases: [Record<string, string>, object][] = [
    [{ client_id: 'test-client', client_secret: 'a-secret' }, letIn],
    [{ client_id: 'a client', client_secret: 'p@ss:word' }, letIn],
    [{ client_id: 'only-post', client_secret: 'a-secret' }, letIn],
    [{ client_id: 'test-client', client_secret: 'another-secret' }, refused],
    [{ client_id: 'test-client' }, refused],
    [{ client_id: 'public' }, letIn],
    [{ client_id: 'public', client_secret: '' }, refused],
    [{ client_id: 'keys' }, refused],
    [{ client_id: 'unknown' }, refused],
    [{}, refused],
  ]
  for (const [body, expected] of bodyCases)
    it(`in the body, ${JSON.stringify(body)}: ${expected === letIn ? 'let in' : 'refused'}`, async () => {
      expect(await ask(body)).to.eql(expected)
    })

  it('refuses two methods at once', async () => {
    const body = { client_id: 'test-client', client_secret: 'a-secret' }
    expect(await ask(body, 'test-client:a-secret')).to.eql(refused)
  })

  describe('private_key_jwt (RFC 7523)', () => {
    const assertion = (changes: Record<string, unknown> = {}, key: CryptoKey = privateKey) =>
      new SignJWT({
        iss: 'keys',
        sub: 'keys',
        aud: server.issuer,
        jti: crypto.randomUUID(),
        exp: Math.floor(Date.now() / 1000) + 60,
        ...changes,
      })
        .setProtectedHeader({ alg: 'ES256' })
        .sign(key)

    const assert = (client_assertion: string) =>
      ask({
        client_assertion,
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      })

    it('lets in who signs for the issuer, once', async () => {
      const signed = await assertion()
      expect(await assert(signed)).to.eql(letIn)
      expect(await assert(signed)).to.eql(refused)
    })

    const cases: [string, () => Record<string, unknown>][] = [
      ['the token endpoint as audience', () => ({ aud: server.metadata.token_endpoint })],
      ['a list as audience', () => ({ aud: [server.issuer] })],
      ['another subject', () => ({ sub: 'test-client' })],
      ['no jti', () => ({ jti: undefined })],
      ['an expired one', () => ({ exp: 1 })],
    ]
    for (const [what, changes] of cases)
      it(`refuses ${what}`, async () => {
        expect(await assert(await assertion(changes()))).to.eql(refused)
      })

    it('refuses another key, and what is no JWT', async () => {
      const other = await generateKeyPair('ES256')
      expect(await assert(await assertion({}, other.privateKey))).to.eql(refused)
      expect(await assert('x')).to.eql(refused)
    })
  })

  describe('tls_client_auth (RFC 8705)', () => {
    let certificates: Certificates
    let strangers: Certificates
    let tlsServer: TestAuthorizationServer

    before(async () => {
      certificates = await createCertificates({ names: ['as.test'] })
      strangers = await createCertificates()
      tlsServer = await createTestAuthorizationServer({
        tls: { ...certificates.server, ca: certificates.ca, requestCert: true },
        clients: [
          { clientId: 'by-name', certificate: { commonName: certificates.client.commonName } },
          {
            clientId: 'by-fingerprint',
            certificate: { fingerprint256: certificates.client.fingerprint256 },
          },
        ],
      })
    })
    after(() => tlsServer.close())

    const askWith = (certificate: { key: string; cert: string } | undefined, clientId: string) =>
      new Promise((resolve, reject) => {
        const asking = request(
          tlsServer.metadata.token_endpoint,
          {
            method: 'POST',
            ca: certificates.ca,
            servername: 'as.test',
            agent: false,
            headers: { 'content-type': 'application/x-www-form-urlencoded' },
            ...(certificate && { key: certificate.key, cert: certificate.cert }),
          },
          (response) => {
            json(response).then(
              (body) =>
                resolve({ status: response.statusCode, error: (body as { error: string }).error }),
              reject,
            )
          },
        )
        asking.on('error', reject)
        asking.end(new URLSearchParams({ ...refresh, client_id: clientId }).toString())
      })

    it('announces it', () => {
      expect(tlsServer.origin).to.match(/^https:/)
      expect(tlsServer.metadata.token_endpoint_auth_methods_supported).to.include('tls_client_auth')
    })

    for (const clientId of ['by-name', 'by-fingerprint'])
      it(`${clientId}: lets in this certificate, and no other`, async () => {
        expect(await askWith(certificates.client, clientId)).to.eql(letIn)
        expect(await askWith(strangers.client, clientId)).to.eql(refused)
        expect(await askWith(undefined, clientId)).to.eql(refused)
      })
  })
})
