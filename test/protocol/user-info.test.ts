import { inspect } from 'node:util'
import { expect } from 'chai'
import { ConfigurationError, PkceFlowError, type PkceFlowErrorCode } from '../../src/index.ts'
import type { KnownServer } from '../../src/protocol/known-server.ts'
import type { ValidatedTokens } from '../../src/protocol/token-request.ts'
import { requestUserInfo } from '../../src/protocol/user-info.ts'
import {
  createTestAuthorizationServer,
  type Fault,
  type TestAuthorizationServer,
} from '../../src/testing/index.ts'
import { know, logInDirectly } from './direct-login.ts'

describe('userinfo (OpenID Connect Core section 5.3)', () => {
  let server: TestAuthorizationServer
  let known: KnownServer
  let tokens: ValidatedTokens

  beforeEach(async () => {
    server = await createTestAuthorizationServer()
    known = await know(server)
    tokens = await logInDirectly(known)
  })

  afterEach(() => server.close())

  const ask = (subject: string | undefined = 'alice') =>
    requestUserInfo(known, tokens.accessToken, subject)

  /** A request that must fail with this code, and show nothing. */
  async function fails(code: PkceFlowErrorCode, subject?: string) {
    const error = await ask(subject).then(
      (answer) => expect.fail(`answered ${inspect(answer)}`),
      (reason: unknown) => reason as PkceFlowError,
    )
    expect(error).to.be.instanceOf(PkceFlowError).and.to.include({ code })
    const shown = inspect(error, { depth: Infinity, showHidden: true, getters: true })
    for (const secret of server.secrets) expect(shown).not.to.include(secret)
    expect(shown).not.to.include('alice@example.com')
    return error
  }

  it('sends the access token in the header Authorization (RFC 6750 section 2.1)', async () => {
    expect(await ask()).to.deep.include({ sub: 'alice', email: 'alice@example.com' })
    const { headers, query, body, method } = await server.received('userinfo')
    expect(method).to.equal('GET')
    expect(headers).to.include({
      authorization: `Bearer ${tokens.accessToken}`,
      accept: 'application/json',
    })
    expect([...query, ...body]).to.be.empty
  })

  describe('C-16: sub', () => {
    for (const sub of ['bob', 'alice1', 'Alice', '', undefined, null, ['alice'], 5])
      it(`C-16, A1 oidcc-client-test-userinfo-invalid-sub: ${inspect(sub)} is refused`, async () => {
        server.misbehave('userinfo', { userinfo: (claims) => ({ ...claims, sub }) })
        await fails('invalid_server_response')
      })

    it('C-16: is not compared without an ID Token', async () => {
      for (const sub of ['bob', undefined]) {
        const stop = server.misbehave('userinfo', { userinfo: () => ({ sub, name: 'Bob' }) })
        expect(await requestUserInfo(known, tokens.accessToken, undefined)).to.include({
          name: 'Bob',
        })
        stop()
      }
    })
  })

  describe('D-55: an access token that the server says is invalid', () => {
    it('is told apart', async () => {
      tokens.accessToken = 'expired'
      expect(await ask()).to.equal('invalid_token')
    })

    for (const [challenge, isInvalid] of [
      ['Basic realm="x", bearer realm="y", error=invalid_token', true],
      ['DPoP error="invalid_token"', true],
      ['Bearer', false],
      ['Bearer error="insufficient_scope"', false],
      [undefined, false],
    ] as const)
      it(`a 401 with ${challenge ?? 'no challenge'} ${isInvalid ? 'is' : 'is not'}`, async () => {
        const headers = challenge === undefined ? {} : { 'www-authenticate': challenge }
        server.misbehave('userinfo', { answer: { status: 401, headers } })
        if (isInvalid) expect(await ask()).to.equal('invalid_token')
        else await fails('invalid_server_response')
      })

    it('is no reason to say so of a 403', async () => {
      const headers = { 'www-authenticate': 'Bearer error="invalid_token"' }
      server.misbehave('userinfo', { answer: { status: 403, headers } })
      await fails('invalid_server_response')
    })
  })

  const faults: [row: string, what: string, fault: Fault<'userinfo'>, code: PkceFlowErrorCode][] = [
    ['D-55', '500', { answer: { status: 500 } }, 'server_unavailable'],
    ['D-55', '429', { answer: { status: 429 } }, 'server_unavailable'],
    ['D-55', 'a reset', { reset: 'before-response' }, 'server_unavailable'],
    ['D-55', 'a reset in the body', { reset: 'mid-body' }, 'server_unavailable'],
    ['D-36', 'no answer', { hang: true }, 'server_timeout'],
    ['D-37', 'a dripping body', { drip: 50 }, 'server_timeout'],
    ['D-39', '2 MiB', { huge: 2 }, 'invalid_server_response'],
    ['D-55', '404', { answer: { status: 404 } }, 'invalid_server_response'],
    ['D-55', '204', { answer: { status: 204 } }, 'invalid_server_response'],
    ['D-40', 'HTML', { answer: { body: '<html>' } }, 'invalid_server_response'],
    ['D-40', 'an array', { userinfo: (claims) => [claims] }, 'invalid_server_response'],
    ['D-40', 'null', { userinfo: () => null }, 'invalid_server_response'],
  ]
  for (const [row, what, fault, code] of faults)
    it(`${row}: ${what} is ${code}`, async () => {
      server.misbehave('userinfo', fault)
      await fails(code)
    })

  it('D-55: Retry-After is handed on', async () => {
    const headers = { 'retry-after': '17' }
    server.misbehave('userinfo', { answer: { status: 503, headers } })
    expect(await fails('server_unavailable')).to.include({ retryAfter: 17 })
  })

  for (const status of [301, 302, 303, 307, 308])
    it(`D-43: a ${status} is not followed, P16: so the token goes nowhere else`, async () => {
      const location = `${server.issuer}/userinfo?again`
      server.misbehave('userinfo', { answer: { status, headers: { location } } })
      await fails('invalid_server_response')
      expect(server.count('userinfo')).to.equal(1)
    })

  for (const type of ['application/jwt', 'Application/JWT; charset=utf-8'])
    it(`an answer of ${type} is refused, with what to do`, async () => {
      server.misbehave('userinfo', { headers: { 'content-type': type } })
      const error = await fails('invalid_server_response')
      expect(error.message).to.match(/signed or encrypted.*userinfo_signed_response_alg/)
    })

  for (const type of ['text/html', 'application/json; charset=utf-8', null])
    it(`JSON of content type ${type ?? 'none'} is accepted`, async () => {
      server.misbehave('userinfo', { headers: { 'content-type': type } })
      expect(await ask()).to.include({ sub: 'alice' })
    })

  for (const userinfo_endpoint of [undefined, null, 5, 'userinfo'])
    it(`a userinfo_endpoint of ${inspect(userinfo_endpoint)} is said plainly`, async () => {
      server.misbehave('discovery', { metadata: (all) => ({ ...all, userinfo_endpoint }) })
      known = await know(server)
      const error = await fails('configuration')
      expect(error).to.be.instanceOf(ConfigurationError)
      expect(error.message).to.include('userinfo_endpoint').and.to.include('"server"')
    })

  it('P16: no token is sent to a userinfo_endpoint that is not https:', async () => {
    const userinfo_endpoint = 'http://userinfo.example/'
    server.misbehave('discovery', { metadata: (all) => ({ ...all, userinfo_endpoint }) })
    known = await know(server)
    await fails('invalid_server_response')
  })
})
