import { get } from 'node:http'
import { expect } from 'chai'
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose'
import { createTestAuthorizationServer } from '../../src/testing/index.ts'
import type { IdTokenFault, TestAuthorizationServer } from '../../src/testing/index.ts'
import {
  answer,
  authorizationRequest,
  authorize,
  codeExchange,
  logIn,
  outcome,
  refreshRequest,
  tokenRequest,
  userinfo,
} from './login.ts'

const isRefresh = ({ body }: { body: URLSearchParams }) =>
  body.get('grant_type') === 'refresh_token'

const failureOf = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  )

describe('test authorization server: transport faults', () => {
  let server: TestAuthorizationServer

  before(async () => {
    server = await createTestAuthorizationServer()
  })
  beforeEach(() => server.reset())
  after(() => server.close())

  /** The same code again: spent already, or still good. */
  const isSpent = async (login: Parameters<typeof codeExchange>[0]) => {
    server.behave()
    return (await tokenRequest(server, codeExchange(login))).status === 400
  }

  it('delay: nothing happens until the promise settles', async () => {
    const login = await authorize(server)
    let release = (): void => undefined
    server.misbehave('token', { delay: new Promise<void>((resolve) => (release = resolve)) })
    const response = tokenRequest(server, codeExchange(login))
    await server.received('token')
    expect(server.issued).to.eql([])
    release()
    expect((await response).status).to.equal(200)
    expect(server.issued).to.have.length(1)
  })

  it('delay: of some milliseconds', async () => {
    server.misbehave('any', { delay: 2 })
    expect((await logIn(server)).tokens).to.have.property('access_token')
  })

  it('hang: no answer and no effect', async () => {
    const login = await authorize(server)
    server.misbehave('token', { hang: true })
    const abort = new AbortController()
    const response = failureOf(tokenRequest(server, codeExchange(login), { signal: abort.signal }))
    await server.received('token')
    abort.abort()
    expect(await response).to.have.property('name', 'AbortError')
    expect(await isSpent(login)).to.equal(false)
  })

  it('hang, processed: no answer, but the code is spent', async () => {
    const login = await authorize(server)
    server.misbehave('token', { hang: true }, { processed: true })
    const abort = new AbortController()
    const response = failureOf(tokenRequest(server, codeExchange(login), { signal: abort.signal }))
    await server.received('token')
    abort.abort()
    expect(await response).to.have.property('name', 'AbortError')
    expect(await isSpent(login)).to.equal(true)
  })

  it('close ends a hanging request', async () => {
    const other = await createTestAuthorizationServer()
    other.misbehave('discovery', { hang: true })
    const response = failureOf(fetch(`${other.origin}/.well-known/openid-configuration`))
    await other.received('discovery')
    await other.close()
    expect(await response).to.be.an.instanceOf(TypeError)
  })

  for (const processed of [false, true])
    it(`reset before the response, ${processed ? 'after' : 'without'} taking effect`, async () => {
      const login = await authorize(server)
      server.misbehave('token', { reset: 'before-response' }, { processed })
      const failure = await failureOf(tokenRequest(server, codeExchange(login)))
      expect(failure).to.be.an.instanceOf(TypeError)
      expect(await isSpent(login)).to.equal(processed)
    })

  it('reset in the middle of the body: the status arrives, the body does not', async () => {
    const login = await authorize(server)
    server.misbehave('token', { reset: 'mid-body' })
    const response = await tokenRequest(server, codeExchange(login))
    expect(response.status).to.equal(200)
    expect(await failureOf(response.text())).to.be.an.instanceOf(TypeError)
    expect(await isSpent(login)).to.equal(true)
  })

  it('drip: the usual body, in pieces', async () => {
    server.misbehave('discovery', { drip: 0 })
    const chunks = await new Promise<Buffer[]>((resolve, reject) => {
      const pieces: Buffer[] = []
      get(`${server.origin}/.well-known/openid-configuration`, (response) => {
        response.on('data', (piece: Buffer) => pieces.push(piece))
        response.on('end', () => resolve(pieces))
      }).on('error', reject)
    })
    expect(chunks).to.have.length.greaterThan(1)
    expect(JSON.parse(Buffer.concat(chunks).toString())).to.eql(server.metadata)
  })

  it('answer: status, headers and body', async () => {
    server.misbehave('token', {
      answer: {
        status: 503,
        headers: { 'Retry-After': '7', 'Content-Type': 'text/plain' },
        body: '<h1>Down</h1>',
      },
    })
    const response = await tokenRequest(server, {})
    expect(response.status).to.equal(503)
    expect(response.headers.get('retry-after')).to.equal('7')
    expect(response.headers.get('content-type')).to.equal('text/plain')
    expect(await response.text()).to.equal('<h1>Down</h1>')
  })

  it('answer: any JSON, any text in its place, a redirect', async () => {
    for (const json of [null, [], { error: 'invalid_client' }]) {
      server.misbehave('token', { answer: { json } }, { times: 1 })
      const { headers, body } = await tokenRequest(server, {}).then(async (response) => ({
        headers: response.headers,
        body: await response.json(),
      }))
      expect(body).to.eql(json)
      expect(headers.get('content-type')).to.equal('application/json')
    }
    server.misbehave(
      'token',
      { answer: { headers: { 'content-type': 'application/json' }, body: '{"access_token":' } },
      { times: 1 },
    )
    expect(await (await tokenRequest(server, {})).text()).to.equal('{"access_token":')
    server.misbehave('token', { answer: { status: 307, headers: { location: '/other' } } })
    const redirect = await tokenRequest(server, {}, { redirect: 'manual' })
    expect(redirect.headers.get('location')).to.equal('/other')
  })

  it('huge: so many MiB of JSON', async () => {
    server.misbehave('token', { huge: 2 })
    const body = await (await tokenRequest(server, {})).text()
    expect(body).to.have.length.greaterThan(2 * 1024 * 1024)
    expect(JSON.parse(body)).to.have.property('padding')
  })

  it('huge: ends when the client goes away', async () => {
    server.misbehave('token', { huge: 10_000 })
    const response = await tokenRequest(server, {})
    await response.body?.cancel()
  })

  it('headers: changed and removed', async () => {
    server.misbehave('token', { headers: { 'Content-Type': 'text/html', 'cache-control': null } })
    const response = await tokenRequest(server, codeExchange(await authorize(server)))
    expect(response.headers.get('content-type')).to.equal('text/html')
    expect(response.headers.has('cache-control')).to.equal(false)
    expect(await response.json()).to.have.property('access_token')
  })

  it('rotateKeys: before the request is processed', async () => {
    const before = await (await fetch(server.metadata.jwks_uri)).text()
    server.misbehave('token', { rotateKeys: {} }, { times: 1 })
    const { tokens } = await logIn(server)
    const { kid } = decodeProtectedHeader(tokens.id_token)
    expect(before).not.to.include(kid)
    expect(await (await fetch(server.metadata.jwks_uri)).text()).to.include(kid)
  })
})

