import { inspect } from 'node:util'
import { expect } from 'chai'
import type { PkceFlowErrorCode } from '../../src/index.ts'
import {
  createTestAuthorizationServer,
  type JsonObject,
  type TestAuthorizationServer,
} from '../../src/testing/index.ts'
import { startApp, type RunningApp } from '../support/app.ts'
import { clock } from '../support/clock.ts'
import { failLogin, home, logIn } from './attempt.ts'

const hour = 3_600_000
const year = 365 * 24 * hour

describe('token endpoint response (RFC 6749 section 5.1, decision 8)', () => {
  let server: TestAuthorizationServer
  let app: RunningApp

  before(async () => {
    server = await createTestAuthorizationServer()
    app = await startApp({ server, flow: { scope: 'openid read write' } })
  })

  after(async () => {
    await app.close()
    await server.close()
  })

  beforeEach(() => {
    clock.stop()
    app.errors.length = 0
  })

  afterEach(() => {
    clock.release()
    server.reset()
  })

  /** A login at which the response has these members, `undefined` for none. */
  function respondWith(changes: JsonObject) {
    server.misbehave('token', { tokenResponse: (usual) => ({ ...usual, ...changes }) })
  }

  const token = async (browser: Awaited<ReturnType<typeof logIn>>) =>
    JSON.parse((await browser.request(app.url('/token'), program)).body) as JsonObject

  const program = { headers: { accept: 'application/json' } }

  describe('expires_in', () => {
    const known: [given: unknown, milliseconds: number][] = [
      [3_600, hour],
      ['3600', hour],
      [1.5, 1_500],
      [1e308, year],
      [Number.MAX_SAFE_INTEGER, year],
    ]
    for (const [given, milliseconds] of known)
      it(`${inspect(given)} is ${milliseconds / 1_000} seconds`, async () => {
        respondWith({ expires_in: given })
        const { status } = await home(app, await logIn(app))
        expect(status.connected).to.equal(true)
        expect(Date.parse(status.expiresAt!)).to.equal(Date.now() + milliseconds)
      })

    for (const given of [
      undefined,
      null,
      -1,
      '-1',
      '',
      'abc',
      '3600abc',
      '1e3',
      {},
      [],
      [3600],
      true,
    ])
      it(`${inspect(given)} means unknown: the token is used until it is refused`, async () => {
        respondWith({ expires_in: given })
        const browser = await logIn(app)
        const { status } = await home(app, browser)
        expect(status).to.include({ connected: true })
        expect(status).not.to.have.property('expiresAt')
        expect(await token(browser)).to.deep.equal({ token: server.issued[0]!.accessToken })
      })

    for (const given of [0, '0', -0])
      it(`${inspect(given)} means expired: signed in, no token, no further token request`, async () => {
        respondWith({ expires_in: given, refresh_token: undefined })
        const browser = await logIn(app)
        const { status, sub } = await home(app, browser)
        expect(sub).to.equal('alice')
        expect(status).to.include({ connected: false })
        for (let times = 0; times < 3; times += 1)
          expect(await token(browser)).to.include({ code: 'reauthorization_required', status: 401 })
        expect(server.count('token')).to.equal(1)
      })
  })

  describe('token_type', () => {
    for (const given of ['Bearer', 'bearer', 'BEARER', 'bEaReR', undefined, null, 5])
      it(`${inspect(given)} is a bearer token`, async () => {
        respondWith({ token_type: given })
        expect(await token(await logIn(app))).to.deep.equal({
          token: server.issued[0]!.accessToken,
        })
      })

    for (const given of ['DPoP', 'dpop', 'mac', 'N_A', 'Bearer token'])
      it(`${inspect(given)}, which nobody asked for, is refused and revoked (P11)`, async () => {
        respondWith({ token_type: given })
        await failLogin(app, 'invalid_server_response')
        await server.received('revocation', 2)
        expect(server.issued[0]).to.include({ active: false, refreshable: false })
      })
  })

  describe('scope (RFC 6749 section 3.3)', () => {
    const cases: [given: unknown, scope: string[]][] = [
      [undefined, ['openid', 'read', 'write']],
      ['openid read', ['openid', 'read']],
      ['openid  read ', ['openid', 'read']],
      ['openid read write admin', ['openid', 'read', 'write', 'admin']],
      ['', []],
      [null, ['openid', 'read', 'write']],
      [5, ['openid', 'read', 'write']],
      [
        ['openid', 'read'],
        ['openid', 'read', 'write'],
      ],
    ]
    for (const [given, scope] of cases)
      it(`${inspect(given)} grants ${inspect(scope)}`, async () => {
        respondWith({ scope: given })
        expect((await home(app, await logIn(app))).status.scope).to.deep.equal(scope)
      })
  })

  describe('what need not be there, or is not known, does no harm', () => {
    const cases: [string, JsonObject][] = [
      ['no refresh token', { refresh_token: undefined }],
      ['an empty refresh token', { refresh_token: '' }],
      ['a refresh token that is no text', { refresh_token: { value: 'x' } }],
      ['unknown members', { created_at: 1, interval: null, user: { id: 5 } }],
      ['an error that is no text', { error: null }],
      ['an error that is an object', { error: { code: 5 } }],
      [
        'a member called __proto__',
        JSON.parse('{"__proto__": {"access_token": "x"}}') as JsonObject,
      ],
    ]
    for (const [what, changes] of cases)
      it(what, async () => {
        respondWith(changes)
        expect(await token(await logIn(app))).to.deep.equal({
          token: server.issued[0]!.accessToken,
        })
      })

    for (const type of ['text/html', 'text/plain; charset=utf-8', 'application/octet-stream', null])
      it(`content type ${type ?? 'none'}`, async () => {
        server.misbehave('token', { headers: { 'content-type': type } })
        await logIn(app)
      })
  })

  describe('what no client can use: invalid_server_response', () => {
    const cases: [string, JsonObject][] = [
      ['no access token', { access_token: undefined }],
      ['an empty access token', { access_token: '' }],
      ['an access token that is null', { access_token: null }],
      ['an access token that is a number', { access_token: 5 }],
      ['an access token that fits into no header', { access_token: 'a\nb' }],
      ['no ID Token though openid was asked for', { id_token: undefined }],
      ['an ID Token that is no text', { id_token: 5 }],
    ]
    for (const [what, changes] of cases)
      it(what, async () => {
        respondWith(changes)
        const error = await failLogin(app, 'invalid_server_response')
        expect(error.status).to.equal(502)
      })

    for (const value of [null, [], [{ access_token: 'x' }], 'text', 5, true])
      it(`${inspect(value)} instead of an object`, async () => {
        server.misbehave('token', { tokenResponse: () => value })
        await failLogin(app, 'invalid_server_response')
      })

    for (const body of ['', '<html>', '{"access_token":"x"', 'access_token=x&token_type=bearer'])
      it(`${inspect(body)} instead of JSON`, async () => {
        server.misbehave('token', { answer: { body } })
        await failLogin(app, 'invalid_server_response')
      })

    it('tokens without the ID Token that was asked for are revoked (P11)', async () => {
      respondWith({ id_token: undefined })
      await failLogin(app, 'invalid_server_response')
      await server.received('revocation', 2)
      expect(server.issued[0]).to.include({ active: false, refreshable: false })
    })
  })

  describe('errors (RFC 6749 section 5.2)', () => {
    const cases: [status: number, error: string | undefined, code: PkceFlowErrorCode][] = [
      [400, 'invalid_grant', 'code_rejected'],
      [400, undefined, 'code_rejected'],
      [400, 'something_else', 'code_rejected'],
      [400, 'invalid_client', 'client_rejected'],
      [401, 'invalid_client', 'client_rejected'],
      [401, undefined, 'client_rejected'],
      [400, 'invalid_request', 'client_rejected'],
      [400, 'invalid_scope', 'client_rejected'],
      [400, 'unauthorized_client', 'client_rejected'],
      [400, 'invalid_target', 'client_rejected'],
      [400, 'unsupported_grant_type', 'client_rejected'],
      [403, undefined, 'invalid_server_response'],
      [404, undefined, 'invalid_server_response'],
      [204, undefined, 'invalid_server_response'],
      [200, 'invalid_grant', 'code_rejected'],
      [200, 'bad_verification_code', 'code_rejected'],
      [500, 'invalid_grant', 'server_unavailable'],
      [503, undefined, 'server_unavailable'],
    ]
    for (const [status, error, code] of cases)
      it(`${status} with ${error ?? 'a page'}: ${code}`, async () => {
        const answer =
          error === undefined ? { status, body: '<h1>No</h1>' } : { status, json: { error } }
        server.misbehave('token', { answer })
        await failLogin(app, code)
        expect(server.count('token')).to.equal(1)
      })

    it('an error beside tokens is an error', async () => {
      respondWith({ error: 'invalid_grant' })
      await failLogin(app, 'code_rejected')
    })

    it('oauthError is there for registered values only, error_description never', async () => {
      const description = 'code abc123 of <alice> is wrong'
      for (const [error, shown] of [
        ['invalid_grant', 'invalid_grant'],
        ['<script>alert(1)</script>', undefined],
        ['alice', undefined],
      ] as const) {
        const json = { error, error_description: description, error_uri: 'https://evil.example' }
        const stop = server.misbehave('token', { answer: { status: 400, json } })
        const failure = await failLogin(app, 'code_rejected')
        expect(failure.oauthError).to.equal(shown)
        const text = inspect(failure, { depth: Infinity, showHidden: true })
        expect(text).not.to.include(description).and.not.to.include('evil.example')
        if (shown === undefined) expect(text).not.to.include(error)
        stop()
      }
    })
  })

  it('the token request is what RFC 6749 section 4.1.3 and RFC 7636 section 4.5 ask for', async () => {
    await logIn(app)
    const { body } = await server.received('token')
    const { query } = await server.received('authorization')
    expect(Object.fromEntries(body)).to.deep.equal({
      grant_type: 'authorization_code',
      code: server.issued[0]!.code,
      redirect_uri: app.url('/callback'),
      code_verifier: body.get('code_verifier'),
    })
    expect(query.get('redirect_uri')).to.equal(body.get('redirect_uri'))
  })
})
