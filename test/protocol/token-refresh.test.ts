import { inspect } from 'node:util'
import { expect } from 'chai'
import type { PkceFlowErrorCode } from '../../src/index.ts'
import type { KnownServer } from '../../src/protocol/known-server.ts'
import type { ValidatedTokens } from '../../src/protocol/token-request.ts'
import {
  refreshTokens,
  type RefreshedTokens,
  type RefreshOutcome,
  type TokenRefresh,
} from '../../src/protocol/token-refresh.ts'
import {
  createTestAuthorizationServer,
  type FaultyAnswer,
  type IdTokenFault,
  type JsonObject,
  type TestAuthorizationServer,
} from '../../src/testing/index.ts'
import { clock } from '../support/clock.ts'
import { know, logInDirectly, refreshOf } from './direct-login.ts'

const hour = 3_600_000

/** Seconds since the epoch, so far from now. */
const inSeconds = (seconds: number) => Math.floor(Date.now() / 1_000) + seconds

const claim = (name: string, value: unknown): IdTokenFault => ({
  claims: (claims) => ({ ...claims, [name]: value }),
})

describe('refresh (RFC 6749 section 6, OpenID Connect Core section 12.2)', () => {
  let server: TestAuthorizationServer
  let known: KnownServer
  let tokens: ValidatedTokens

  beforeEach(async () => {
    server = await createTestAuthorizationServer()
    known = await know(server)
    tokens = await logInDirectly(known)
  })

  afterEach(async () => {
    clock.release()
    await server.close()
  })

  const refresh = (changes: Partial<TokenRefresh> = {}) =>
    refreshTokens(known, { ...refreshOf(tokens), ...changes })

  /** A refresh that must succeed. */
  async function refreshed(changes?: Partial<TokenRefresh>): Promise<RefreshedTokens> {
    const outcome = await refresh(changes)
    expect(outcome, inspect(outcome)).to.include({ status: 'refreshed' })
    return (outcome as Extract<RefreshOutcome, { status: 'refreshed' }>).tokens
  }

  /** A refresh that must fail in this way, and show nothing. */
  async function fails(
    status: RefreshOutcome['status'],
    code: PkceFlowErrorCode,
    changes?: Partial<TokenRefresh>,
  ) {
    const outcome = await refresh(changes)
    expect(outcome, inspect(outcome)).to.include({ status })
    const { error } = outcome as Exclude<RefreshOutcome, { status: 'refreshed' }>
    expect(error).to.include({ code })
    const shown = inspect(error, { depth: Infinity, showHidden: true, getters: true })
    for (const secret of server.secrets) expect(shown).not.to.include(secret)
    return error
  }

  const respondWith = (changes: JsonObject) =>
    server.misbehave('token', { tokenResponse: (usual) => ({ ...usual, ...changes }) })

  const isRevoked = async () => {
    await server.received('revocation', 2)
    expect(server.issued.at(-1)).to.include({ active: false, refreshable: false })
  }

  it('sends the refresh token, the client authentication and nothing more', async () => {
    await refreshed()
    const { body, headers } = await server.received('token', 2)
    expect(Object.fromEntries(body)).to.deep.equal({
      grant_type: 'refresh_token',
      refresh_token: tokens.refreshToken,
    })
    expect(headers.authorization).to.match(/^Basic /)
  })

  it('A3 oidcc-client-test-refresh-token: new tokens, and the old ones are spent', async () => {
    clock.stop()
    const fresh = await refreshed()
    const issued = server.issued[1]!
    expect(fresh).to.deep.include({
      accessToken: issued.accessToken,
      refreshToken: issued.refreshToken,
      idToken: issued.idToken,
      tokenType: 'bearer',
      scope: ['openid', 'read', 'write'],
      issuedAt: Date.now(),
      expiresAt: Date.now() + hour,
    })
    expect(fresh.claims).to.include({ sub: 'alice', iss: server.issuer })
    expect((await refreshed(refreshOf(fresh))).accessToken).to.equal(server.issued[2]!.accessToken)
    await fails('definitive', 'reauthorization_required')
  })

  it('C-17: a second refresh is checked against the ID Token of the first', async () => {
    const fresh = await refreshed()
    server.misbehave('token', { idToken: claim('sub', 'bob') })
    await fails('definitive', 'id_token_invalid', refreshOf(fresh))
  })

  describe('what did not come is as it was (C-18, D-58)', () => {
    for (const refresh_token of [undefined, '', null, 5])
      it(`D-58: refresh_token ${inspect(refresh_token)}: the old one is kept`, async () => {
        respondWith({ refresh_token })
        const refreshExpiresAt = Date.now() + hour
        expect(await refreshed({ refreshExpiresAt })).to.include({
          refreshToken: tokens.refreshToken,
          refreshExpiresAt,
        })
      })

    it('C-18: a new refresh token replaces the old one, and how long that one lived', async () => {
      const fresh = await refreshed({ refreshExpiresAt: Date.now() + hour })
      expect(fresh.refreshToken).to.equal(server.issued[1]!.refreshToken)
      expect(fresh.refreshExpiresAt).to.equal(undefined)
    })

    for (const id_token of [undefined, '', null, 5])
      it(`D-58: id_token ${inspect(id_token)}: the old one and its claims are kept`, async () => {
        respondWith({ id_token })
        expect(await refreshed()).to.deep.include({
          idToken: tokens.idToken,
          claims: tokens.claims,
        })
      })

    const scopes: [given: unknown, scope: string[]][] = [
      [undefined, ['openid', 'read', 'write']],
      [null, ['openid', 'read', 'write']],
      [['read'], ['openid', 'read', 'write']],
      ['', []],
      ['openid read', ['openid', 'read']],
    ]
    for (const [given, scope] of scopes)
      it(`D-58: scope ${inspect(given)} grants ${inspect(scope)}`, async () => {
        respondWith({ scope: given })
        expect((await refreshed()).scope).to.deep.equal(scope)
      })
  })

  describe('D-45, D-46, C-21: expires_in', () => {
    const cases: [given: unknown, milliseconds: number | undefined][] = [
      ['3600', hour],
      [0, 0],
      [1e308, 365 * 24 * hour],
      ...[undefined, null, -1, 'abc', {}].map((given): [unknown, undefined] => [given, undefined]),
    ]
    for (const [given, milliseconds] of cases)
      it(`${inspect(given)} is ${milliseconds === undefined ? 'unknown' : `${milliseconds} ms`}`, async () => {
        clock.stop()
        respondWith({ expires_in: given })
        const { expiresAt } = await refreshed()
        expect(expiresAt).to.equal(
          milliseconds === undefined ? undefined : Date.now() + milliseconds,
        )
      })
  })

  describe('lifetime of the refresh token', () => {
    const cases: [given: JsonObject, milliseconds: number | undefined][] = [
      [{ refresh_expires_in: 1_800 }, hour / 2],
      [{ refresh_expires_in: '1800' }, hour / 2],
      [{ refresh_token_expires_in: 1_800 }, hour / 2],
      [{ refresh_token_expires_in: '1800' }, hour / 2],
      [{ refresh_expires_in: null, refresh_token_expires_in: 1_800 }, hour / 2],
      [{ refresh_expires_in: 365 * 24 * 3_600 }, 365 * 24 * hour],
      [{ refresh_expires_in: 365 * 24 * 3_600 + 1 }, undefined],
      [{ refresh_expires_in: 0 }, undefined],
      [{ refresh_expires_in: -1 }, undefined],
      [{ refresh_expires_in: 1e308 }, undefined],
      [{ refresh_expires_in: 'never' }, undefined],
      [{ refresh_expires_in: [1_800] }, undefined],
      [{}, undefined],
    ]
    for (const [given, milliseconds] of cases)
      it(`${inspect(given)} is ${milliseconds === undefined ? 'unknown' : `${milliseconds} ms`}, at login and refresh`, async () => {
        clock.stop()
        respondWith(given)
        const expected = milliseconds === undefined ? undefined : Date.now() + milliseconds
        expect((await logInDirectly(known)).refreshExpiresAt).to.equal(expected)
        expect((await refreshed()).refreshExpiresAt).to.equal(expected)
      })
  })

  describe('a new ID Token', () => {
    const refused: [row: string, what: string, fault: () => IdTokenFault][] = [
      ['A3 oidcc-client-test-refresh-token-invalid-sub', 'sub and 1', () => claim('sub', 'alice1')],
      [
        'A3 oidcc-client-test-refresh-token-invalid-issuer',
        'iss and 1',
        () => ({ claims: (all) => ({ ...all, iss: `${String(all.iss)}1` }) }),
      ],
      ['C-17, D-59', 'sub of another user', () => claim('sub', 'bob')],
      ['C-17', 'no sub', () => claim('sub', undefined)],
      ['C-17', 'sub as an array', () => claim('sub', ['alice'])],
      ['C-17', 'no iss', () => claim('iss', undefined)],
      ['C-17', 'aud of another client', () => claim('aud', 'another-client')],
      ['C-17', 'no aud', () => claim('aud', undefined)],
      ['C-17', 'azp of another client', () => claim('azp', 'another-client')],
      ['C-17, D-59', 'another nonce', () => claim('nonce', 'of-another-login')],
      ['C-17, D-59', 'an empty nonce', () => claim('nonce', '')],
      ['C-17', 'a nonce that is null', () => claim('nonce', null)],
      ['C-17', 'another auth_time', () => claim('auth_time', inSeconds(5))],
      ['C-17', 'iat an hour ahead', () => claim('iat', inSeconds(3_600))],
      ['C-17', 'no iat', () => claim('iat', undefined)],
      ['C-17', 'exp an hour ago', () => claim('exp', inSeconds(-3_600))],
      ['C-17', 'a key that is not published', () => ({ sign: 'wrong-key' })],
      ['C-17', 'no signature', () => ({ sign: 'none' })],
      ['C-17', 'a signature by the client secret', () => ({ sign: 'HS256' })],
    ]
    for (const [row, what, fault] of refused)
      it(`${row}: ${what} is definitive, and what came is revoked`, async () => {
        server.misbehave('token', { idToken: fault() })
        await fails('definitive', 'id_token_invalid')
        await isRevoked()
      })

    for (const id_token of ['not-a-token', 'a.b.c', 'a.b.c.d.e'])
      it(`C-17: ${inspect(id_token)} is definitive, and what came is revoked`, async () => {
        respondWith({ id_token })
        await fails('definitive', 'id_token_invalid')
        await isRevoked()
      })

    const accepted: [what: string, fault: () => IdTokenFault][] = [
      ['the nonce of the login', () => claim('nonce', tokens.claims!.nonce)],
      ['no auth_time', () => claim('auth_time', undefined)],
      ['aud as an array', () => claim('aud', ['test-client'])],
      ['claims that were not there before', () => claim('groups', ['admins'])],
    ]
    for (const [what, fault] of accepted)
      it(`C-17: ${what} is accepted, and the token replaces the old one`, async () => {
        server.misbehave('token', { idToken: fault() })
        expect((await refreshed()).idToken).to.equal(server.issued[1]!.idToken)
      })

    it('C-17: the expired one of the login, sent again, is kept', async () => {
      respondWith({ id_token: tokens.idToken })
      clock.advance(2 * hour)
      expect(await refreshed()).to.include({ idToken: tokens.idToken })
    })

    it('C-17: a nonce that nothing can be compared with leaves the old one in place', async () => {
      const withoutNonce = await refreshed()
      server.misbehave('token', { idToken: claim('nonce', tokens.claims!.nonce) })
      expect((await refreshed(refreshOf(withoutNonce))).idToken).to.equal(withoutNonce.idToken)
    })

    it('C-17: nobody looks at it if openid was never granted', async () => {
      tokens = await logInDirectly(known, ['read'])
      respondWith({ id_token: 'not-a-token' })
      expect(await refreshed()).to.include({ idToken: undefined, claims: undefined })
    })

    it('signed by a rotated key it is accepted', async () => {
      server.rotateKeys()
      expect((await refreshed()).idToken).to.equal(server.issued[1]!.idToken)
    })

    describe('D-52: while the signing keys cannot be had', () => {
      beforeEach(async () => {
        server.rotateKeys()
        known = await know(server)
      })

      for (const fault of [
        { answer: { status: 500 } },
        { answer: { status: 429 } },
        { answer: { body: '<html>' } },
        { answer: { json: { keys: 'none' } } },
        { answer: { status: 302, headers: { location: 'http://127.0.0.1:1/' } } },
        { reset: 'before-response' },
        { hang: true },
      ] as const)
        it(`${inspect(fault, { breakLength: Infinity })}: the tokens are kept, with the old ID Token`, async () => {
          server.misbehave('jwks', fault)
          expect(await refreshed()).to.deep.include({
            accessToken: server.issued[1]!.accessToken,
            idToken: tokens.idToken,
            claims: tokens.claims,
          })
          expect(server.count('revocation')).to.equal(0)
        })

      it('P16: one of another user is definitive all the same', async () => {
        server.misbehave('jwks', { answer: { status: 500 } })
        server.misbehave('token', { idToken: claim('sub', 'bob') })
        await fails('definitive', 'id_token_invalid')
        await isRevoked()
      })
    })
  })

  describe('token_type (C-20, D-44, D-59)', () => {
    for (const token_type of ['DPoP', 'mac', 'N_A'])
      it(`C-20, D-59: ${token_type}, which nobody asked for, is definitive and revoked`, async () => {
        respondWith({ token_type })
        await fails('definitive', 'invalid_server_response')
        await isRevoked()
      })

    for (const token_type of ['BEARER', undefined, null])
      it(`D-44: ${inspect(token_type)} is a bearer token`, async () => {
        respondWith({ token_type })
        expect((await refreshed()).tokenType).to.equal('bearer')
      })
  })

  describe('refusals (D-56, D-57, C-19)', () => {
    const page = (status: number): FaultyAnswer => ({ status, body: '<h1>No</h1>' })
    const error = (status: number, name: unknown): FaultyAnswer => ({
      status,
      json: { error: name },
    })
    const definitive = ['definitive', 'reauthorization_required'] as const
    const ours = ['passing', 'client_rejected'] as const
    const unreadable = ['unreadable', 'server_unavailable'] as const
    const down = ['passing', 'server_unavailable'] as const
    const useless = ['passing', 'invalid_server_response'] as const

    const cases: [
      row: string,
      what: string,
      answer: FaultyAnswer,
      expected: readonly [RefreshOutcome['status'], PkceFlowErrorCode],
    ][] = [
      ['D-56', '400 invalid_grant', error(400, 'invalid_grant'), definitive],
      ['D-56', '401 invalid_grant', error(401, 'invalid_grant'), definitive],
      ['D-56', '200 invalid_grant', error(200, 'invalid_grant'), definitive],
      ['D-56', '400 with a page', page(400), definitive],
      ['D-56', '400 without a body', { status: 400 }, definitive],
      ['D-56', '400 with an error that is no text', error(400, { code: 5 }), definitive],
      ['D-56', '400 with an empty error', error(400, ''), definitive],
      ['D-57', '401 invalid_client', error(401, 'invalid_client'), ours],
      ['D-57', '400 invalid_client', error(400, 'invalid_client'), ours],
      ['D-57', '400 unauthorized_client', error(400, 'unauthorized_client'), ours],
      ['D-57', '400 unsupported_grant_type', error(400, 'unsupported_grant_type'), ours],
      ['D-57', '400 invalid_request', error(400, 'invalid_request'), ours],
      ['D-57', '400 invalid_scope', error(400, 'invalid_scope'), ours],
      ['D-57', '401 with a page', page(401), unreadable],
      ['D-57', '403 with a page', page(403), unreadable],
      ['D-57', '403 without a body', { status: 403 }, unreadable],
      ['D-57', '401 with an error that is no text', error(401, { code: 5 }), unreadable],
      ['D-57', '400 with an unknown error', error(400, 'token_revoked'), unreadable],
      ['D-57', '200 with an unknown error', error(200, 'bad_refresh_token'), unreadable],
      ['D-57', '400 server_error', error(400, 'server_error'), down],
      ['D-57', '400 temporarily_unavailable', error(400, 'temporarily_unavailable'), down],
      ['D-57', '429', page(429), down],
      ['D-57', '500', page(500), down],
      ['D-57', '500 invalid_grant', error(500, 'invalid_grant'), down],
      ['D-57', '503', page(503), down],
      ['D-57', '404', page(404), useless],
      ['D-57', '404 with an unknown error', error(404, 'not_found'), useless],
      ['D-57', '204', { status: 204 }, useless],
      ['D-40', '200 with a page', page(200), useless],
      ['D-40', '200 with an array', { json: [{ access_token: 'x' }] }, useless],
      ['D-40', '200 with null', { json: null }, useless],
      ['D-42', '200 with an empty error', error(200, ''), useless],
      ['D-47', '200 without an access token', { json: { token_type: 'bearer' } }, useless],
      ['D-47', '200 with an empty access token', { json: { access_token: '' } }, useless],
      [
        'D-47',
        '200 with an access token that fits into no header',
        { json: { access_token: 'a\nb' } },
        useless,
      ],
      ['D-43', '302', { status: 302, headers: { location: '/token' } }, useless],
      ['D-43', '307', { status: 307, headers: { location: '/token' } }, useless],
    ]
    for (const [row, what, answer, [status, code]] of cases)
      it(`${row}: ${what} is ${status}: ${code}, after one request`, async () => {
        server.misbehave('token', { answer })
        await fails(status, code)
        expect(server.count('token')).to.equal(2)
        expect(server.count('revocation')).to.equal(0)
      })

    it('D-57: the server hangs up', async () => {
      server.misbehave('token', { reset: 'before-response' })
      expect(await fails('passing', 'server_unavailable')).to.include({ retryAfter: 1 })
    })

    it('D-57: the server cannot be reached', async () => {
      await server.stop()
      expect(await fails('passing', 'server_unavailable')).to.include({ retryAfter: 1 })
    })

    it('D-57: the server does not answer', async () => {
      server.misbehave('token', { hang: true })
      expect(await fails('passing', 'server_timeout')).to.include({ retryAfter: 1 })
    })

    it('D-39: the answer is too large', async () => {
      server.misbehave('token', { huge: 2 })
      await fails('passing', 'invalid_server_response')
    })

    for (const status of [429, 503, 403, 401])
      it(`D-57: Retry-After of a ${status} is handed on`, async () => {
        server.misbehave('token', { answer: { status, headers: { 'retry-after': '17' } } })
        const outcome = await refresh()
        expect(outcome).to.have.nested.property('error.retryAfter', 17)
      })

    it('D-57: Retry-After of temporarily_unavailable is handed on', async () => {
      const headers = { 'retry-after': '17' }
      const json = { error: 'temporarily_unavailable' }
      server.misbehave('token', { answer: { status: 400, headers, json } })
      const failure = await fails('passing', 'server_unavailable')
      expect(failure).to.include({ retryAfter: 17, oauthError: 'temporarily_unavailable' })
    })

    it('D-42: an error beside tokens is an error', async () => {
      respondWith({ error: 'invalid_grant' })
      await fails('definitive', 'reauthorization_required')
    })

    it('C-19: oauthError is there for registered values only, error_description never', async () => {
      for (const [name, shown] of [
        ['invalid_grant', 'invalid_grant'],
        ['alice <script>', undefined],
      ] as const) {
        const json = { error: name, error_description: 'token of alice' }
        const stop = server.misbehave('token', { answer: { status: 400, json } })
        const outcome = await refresh()
        stop()
        expect('error' in outcome && outcome.error.oauthError).to.equal(shown)
        expect(inspect(outcome, { depth: Infinity, showHidden: true })).not.to.include('alice')
      }
    })

    for (const refreshToken of ['', undefined, null, 5])
      it(`C-19: a refresh token of ${inspect(refreshToken)} is not sent`, async () => {
        const changes = { refreshToken: refreshToken as string }
        await fails('definitive', 'reauthorization_required', changes)
        expect(server.count('token')).to.equal(1)
      })

    it('D-57: a clientAuth of the app’s own that fails is our set-up', async () => {
      let isBroken = false
      known = await know(server, {
        clientSecret: undefined,
        clientAuth: (_server, _client, _body, headers) => {
          if (isBroken) throw new Error('no key')
          headers.set('authorization', `Basic ${btoa('test-client:test-client-secret')}`)
        },
      })
      tokens = await logInDirectly(known)
      isBroken = true
      await fails('passing', 'configuration')
    })
  })
})