describe('test authorization server: when a misbehaviour shows', () => {
  let server: TestAuthorizationServer

  before(async () => {
    server = await createTestAuthorizationServer()
  })
  beforeEach(() => server.reset())
  after(() => server.close())

  const statuses = async (count: number) => {
    const seen: number[] = []
    while (seen.length < count) seen.push((await fetch(server.metadata.jwks_uri)).status)
    return seen
  }
  const status = (code: number) => ({ answer: { status: code } })

  it('until it is stopped', async () => {
    const stop = server.misbehave('jwks', status(500))
    expect(await statuses(3)).to.eql([500, 500, 500])
    stop()
    expect(await statuses(1)).to.eql([200])
  })

  it('a number of times, after a number of requests', async () => {
    server.misbehave('jwks', status(500), { times: 2, after: 1 })
    expect(await statuses(4)).to.eql([200, 500, 500, 200])
  })

  it('one after the other', async () => {
    server.misbehave('jwks', status(500), { times: 1 })
    server.misbehave('any', status(502), { times: 1 })
    expect(await statuses(3)).to.eql([500, 502, 200])
  })

  it('for some requests only, at this endpoint only', async () => {
    server.misbehave('token', status(500), { when: isRefresh, times: 1 })
    const { tokens } = await logIn(server)
    expect(await statuses(1)).to.eql([200])
    const refresh = () => tokenRequest(server, refreshRequest(tokens.refresh_token))
    expect((await refresh()).status).to.equal(500)
    expect((await refresh()).status).to.equal(200)
  })

  it('not at all after behave, or reset', async () => {
    server.misbehave('jwks', status(500))
    server.behave()
    server.misbehave('jwks', status(500))
    server.reset()
    expect(await statuses(1)).to.eql([200])
    expect(server.count('jwks')).to.equal(1)
  })

  it('a fault has exactly one member, which its endpoint knows', () => {
    // @ts-expect-error it has two members
    expect(() => server.misbehave('token', { hang: true, drip: 1 })).to.throw(TypeError)
    // @ts-expect-error it has no member
    expect(() => server.misbehave('token', {})).to.throw(TypeError)
    // @ts-expect-error a fault of another endpoint
    server.misbehave('jwks', { idToken: {} })
  })

  it('a scripted function that throws breaks the connection and is warned about', async () => {
    server.misbehave('jwks', {
      keySet: () => {
        throw new Error('Scripted')
      },
    })
    const warning = new Promise<Error>((resolve) => process.once('warning', resolve))
    expect(await failureOf(fetch(server.metadata.jwks_uri))).to.be.an.instanceOf(TypeError)
    expect((await warning).message).to.equal('Scripted')
  })
})

