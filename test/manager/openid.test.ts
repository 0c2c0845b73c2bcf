import { createHash } from 'node:crypto'
import { expect } from 'chai'
import type { PkceFlowErrorCode } from '../../src/index.ts'
import {
  createTestAuthorizationServer,
  type IdTokenFault,
  type TestAuthorizationServer,
} from '../../src/testing/index.ts'
import { rejection } from '../support/rejection.ts'
import { createOpenIdManager, startLogin } from './memory-manager.ts'

const claim = (name: string, value: unknown): IdTokenFault => ({
  claims: (claims) => ({ ...claims, [name]: value }),
})

describe('PkceFlowManager: OpenID Connect', () => {
  let server: TestAuthorizationServer

  beforeEach(async () => {
    server = await createTestAuthorizationServer()
  })

  afterEach(() => server.close())

  it('with issuer the server is discovered, at the first request that needs it, once', async () => {
    const manager = createOpenIdManager(server)
    await manager.makeUserSecrets('alice')
    expect(server.count('discovery')).to.equal(0)
    await startLogin(manager)
    await manager.fetchAccessToken(await startLogin(manager))
    expect(server.count('discovery')).to.equal(1)
  })

  it('another login that begins while the server is discovered keeps its secrets', async () => {
    const login = await startLogin(createOpenIdManager(server))
    const manager = createOpenIdManager(server)
    const { codeVerifier } = await manager.makeUserSecrets('alice')
    manager.kept.set('alice', {
      ...{ state: login.state, codeVerifier },
      codeChallenge: createHash('sha256').update(codeVerifier).digest('base64url'),
    })
    let release = () => {}
    const delay = new Promise<void>((resolve) => (release = resolve))
    server.misbehave('discovery', { delay })
    const outcome = rejection(manager.fetchAccessToken(login))
    await server.received('discovery', 2)
    const second = await manager.makeUserSecrets('alice')
    release()
    expect(await outcome).to.include({ code: 'login_not_found' })
    expect(manager.kept.get('alice')).to.deep.equal(second)
    expect(server.count('token')).to.equal(0)
  })

  it('P12: a discovery that failed is tried again by a later call', async () => {
    const manager = createOpenIdManager(server)
    server.misbehave('discovery', { answer: { status: 500 } }, { times: 1 })
    expect(await rejection(manager.getAuthorizationUrl('alice'))).to.include({
      code: 'server_unavailable',
    })
    expect(await rejection(manager.getAuthorizationUrl('alice'))).to.have.property('retryAfter')
  })

  it('RFC 9126: where the server requires it, the request is pushed', async () => {
    const metadata = { require_pushed_authorization_requests: true }
    const strict = await createTestAuthorizationServer({ metadata })
    try {
      const manager = createOpenIdManager(strict)
      const tokens = await manager.fetchAccessToken(await startLogin(manager))
      expect(tokens.claims).to.include({ sub: 'alice' })
      const { query } = await strict.received('authorization')
      expect([...query.keys()]).to.have.members(['client_id', 'request_uri'])
      strict.misbehave('pushed_authorization', { answer: { status: 400 } })
      expect(await rejection(manager.getAuthorizationUrl('bob'))).to.include({
        code: 'client_rejected',
      })
    } finally {
      await strict.close()
    }
  })

  it('gives the claims of the validated ID Token, without nonce', async () => {
    const manager = createOpenIdManager(server)
    const tokens = await manager.fetchAccessToken(await startLogin(manager))
    expect(tokens.claims).to.include({ sub: 'alice', iss: server.issuer })
    expect(tokens.claims).not.to.have.property('nonce')
    expect(tokens.idToken).to.equal(server.issued[0]!.idToken)
  })

  it('P4: the nonce is SHA-256 over a label and the code verifier (OpenID Connect Core section 15.5.2)', async () => {
    const manager = createOpenIdManager(server)
    await startLogin(manager)
    const { codeVerifier, codeChallenge } = manager.kept.get('alice')!
    const { query } = await server.received('authorization')
    const nonce = createHash('sha256').update(`nonce ${codeVerifier}`).digest('base64url')
    expect(query.get('nonce')).to.equal(nonce).and.not.to.equal(codeChallenge)
  })

  const faults: [what: string, fault: IdTokenFault][] = [
    ['another nonce', claim('nonce', 'of-another-login')],
    ['no nonce', claim('nonce', undefined)],
    ['another issuer', claim('iss', 'https://other.example')],
    ['another client', claim('aud', 'another-client')],
    ['an hour old', claim('exp', Math.floor(Date.now() / 1000) - 3_600)],
    ['no signature', { sign: 'none' }],
    ['a key that is not published', { sign: 'wrong-key' }],
    ['the client secret as key', { sign: 'HS256' }],
  ]
  for (const [what, fault] of faults)
    it(`an ID Token with ${what} is refused, and the tokens are revoked`, async () => {
      const manager = createOpenIdManager(server)
      server.misbehave('token', { idToken: fault })
      const login = await startLogin(manager)
      expect(await rejection(manager.fetchAccessToken(login))).to.include({
        code: 'id_token_invalid',
      })
      await server.received('revocation', 2)
    })

  it('the ID Token of another login of the same user is refused', async () => {
    const manager = createOpenIdManager(server)
    const first = await startLogin(manager)
    const { nonce } = Object.fromEntries((await server.received('authorization')).query)
    server.misbehave('token', { idToken: claim('nonce', nonce) })
    const second = await startLogin(manager)
    expect(first.state).not.to.equal(second.state)
    expect(await rejection(manager.fetchAccessToken(second))).to.include({
      code: 'id_token_invalid',
    })
  })

  const responses: [what: string, change: object, code: PkceFlowErrorCode][] = [
    ['no ID Token', { id_token: undefined }, 'invalid_server_response'],
    ['a type that nobody asked for', { token_type: 'DPoP' }, 'invalid_server_response'],
  ]
  for (const [what, change, code] of responses)
    it(`${what} is ${code}`, async () => {
      const manager = createOpenIdManager(server)
      server.misbehave('token', { tokenResponse: (usual) => ({ ...usual, ...change }) })
      const login = await startLogin(manager)
      expect(await rejection(manager.fetchAccessToken(login))).to.include({ code })
    })

  it('max_age, an attribute, is checked (OpenID Connect Core section 3.1.3.7, step 13)', async () => {
    const manager = createOpenIdManager(server, { authorizationParams: { max_age: '60' } })
    await manager.fetchAccessToken(await startLogin(manager))
    server.misbehave('token', {
      idToken: claim('auth_time', Math.floor(Date.now() / 1000) - 3_600),
    })
    expect(await rejection(manager.fetchAccessToken(await startLogin(manager)))).to.include({
      code: 'id_token_invalid',
    })
  })

  it('without openid nobody looks at an ID Token', async () => {
    const manager = createOpenIdManager(server, { scope: 'read' })
    server.misbehave('token', { tokenResponse: (usual) => ({ ...usual, id_token: 'not-a-token' }) })
    const tokens = await manager.fetchAccessToken(await startLogin(manager))
    expect(tokens).not.to.have.any.keys('idToken', 'claims')
    expect((await server.received('authorization')).query.has('nonce')).to.equal(false)
  })
})
