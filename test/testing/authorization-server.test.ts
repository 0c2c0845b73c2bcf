import { expect } from 'chai'
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose'
import { createTestAuthorizationServer } from '../../src/testing/index.ts'
import type { TestAuthorizationServer } from '../../src/testing/index.ts'
import {
  answer,
  authorizationRequest,
  authorize,
  codeExchange,
  logIn,
  outcome,
  redirectUri,
  refreshRequest,
  tokenRequest,
  userinfo,
} from './login.ts'

const invalidGrant = { status: 400, error: 'invalid_grant' }

/** Runs `action` that much later, as far as `Date` can tell. */
async function later<T>(milliseconds: number, action: () => Promise<T>): Promise<T> {
  const { now } = Date
  Date.now = () => now() + milliseconds
  try {
    return await action()
  } finally {
    Date.now = now
  }
}

describe('test authorization server', () => {
  let server: TestAuthorizationServer

  before(async () => {
    server = await createTestAuthorizationServer()
  })
  beforeEach(() => server.reset())
  after(() => server.close())

  describe('authorization endpoint (RFC 6749 section 4.1.1)', () => {
    it('answers code, state and iss at once', async () => {
      const { response, state, code } = await authorize(server)
      expect([...response.keys()]).to.have.members(['code', 'state', 'iss'])
      expect(response.get('state')).to.equal(state)
      expect(response.get('iss')).to.equal(server.issuer)
      expect(code).to.match(/^[\w-]{43}$/)
    })

    it('keeps the query of the redirect URI', async () => {
      const { url } = authorizationRequest(server, { redirect_uri: `${redirectUri}?a=1` })
      const redirect = await fetch(url, { redirect: 'manual' })
      expect(redirect.headers.get('location')).to.match(/callback\?a=1&code=/)
    })

    it('answers response_mode=form_post with a form that submits itself, or by a button', async () => {
      const { url, state } = authorizationRequest(server, { response_mode: 'form_post' })
      const page = await (await fetch(url)).text()
      expect(page).to.include(`<form method="post" action="${redirectUri}">`)
      expect(page).to.include(`name="state" value="${state}"`)
      expect(page).to.match(/name="code" value="[\w-]{43}"/)
      expect(page).to.include('document.forms[0].submit()').and.to.include('<button>')
    })

    const refusals: [string, Record<string, string | undefined>, string][] = [
      ['no code challenge', { code_challenge: undefined }, 'invalid_request'],
      ['the challenge method plain', { code_challenge_method: 'plain' }, 'invalid_request'],
      ['no challenge method', { code_challenge_method: undefined }, 'invalid_request'],
      ['another response type', { response_type: 'token' }, 'unsupported_response_type'],
      ['another response mode', { response_mode: 'fragment' }, 'invalid_request'],
    ]
    for (const [what, changes, error] of refusals)
      it(`refuses ${what}`, async () => {
        const { response, state } = await authorize(server, changes)
        expect(response.get('error')).to.equal(error)
        expect(response.get('state')).to.equal(state)
        expect(response.has('code')).to.equal(false)
      })

    it('refuses a repeated parameter', async () => {
      const { url } = authorizationRequest(server)
      url.searchParams.append('scope', 'openid')
      const redirect = await fetch(url, { redirect: 'manual' })
      expect(redirect.headers.get('location')).to.include('error=invalid_request')
    })

    it('redirects nowhere for an unknown client or redirect URI', async () => {
      const strict = await createTestAuthorizationServer({
        clients: [{ clientId: 'strict', redirectUris: [redirectUri] }],
      })
      const accepted = await authorize(strict)
      expect(accepted.code).to.match(/./)
      for (const changes of [
        { client_id: 'unknown' },
        { redirect_uri: `${redirectUri}/` },
        { redirect_uri: undefined },
      ]) {
        const { url } = authorizationRequest(strict, changes)
        expect((await fetch(url, { redirect: 'manual' })).status).to.equal(400)
      }
      await strict.close()
    })

    it('logs in whoever authorizeAs says, also with prompt=none', async () => {
      server.authorizeAs('bob')
      const { tokens } = await logIn(server, { prompt: 'none' })
      expect(decodeJwt(tokens.id_token)).to.include({ sub: 'bob', email: 'bob@example.com' })
      server.authorizeAs(undefined)
      const { response } = await authorize(server, { prompt: 'none' })
      expect(response.get('error')).to.equal('login_required')
      expect(() => server.authorizeAs('mallory')).to.throw(TypeError)
    })

    it('keeps a session for a browser that keeps its cookie, until a new login is asked for', async () => {
      const first = await fetch(authorizationRequest(server).url, { redirect: 'manual' })
      const cookie = first.headers.get('set-cookie')?.split(';')[0] ?? ''
      const claimsWith = async (headers: Record<string, string>, changes = {}) => {
        const { url, ...rest } = authorizationRequest(server, changes)
        const redirect = await fetch(url, { redirect: 'manual', headers })
        const response = new URL(redirect.headers.get('location')!).searchParams
        const exchange = codeExchange({ ...rest, response, code: response.get('code')! })
        return decodeJwt((await answer(tokenRequest(server, exchange))).body.id_token)
      }
      const { sid, auth_time } = await claimsWith({ cookie })
      expect((await claimsWith({})).sid).not.to.equal(sid)
      await later(10_000, async () => {
        expect(await claimsWith({ cookie }, { max_age: '60' })).to.include({ sid, auth_time })
        const renewed = await claimsWith({ cookie }, { max_age: '5' })
        expect(renewed.sid).to.equal(sid)
        expect(renewed.auth_time).to.be.greaterThan(auth_time as number)
      })
    })
  })

  describe('token endpoint (RFC 6749 section 4.1.3)', () => {
    it('exchanges a code for tokens; the ID Token verifies with the published keys', async () => {
      const { tokens, nonce, code } = await logIn(server, { acr_values: 'gold silver' })
      expect(tokens).to.include({ token_type: 'Bearer', expires_in: 3600, scope: 'openid email' })
      const keys = createRemoteJWKSet(new URL(server.metadata.jwks_uri))
      const { payload, protectedHeader } = await jwtVerify(tokens.id_token, keys)
      expect(protectedHeader).to.have.keys('alg', 'kid')
      expect(payload).to.include({ iss: server.issuer, aud: 'test-client', sub: 'alice', nonce })
      expect(payload).to.include({ name: 'Alice Adams', acr: 'gold' })
      expect(payload).to.include.keys('exp', 'iat', 'auth_time', 'sid')
      expect(server.issued).to.have.length(1)
      expect(server.issued[0]).to.include({
        code,
        accessToken: tokens.access_token,
        refreshToken: tokens.refresh_token,
        idToken: tokens.id_token,
        scope: 'openid email',
        sub: 'alice',
        active: true,
        refreshable: true,
      })
    })

    it('sends no ID Token without the scope openid', async () => {
      const { tokens } = await logIn(server, { scope: 'read_api', nonce: undefined })
      expect(tokens).not.to.have.property('id_token')
      expect(tokens.scope).to.equal('read_api')
    })

    it('requires the code verifier (RFC 7636 section 4.6)', async () => {
      for (const code_verifier of ['', 'x'.repeat(43)]) {
        const exchange = { ...codeExchange(await authorize(server)), code_verifier }
        expect(await outcome(tokenRequest(server, exchange))).to.eql(invalidGrant)
      }
    })

    it('takes the published vector of RFC 7636 appendix B', async () => {
      const login = await authorize(server, {
        code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
      })
      const code_verifier = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'
      const exchange = { ...codeExchange(login), code_verifier }
      expect((await tokenRequest(server, exchange)).status).to.equal(200)
    })

    it('refuses another redirect URI', async () => {
      const exchange = {
        ...codeExchange(await authorize(server)),
        redirect_uri: 'http://localhost/',
      }
      expect(await outcome(tokenRequest(server, exchange))).to.eql(invalidGrant)
    })

    it('takes a code once; the second use revokes its tokens (RFC 6749 section 4.1.2)', async () => {
      const login = await logIn(server)
      expect((await userinfo(server, login.tokens.access_token)).status).to.equal(200)
      expect(await outcome(tokenRequest(server, codeExchange(login)))).to.eql(invalidGrant)
      expect(server.issued[0]).to.include({ active: false, refreshable: false })
      expect((await userinfo(server, login.tokens.access_token)).status).to.equal(401)
      const refresh = tokenRequest(server, refreshRequest(login.tokens.refresh_token))
      expect(await outcome(refresh)).to.eql(invalidGrant)
    })

    it('takes a code for 60 seconds', async () => {
      const [early, late] = [await authorize(server), await authorize(server)]
      const exchange = (login: typeof early) => () => tokenRequest(server, codeExchange(login))
      expect((await later(59_000, exchange(early))).status).to.equal(200)
      expect(await outcome(later(60_001, exchange(late)))).to.eql(invalidGrant)
    })

    it('grants a client what it may have and no more', async () => {
      const strict = await createTestAuthorizationServer({
        clients: [
          { clientId: 'test-client', clientSecret: 'test-client-secret', scope: 'openid read' },
        ],
      })
      const { tokens } = await logIn(strict, { scope: 'read write' })
      expect(tokens.scope).to.equal('read')
      await strict.close()
    })

    it('knows two grant types', async () => {
      expect(await outcome(tokenRequest(server, { grant_type: 'password' }))).to.eql({
        status: 400,
        error: 'unsupported_grant_type',
      })
    })

    it('pads access tokens', async () => {
      const padding = await createTestAuthorizationServer({ tokenSize: 2000 })
      const { tokens } = await logIn(padding)
      expect(tokens.access_token).to.have.length(2000)
      await padding.close()
    })
  })

  describe('refresh (RFC 6749 section 6)', () => {
    it('brings new tokens, and an ID Token without nonce', async () => {
      const { tokens } = await logIn(server)
      const refreshed = await answer(tokenRequest(server, refreshRequest(tokens.refresh_token)))
      expect(refreshed.status).to.equal(200)
      expect(refreshed.body.access_token).not.to.equal(tokens.access_token)
      expect(refreshed.body.refresh_token).not.to.equal(tokens.refresh_token)
      const claims = decodeJwt(refreshed.body.id_token)
      expect(claims).to.include({ sub: 'alice', sid: decodeJwt(tokens.id_token).sid })
      expect(claims).not.to.have.property('nonce')
      expect(server.issued.map(({ refreshable }) => refreshable)).to.eql([false, true])
    })

    it('reuse of a refresh token ends the family (RFC 9700 section 4.14.2)', async () => {
      const { tokens } = await logIn(server)
      const { body } = await answer(tokenRequest(server, refreshRequest(tokens.refresh_token)))
      const reuse = tokenRequest(server, refreshRequest(tokens.refresh_token))
      expect(await outcome(reuse)).to.eql(invalidGrant)
      expect(server.issued.map(({ active }) => active)).to.eql([false, false])
      const refresh = tokenRequest(server, refreshRequest(body.refresh_token))
      expect(await outcome(refresh)).to.eql(invalidGrant)
    })

    it('without rotation the refresh token stays, and none is sent', async () => {
      const lasting = await createTestAuthorizationServer({ refreshTokenRotation: false })
      const { tokens } = await logIn(lasting)
      for (let time = 0; time < 2; time += 1) {
        const { status, body } = await answer(
          tokenRequest(lasting, refreshRequest(tokens.refresh_token)),
        )
        expect(status).to.equal(200)
        expect(body).not.to.have.property('refresh_token')
      }
      await lasting.close()
    })

    it('narrows the scope, does not widen it, and spends nothing on a refusal', async () => {
      const { tokens } = await logIn(server)
      const request = refreshRequest(tokens.refresh_token)
      expect(await outcome(tokenRequest(server, { ...request, scope: 'openid admin' }))).to.eql({
        status: 400,
        error: 'invalid_scope',
      })
      const narrower = await answer(tokenRequest(server, { ...request, scope: 'email' }))
      expect(narrower.body.scope).to.equal('email')
      expect(narrower.body).not.to.have.property('id_token')
    })
  })

  describe('revocation (RFC 7009)', () => {
    const revoke = (
      token: string,
      authorization = `Basic ${btoa('test-client:test-client-secret')}`,
    ) =>
      fetch(server.metadata.revocation_endpoint, {
        method: 'POST',
        headers: { authorization },
        body: new URLSearchParams({ token }),
      })

    it('ends an access token alone', async () => {
      const { tokens } = await logIn(server)
      expect((await revoke(tokens.access_token)).status).to.equal(200)
      expect(server.issued[0]).to.include({ active: false, refreshable: true })
    })

    it('ends everything with a refresh token', async () => {
      const { tokens } = await logIn(server)
      expect((await revoke(tokens.refresh_token)).status).to.equal(200)
      expect(server.issued[0]).to.include({ active: false, refreshable: false })
    })

    it('answers 200 for an unknown token and 401 for an unknown client', async () => {
      expect((await revoke('unknown')).status).to.equal(200)
      expect((await revoke('unknown', 'Basic eDp5')).status).to.equal(401)
    })
  })

  describe('userinfo (OpenID Connect Core section 5.3)', () => {
    it('answers the claims, until the token expires', async () => {
      const { tokens } = await logIn(server)
      const claims: unknown = await (await userinfo(server, tokens.access_token)).json()
      expect(claims).to.include({ sub: 'alice', email: 'alice@example.com' })
      const expired = await later(3_600_001, () => userinfo(server, tokens.access_token))
      expect(expired.status).to.equal(401)
      expect(expired.headers.get('www-authenticate')).to.include('invalid_token')
    })
  })

  describe('end session endpoint (OpenID Connect RP-Initiated Logout 1.0)', () => {
    it('returns to where it is asked to', async () => {
      const { tokens } = await logIn(server)
      const url = new URL(server.metadata.end_session_endpoint)
      url.searchParams.set('id_token_hint', tokens.id_token)
      url.searchParams.set('post_logout_redirect_uri', 'http://localhost:8000/goodbye')
      url.searchParams.set('state', 'a b')
      const response = await fetch(url, { redirect: 'manual' })
      expect(response.headers.get('location')).to.equal('http://localhost:8000/goodbye?state=a+b')
    })

    it('shows a page without a target, and for one it does not know', async () => {
      const page = await fetch(server.metadata.end_session_endpoint)
      expect(await page.text()).to.include('signed out')
      const unknown = await fetch(
        `${server.metadata.end_session_endpoint}?post_logout_redirect_uri=http://localhost/`,
        { redirect: 'manual' },
      )
      expect(unknown.status).to.equal(400)
    })
  })

  describe('discovery', () => {
    const wellKnown = [
      '/.well-known/openid-configuration',
      '/.well-known/oauth-authorization-server',
    ]
    const appended = `/realms/a${wellKnown[0]!}`
    const inserted = `${wellKnown[1]!}/realms/a`
    const cases = [
      { discovery: 'openid', answers: appended },
      { discovery: 'oauth', answers: inserted },
      { discovery: 'none', answers: undefined },
    ] as const
    for (const { discovery, answers } of cases)
      it(`${discovery}: ${answers ?? 'nothing'} answers for an issuer with a path`, async () => {
        const other = await createTestAuthorizationServer({ issuerPath: '/realms/a', discovery })
        for (const path of [appended, inserted, ...wellKnown]) {
          const response = await fetch(`${other.origin}${path}`)
          expect(response.status, path).to.equal(path === answers ? 200 : 404)
          if (response.ok) expect(await response.json()).to.eql(other.metadata)
        }
        expect(other.issuer).to.equal(`${other.origin}/realms/a`)
        expect(other.metadata.token_endpoint).to.match(/\/realms\/a\/token$/)
        expect(other.count('discovery')).to.equal(4)
        await other.close()
      })

    it('the option metadata changes and removes members', async () => {
      const other = await createTestAuthorizationServer({
        announceIss: false,
        metadata: {
          end_session_endpoint: undefined,
          service_documentation: 'https://docs.example',
        },
      })
      expect(other.metadata).not.to.have.property('end_session_endpoint')
      expect(other.metadata).not.to.have.property('authorization_response_iss_parameter_supported')
      expect(other.metadata).to.have.property('service_documentation', 'https://docs.example')
      expect((await authorize(other)).response.has('iss')).to.equal(false)
      await other.close()
    })

    it('a misspelt option is an error', async () => {
      const options = { issuerpath: '/a' } as object
      const error = await createTestAuthorizationServer(options).catch((reason: unknown) => reason)
      expect(error)
        .to.be.an.instanceOf(TypeError)
        .with.property('message')
        .that.includes('issuerpath')
    })
  })

  describe('keys', () => {
    const keyIds = async () => {
      const response = await fetch(server.metadata.jwks_uri)
      return ((await response.json()) as { keys: { kid: string; x: string }[] }).keys
    }

    it('rotateKeys replaces the keys, under the same key id if asked to', async () => {
      const [first] = await keyIds()
      server.rotateKeys({ keepKid: true })
      const [second] = await keyIds()
      expect(second).to.include({ kid: first!.kid })
      expect(second!.x).not.to.equal(first!.x)
      server.rotateKeys()
      const [third] = await keyIds()
      expect(third!.kid).not.to.equal(first!.kid)
      const { tokens } = await logIn(server)
      const keys = createRemoteJWKSet(new URL(server.metadata.jwks_uri))
      expect((await jwtVerify(tokens.id_token, keys)).protectedHeader.kid).to.equal(third!.kid)
    })

    for (const signingAlgorithm of ['ES384', 'RS256', 'PS256', 'EdDSA'] as const)
      it(`signs with ${signingAlgorithm}`, async () => {
        const other = await createTestAuthorizationServer({ signingAlgorithm })
        const { tokens } = await logIn(other)
        const keys = createRemoteJWKSet(new URL(other.metadata.jwks_uri))
        const { protectedHeader } = await jwtVerify(tokens.id_token, keys)
        expect(protectedHeader.alg).to.equal(signingAlgorithm)
        await other.close()
      })

    it('signs any JWT', async () => {
      const jwt = await server.sign({ claims: { sid: '1' }, header: { typ: 'logout+jwt' } })
      const keys = createRemoteJWKSet(new URL(server.metadata.jwks_uri))
      const { payload } = await jwtVerify(jwt, keys, { typ: 'logout+jwt' })
      expect(payload).to.eql({ sid: '1' })
    })
  })

  describe('what it saw', () => {
    it('records requests', async () => {
      const received = server.received('token')
      const login = await logIn(server)
      expect(await received).to.equal(server.requests[1])
      expect(server.requests.map(({ endpoint }) => endpoint)).to.eql(['authorization', 'token'])
      expect(server.requests[0]!.query.get('state')).to.equal(login.state)
      expect(server.requests[1]).to.include({ method: 'POST', path: '/token' })
      expect(server.requests[1]!.body.get('code')).to.equal(login.code)
      expect(server.requests[1]!.headers.authorization).to.match(/^Basic /)
      expect(server.requests[1]!.remotePort).to.be.greaterThan(0)
      expect(server.count('token')).to.equal(1)
      await fetch(`${server.origin}/favicon.ico`)
      expect(server.count('other')).to.equal(1)
    })

    it('collects every secret', async () => {
      const { tokens, ...login } = await logIn(server)
      expect([...server.secrets]).to.include.members([
        'test-client-secret',
        btoa('test-client:test-client-secret'),
        login.state,
        login.nonce,
        login.verifier,
        login.code,
        tokens.access_token,
        tokens.refresh_token,
        tokens.id_token,
      ])
    })

    it('keeps nothing but counts without record', async () => {
      const forgetful = await createTestAuthorizationServer({ record: false })
      await logIn(forgetful)
      expect(forgetful.requests).to.eql([])
      expect(forgetful.issued).to.eql([])
      expect([...forgetful.secrets]).to.eql(['test-client-secret'])
      expect(forgetful.count('token')).to.equal(1)
      await forgetful.close()
    })
  })

  describe('stop and start', () => {
    it('refuses connections, and comes back on the same port with the same state', async () => {
      const { tokens } = await logIn(server)
      const { origin } = server
      await server.stop()
      const refusal = await userinfo(server, tokens.access_token).catch((error: unknown) => error)
      expect(refusal).to.have.nested.property('cause.code', 'ECONNREFUSED')
      await server.start()
      expect(server.origin).to.equal(origin)
      expect((await userinfo(server, tokens.access_token)).status).to.equal(200)
    })

    it('restart with forget loses codes and tokens', async () => {
      const { tokens } = await logIn(server)
      await server.restart()
      expect((await userinfo(server, tokens.access_token)).status).to.equal(200)
      await server.restart({ forget: true })
      expect((await userinfo(server, tokens.access_token)).status).to.equal(401)
      expect(server.issued[0]).to.include({ active: false, refreshable: false })
    })
  })
})