describe('test authorization server: content faults', () => {
  let server: TestAuthorizationServer

  before(async () => {
    server = await createTestAuthorizationServer()
  })
  beforeEach(() => server.reset())
  after(() => server.close())

  it('metadata and keySet', async () => {
    server.misbehave('discovery', { metadata: (metadata) => ({ ...metadata, issuer: 'x' }) })
    server.misbehave('jwks', { keySet: () => ({ keys: [] }) })
    const discovery = await fetch(`${server.origin}/.well-known/openid-configuration`)
    expect(await discovery.json()).to.eql({ ...server.metadata, issuer: 'x' })
    expect(await (await fetch(server.metadata.jwks_uri)).json()).to.eql({ keys: [] })
  })

  it('authorizationError: an error with state and iss', async () => {
    server.misbehave('authorization', { authorizationError: 'access_denied' }, { times: 1 })
    const { response, state } = await authorize(server)
    expect(response.get('error')).to.equal('access_denied')
    expect(response.get('state')).to.equal(state)
    expect(response.get('iss')).to.equal(server.issuer)
    expect((await authorize(server)).code).not.to.equal('')
  })

  it('authorizationResponse: any change of the parameters', async () => {
    server.misbehave('authorization', {
      authorizationResponse: (parameters) => {
        parameters.delete('iss')
        parameters.append('state', 'another')
      },
    })
    const { response, state } = await authorize(server)
    expect(response.has('iss')).to.equal(false)
    expect(response.getAll('state')).to.eql([state, 'another'])
    const page = await fetch(authorizationRequest(server, { response_mode: 'form_post' }).url)
    expect(await page.text()).to.include('value="another"')
  })

  it('tokenResponse: anything in place of a successful response', async () => {
    const changes: Record<string, unknown>[] = [
      { expires_in: -1 },
      { token_type: undefined },
      { id_token: '' },
    ]
    for (const change of changes) {
      const tokenResponse = (response: object) => ({ ...response, ...change })
      server.misbehave('token', { tokenResponse }, { times: 1 })
      const { tokens } = await logIn(server)
      for (const [name, value] of Object.entries(change)) expect(tokens[name], name).to.equal(value)
    }
    server.misbehave('token', { tokenResponse: () => null })
    expect(await outcome(tokenRequest(server, {}))).to.include({ status: 400 })
    const { body } = await answer(tokenRequest(server, codeExchange(await authorize(server))))
    expect(body).to.equal(null)
  })

  it('userinfo: other claims', async () => {
    server.misbehave('userinfo', { userinfo: (claims) => ({ ...claims, sub: 'mallory' }) })
    const { tokens } = await logIn(server)
    const claims: unknown = await (await userinfo(server, tokens.access_token)).json()
    expect(claims).to.include({ sub: 'mallory', name: 'Alice Adams' })
  })

  describe('idToken', () => {
    const spoil = async (idToken: IdTokenFault) => {
      server.misbehave('token', { idToken })
      const { tokens } = await logIn(server)
      expect(server.issued[0]!.idToken).to.equal(tokens.id_token)
      const keys = createRemoteJWKSet(new URL(server.metadata.jwks_uri))
      const error = await failureOf(jwtVerify(tokens.id_token, keys))
      return {
        header: decodeProtectedHeader(tokens.id_token) as Record<string, unknown>,
        claims: decodeJwt(tokens.id_token),
        code: (error as { code?: string } | undefined)?.code,
        idToken: tokens.id_token,
      }
    }

    it('claims: changed and removed, well signed', async () => {
      const { claims, code } = await spoil({
        claims: (usual) => ({ ...usual, aud: [usual.aud, 'x'], iat: 'now', sub: undefined }),
      })
      expect(claims).to.deep.include({ aud: ['test-client', 'x'], iat: 'now' })
      expect(claims).not.to.have.property('sub')
      // jose looks at the claims after the signature.
      expect(code).to.equal('ERR_JWT_CLAIM_VALIDATION_FAILED')
    })

    it('header: changed, well signed', async () => {
      const { header, code } = await spoil({ header: (usual) => ({ ...usual, typ: 'at+jwt' }) })
      expect(header).to.include({ alg: 'ES256', typ: 'at+jwt' })
      expect(code).to.equal(undefined)
    })

    it('sign none: unsigned', async () => {
      const { header, idToken } = await spoil({ sign: 'none' })
      expect(header).to.eql({ alg: 'none' })
      expect(idToken).to.match(/\.$/)
    })

    it('sign wrong-key: under the key id of the right one', async () => {
      const { header, code } = await spoil({ sign: 'wrong-key' })
      const keySet = await (await fetch(server.metadata.jwks_uri)).text()
      expect(keySet).to.include(header.kid)
      expect(code).to.equal('ERR_JWS_SIGNATURE_VERIFICATION_FAILED')
    })

    it('sign HS256: by the client secret', async () => {
      const { header, idToken } = await spoil({ sign: 'HS256' })
      expect(header).to.eql({ alg: 'HS256' })
      await jwtVerify(idToken, new TextEncoder().encode('test-client-secret'))
    })

    it('sign no-kid: verifies while there is one key', async () => {
      const { header, code } = await spoil({ sign: 'no-kid' })
      expect(header).to.eql({ alg: 'ES256' })
      expect(code).to.equal(undefined)
    })

    it('sign no-kid, with decoyKeys: which key it was cannot be told', async () => {
      server.misbehave('jwks', { decoyKeys: 2 })
      expect(await spoil({ sign: 'no-kid' })).to.have.property(
        'code',
        'ERR_JWKS_MULTIPLE_MATCHING_KEYS',
      )
    })

    it('alg: by another algorithm, with a key that is published', async () => {
      const { header, code } = await spoil({ alg: 'EdDSA' })
      expect(header).to.include({ alg: 'EdDSA' })
      expect(code).to.equal(undefined)
    })

    it('after a refresh only', async () => {
      const claims = (usual: object) => ({ ...usual, sub: 'mallory' })
      server.misbehave('token', { idToken: { claims } }, { when: isRefresh })
      const { tokens } = await logIn(server)
      expect(decodeJwt(tokens.id_token).sub).to.equal('alice')
      const { body } = await answer(tokenRequest(server, refreshRequest(tokens.refresh_token)))
      expect(decodeJwt(body.id_token).sub).to.equal('mallory')
    })
  })
})
