import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect } from 'chai'
import { decodeJwt } from 'jose'
import {
  createTestAuthorizationServer,
  type TestAuthorizationServer,
  type TestAuthorizationServerOptions,
  wrongLogoutTokens,
} from '../../src/testing/index.ts'
import {
  authorizationRequest,
  authorize,
  codeExchange,
  logIn,
  outcome,
  refreshRequest,
  tokenRequest,
  userinfo,
} from './login.ts'

const invalidGrant = { status: 400, error: 'invalid_grant' }

describe('test authorization server: lifetimes and its clock', () => {
  let server: TestAuthorizationServer

  afterEach(() => server.close())

  async function start(options?: TestAuthorizationServerOptions): Promise<void> {
    server = await createTestAuthorizationServer(options)
  }

  it('codes, access tokens and refresh tokens end when their time is over, by the server’s clock', async () => {
    await start({ codeLifetime: 5_000, accessTokenLifetime: 20_000, refreshTokenLifetime: 60_000 })
    const inTime = await authorize(server)
    server.clock.advance(4_900)
    expect(await outcome(tokenRequest(server, codeExchange(inTime)))).to.have.property(
      'status',
      200,
    )
    const late = await authorize(server)
    server.clock.advance(5_000)
    expect(await outcome(tokenRequest(server, codeExchange(late)))).to.deep.equal(invalidGrant)

    const { tokens } = await logIn(server)
    expect(tokens.expires_in).to.equal(20)
    server.clock.advance(19_000)
    expect((await userinfo(server, tokens.access_token)).status).to.equal(200)
    server.clock.advance(1_000)
    expect((await userinfo(server, tokens.access_token)).status).to.equal(401)
    server.clock.advance(40_000)
    const refresh = tokenRequest(server, refreshRequest(tokens.refresh_token))
    expect(await outcome(refresh)).to.deep.equal(invalidGrant)
  })

  it('a rotated refresh token starts anew', async () => {
    await start({ refreshTokenLifetime: 60_000 })
    const { tokens } = await logIn(server)
    server.clock.advance(50_000)
    await tokenRequest(server, refreshRequest(tokens.refresh_token))
    server.clock.advance(50_000)
    const { refreshToken = '' } = server.issued[1]!
    const again = await outcome(tokenRequest(server, refreshRequest(refreshToken)))
    expect(again).to.have.property('status', 200)
  })

  it('ID Tokens are dated by its clock, and live as long as they are told to', async () => {
    await start({ idTokenLifetime: 120_000 })
    const usual = decodeJwt((await logIn(server)).tokens.id_token)
    expect(usual.exp! - usual.iat!).to.equal(120)
    server.clock.advance(3_600_000)
    const later = decodeJwt((await logIn(server)).tokens.id_token)
    expect(later.iat! - usual.iat!).to.be.within(3_600, 3_660)
    expect(Number(later.auth_time) - usual.iat!).to.be.within(3_600, 3_660)
    expect(server.clock.now() - Date.now()).to.be.within(3_599_000, 3_600_000)
    server.reset()
    expect(server.clock.now()).to.be.at.most(Date.now())
  })

  it('logout tokens are dated by it, wrong ones as well', async () => {
    await start()
    const listener = createServer((_request, response) => response.end()).listen(0, '127.0.0.1')
    listener.unref()
    await once(listener, 'listening')
    const { port } = listener.address() as AddressInfo
    server.tellLogoutsTo({ backchannel: `http://127.0.0.1:${port}/` })
    server.clock.advance(-86_400_000)
    const aDayAgo = Math.floor(server.clock.now() / 1000)
    const usual = decodeJwt((await server.sendLogoutToken({ sub: 'alice' })).logoutToken)
    expect(usual.iat).to.be.within(aDayAgo, aDayAgo + 60)
    expect(usual.exp! - usual.iat!).to.equal(120)
    const faults = [wrongLogoutTokens['future-iat']]
    const wrong = decodeJwt((await server.sendLogoutToken({ sub: 'alice', faults })).logoutToken)
    expect(wrong.iat).to.be.within(aDayAgo + 3_600, aDayAgo + 3_660)
    listener.close()
  })

  it('pushed authorization requests end by it, after a minute', async () => {
    await start()
    const push = async (): Promise<string> => {
      const { url } = authorizationRequest(server)
      const response = await fetch(server.metadata.pushed_authorization_request_endpoint, {
        method: 'POST',
        headers: { authorization: `Basic ${btoa('test-client:test-client-secret')}` },
        body: url.searchParams,
      })
      return ((await response.json()) as { request_uri: string }).request_uri
    }
    const statusOf = async (requestUri: string): Promise<number> => {
      const url = new URL(server.metadata.authorization_endpoint)
      url.searchParams.set('client_id', 'test-client')
      url.searchParams.set('request_uri', requestUri)
      return (await fetch(url, { redirect: 'manual' })).status
    }
    const inTime = await push()
    server.clock.advance(59_000)
    expect(await statusOf(inTime)).to.equal(302)
    const late = await push()
    server.clock.advance(60_000)
    expect(await statusOf(late)).to.equal(400)
  })

  it('refuses to move by nothing', async () => {
    await start()
    expect(() => server.clock.advance(undefined as unknown as number)).to.throw(TypeError)
  })
})

describe('test authorization server: introspection (RFC 7662)', () => {
  let server: TestAuthorizationServer

  before(async () => {
    server = await createTestAuthorizationServer()
  })
  beforeEach(() => server.reset())
  after(() => server.close())

  async function introspect(
    token: string,
    authorization = `Basic ${btoa('test-client:test-client-secret')}`,
  ): Promise<unknown> {
    const response = await fetch(server.metadata.introspection_endpoint, {
      method: 'POST',
      headers: { authorization },
      body: new URLSearchParams({ token }),
    })
    return response.json()
  }

  it('describes access tokens and refresh tokens', async () => {
    const { tokens } = await logIn(server)
    const { exp, iat, ...rest } = (await introspect(tokens.access_token)) as {
      exp: number
      iat: number
    }
    expect(exp - iat).to.equal(3_600)
    const about = { active: true, iss: server.issuer, sub: 'alice', client_id: 'test-client' }
    expect(rest).to.deep.equal({ ...about, scope: 'openid email', token_type: 'Bearer' })
    expect(await introspect(tokens.refresh_token))
      .to.include(about)
      .and.not.have.any.keys('exp')
    expect(server.count('introspection')).to.equal(2)
  })

  it('says nothing but that of a token that is not active', async () => {
    const { tokens } = await logIn(server)
    await tokenRequest(server, refreshRequest(tokens.refresh_token))
    expect(await introspect(tokens.refresh_token)).to.deep.equal({ active: false })
    expect(await introspect('unknown')).to.deep.equal({ active: false })
    server.clock.advance(3_600_000)
    expect(await introspect(tokens.access_token)).to.deep.equal({ active: false })
    // Looking at a used refresh token is no reuse.
    expect(server.issued[1]).to.include({ active: true, refreshable: true })
  })

  it('is for clients only', async () => {
    const { tokens } = await logIn(server)
    const refused = await introspect(tokens.access_token, 'Basic eDp5')
    expect(refused).to.include({ error: 'invalid_client' })
  })
})
