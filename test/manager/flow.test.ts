import { createHash } from 'node:crypto'
import { inspect } from 'node:util'
import { expect } from 'chai'
import { StateForgeryError, type PkceFlowErrorCode, type UserSecrets } from '../../src/index.ts'
import {
  createTestAuthorizationServer,
  type TestAuthorizationServer,
} from '../../src/testing/index.ts'
import { rejection } from '../support/rejection.ts'
import { createManager, createOpenIdManager, MemoryManager, startLogin } from './memory-manager.ts'

const s256 = (verifier: string) => createHash('sha256').update(verifier).digest('base64url')

describe('PkceFlowManager', () => {
  let server: TestAuthorizationServer

  beforeEach(async () => {
    server = await createTestAuthorizationServer({ issuerPath: '/oauth' })
  })

  afterEach(() => server.close())

  describe('makeUserSecrets(user)', () => {
    it('stores state, code verifier and code challenge (RFC 7636 section 4.2) and returns them', async () => {
      const manager = createManager(server)
      const secrets = await manager.makeUserSecrets('alice')
      expect(Object.keys(secrets)).to.deep.equal(['state', 'codeVerifier', 'codeChallenge'])
      expect(manager.kept.get('alice')).to.deep.equal(secrets)
      expect(secrets.state).to.match(/^[\w-]{43}$/)
      expect(secrets.codeVerifier)
        .to.match(/^[\w-]{43}$/)
        .and.not.to.equal(secrets.state)
      expect(secrets.codeChallenge).to.equal(s256(secrets.codeVerifier))
    })

    it('makes others every time', async () => {
      const manager = createManager(server)
      const all = [await manager.makeUserSecrets('a'), await manager.makeUserSecrets('a')]
      expect(
        new Set(all.flatMap((secrets) => Object.values<string>({ ...secrets }))).size,
      ).to.equal(6)
    })

    it('returns after they are stored', async () => {
      let isStored = false
      const manager = createManager(server, {
        async storeUserSecrets() {
          await new Promise(setImmediate)
          isStored = true
        },
      })
      await manager.makeUserSecrets('alice')
      expect(isStored).to.equal(true)
    })

    const verifiers: [what: string, verifier: unknown, isGood: boolean][] = [
      ['42 characters', 'v'.repeat(42), false],
      ['43 characters', 'v'.repeat(43), true],
      ['128 characters', 'v'.repeat(128), true],
      ['129 characters', 'v'.repeat(129), false],
      ['every kind of unreserved character', 'AZaz09-._~'.repeat(5), true],
      ['a plus sign', '+'.repeat(43), false],
      ['a line feed at the end', `${'v'.repeat(43)}\n`, false],
      ['no ASCII', 'é'.repeat(43), false],
      ['nothing', undefined, false],
      ['bytes', Buffer.alloc(43), false],
    ]
    const states: [what: string, state: unknown, isGood: boolean][] = [
      ['21 characters', 's'.repeat(21), false],
      ['22 characters', 's'.repeat(22), true],
      ['1,024 characters', 's'.repeat(1024), true],
      ['1,025 characters', 's'.repeat(1025), false],
      ['a percent sign', `${'s'.repeat(43)}%`, false],
      ['a plus sign', `${'s'.repeat(43)}+`, false],
      ['a dot', `${'s'.repeat(43)}.`, false],
      ['nothing', null, false],
    ]
    for (const [maker, cases] of [
      ['createCodeVerifier', verifiers],
      ['createState', states],
    ] as const)
      for (const [what, value, isGood] of cases)
        for (const way of ['sync', 'async'])
          it(`${maker}() of ${what}, ${way}, is ${isGood ? 'used' : 'refused'}`, async () => {
            const maker_ = () => (way === 'sync' ? value : Promise.resolve(value))
            const manager = createManager(server, { [maker]: maker_ })
            if (isGood) {
              const secrets = await manager.makeUserSecrets('alice')
              expect(Object.values(secrets)).to.include(value)
              const tokens = await manager.fetchAccessToken(await startLogin(manager))
              expect(tokens.accessToken).to.equal(server.issued[0]!.accessToken)
              return
            }
            const error = await rejection(manager.makeUserSecrets('alice'))
            expect(error).to.include({ code: 'configuration' })
            expect(error.message).to.include(`${maker}()`)
            expect(manager.kept.size).to.equal(0)
          })

    it('a state that is the code verifier is refused: it would be in URLs', async () => {
      const same = () => 'x'.repeat(43)
      const manager = createManager(server, { createState: same, createCodeVerifier: same })
      expect(await rejection(manager.makeUserSecrets('alice'))).to.include({
        code: 'configuration',
      })
    })
  })

  describe('getAuthorizationUrl(user, overrides)', () => {
    it('is an authorization request with PKCE for the stored secrets (RFC 7636 section 4.3)', async () => {
      const manager = createManager(server, { authorizationParams: { prompt: 'consent' } })
      const { state, codeChallenge } = await manager.makeUserSecrets('alice')
      const url = new URL(await manager.getAuthorizationUrl('alice'))
      expect(url.origin + url.pathname).to.equal(`${server.issuer}/authorize`)
      expect(Object.fromEntries(url.searchParams)).to.deep.equal({
        response_type: 'code',
        client_id: 'test-client',
        redirect_uri: 'http://127.0.0.1:8000/callback',
        scope: 'read write',
        prompt: 'consent',
        state,
        code_challenge: codeChallenge,
        code_challenge_method: 'S256',
      })
    })

    it('makes secrets if none are stored', async () => {
      const manager = createManager(server)
      const url = new URL(await manager.getAuthorizationUrl('alice'))
      expect(url.searchParams.get('state')).to.equal(manager.kept.get('alice')!.state)
    })

    it('scope and parameters for one login', async () => {
      const manager = createManager(server, {
        authorizationParams: { prompt: 'consent', ui_locales: 'fi' },
      })
      const { searchParams } = new URL(
        await manager.getAuthorizationUrl('alice', {
          scope: ['api'],
          authorizationParams: { prompt: 'login', login_hint: 'alice' },
        }),
      )
      const { scope, prompt, ui_locales, login_hint } = Object.fromEntries(searchParams)
      expect([scope, prompt, ui_locales, login_hint]).to.deep.equal(['api', 'login', 'fi', 'alice'])
    })

    const refused: [overrides: unknown, named: RegExp][] = [
      [null, /overrides/],
      ['read', /overrides/],
      [{ scopes: 'read' }, /Did you mean "scope"/],
      [{ scope: 5 }, /"scope"/],
      [{ scope: 'openid' }, /'openid'/],
      [{ authorizationParams: { state: 'mine' } }, /"authorizationParams\.state"/],
      [{ authorizationParams: { code_challenge: 'mine' } }, /code_challenge/],
      [{ authorizationParams: { prompt: 1 } }, /"authorizationParams\.prompt"/],
      [{ authorizationParams: { max_age: '60' } }, /max_age/],
    ]
    for (const [overrides, named] of refused)
      it(`${inspect(overrides)} is refused`, async () => {
        // The metadata by hand are complete, so that OpenID Connect would be possible.
        const manager = createManager(server, { rootUrl: '', server: server.metadata })
        Object.assign(manager, { server: byHand(server) })
        const error = await rejection(manager.getAuthorizationUrl('alice', overrides as never))
        expect(error).to.include({ code: 'configuration' })
        expect(error.message).to.match(named)
      })
  })

  describe('fetchAccessToken({ user, state, code })', () => {
    it('sends the code with verifier, redirect URI and client authentication; gives the tokens', async () => {
      const manager = createManager(server)
      const login = await startLogin(manager)
      const { codeVerifier } = manager.kept.get('alice')!
      const before = Date.now()
      const tokens = await manager.fetchAccessToken(login)
      const [issued] = server.issued
      expect(tokens.accessToken).to.equal(issued!.accessToken)
      expect(tokens.refreshToken).to.equal(issued!.refreshToken)
      expect(tokens).to.include({ tokenType: 'bearer' })
      expect(tokens.scope).to.deep.equal(['read', 'write'])
      expect(Number(tokens.expiresAt)).to.be.within(before + 3_599_000, Date.now() + 3_600_000)
      expect(tokens).not.to.have.any.keys('claims', 'idToken')
      const { body, headers } = await server.received('token')
      expect(Object.fromEntries(body)).to.deep.equal({
        grant_type: 'authorization_code',
        code: login.code,
        code_verifier: codeVerifier,
        redirect_uri: 'http://127.0.0.1:8000/callback',
      })
      expect(headers.authorization).to.match(/^Basic /)
    })

    it('without refresh token, expiry and scope there are none', async () => {
      server.misbehave('token', {
        tokenResponse: ({ access_token }) => ({ access_token, token_type: 'bearer' }),
      })
      const manager = createManager(server)
      const tokens = await manager.fetchAccessToken(await startLogin(manager))
      expect(tokens).not.to.have.any.keys('refreshToken', 'expiresAt', 'scope')
      expect(tokens.refreshToken).to.equal(undefined)
    })

    describe('scope is what the server says (RFC 6749 sections 3.3, 5.1 and 6)', () => {
      const cases: [said: unknown, scope: string[] | undefined][] = [
        [undefined, undefined],
        ['', []],
        ['read', ['read']],
        ['api write', ['api', 'write']],
      ]
      for (const [said, scope] of cases)
        for (const overrides of [undefined, { scope: 'read' }])
          it(`${inspect(said)}, asked by ${inspect(overrides ?? 'attribute')}: ${inspect(scope)}`, async () => {
            server.misbehave('token', { tokenResponse: (usual) => ({ ...usual, scope: said }) })
            const manager = createManager(server)
            const tokens = await manager.fetchAccessToken(
              await startLogin(manager, 'alice', overrides),
            )
            const fresh = await manager.refresh(tokens.refreshToken!)
            for (const each of [tokens, fresh]) {
              expect(each.scope).to.deep.equal(scope)
              expect('scope' in each).to.equal(scope !== undefined)
            }
          })
    })

    describe('a StateForgeryError before anything is sent', () => {
      const cases: [what: string, state: (own: string, bobs: string) => unknown][] = [
        ['a state that nobody made', () => 's'.repeat(43)],
        ['the state of another user', (_own, bobs) => bobs],
        ['its beginning', (own) => own.slice(0, -1)],
        ['one character more', (own) => `${own}x`],
        ['another case', (own) => own.toLowerCase() + own.toUpperCase()],
        ['an empty state', () => ''],
        ['no state', () => undefined],
        ['null, as URLSearchParams gives it', () => null],
        ['an array, as Express gives it', (own) => [own]],
        ['3,000 characters', () => 's'.repeat(3_000)],
      ]
      for (const [what, stateOf] of cases)
        it(what, async () => {
          const manager = createOpenIdManager(server)
          const { state } = await manager.makeUserSecrets('alice')
          const { state: bobs } = await manager.makeUserSecrets('bob')
          const answer = { user: 'alice', state: stateOf(state, bobs) as string, code: 'code' }
          const error = await rejection(manager.fetchAccessToken(answer))
          expect(error).to.be.instanceOf(StateForgeryError)
          expect(error).to.include({ code: 'login_not_found', status: 400 })
          expect(server.requests, 'requests').to.be.empty
          // The login itself can still be finished.
          expect(manager.kept.get('alice')!.state).to.equal(state)
        })

      it('a user who has started nothing', async () => {
        const manager = createManager(server)
        const answer = { user: 'carol', state: 's'.repeat(43), code: 'code' }
        expect(await rejection(manager.fetchAccessToken(answer))).to.be.instanceOf(
          StateForgeryError,
        )
      })

      it('an empty state when an empty one is stored', async () => {
        const manager = createManager(server, { checkUserState: () => true })
        manager.kept.set('alice', { state: '', codeVerifier: '', codeChallenge: '' })
        for (const state of ['', undefined])
          expect(
            await rejection(manager.fetchAccessToken({ user: 'alice', state, code: 'code' })),
          ).to.be.instanceOf(StateForgeryError)
      })

      it('a repetition after success', async () => {
        const manager = createManager(server)
        const login = await startLogin(manager)
        await manager.fetchAccessToken(login)
        expect(await rejection(manager.fetchAccessToken(login))).to.be.instanceOf(StateForgeryError)
        expect(server.count('token')).to.equal(1)
      })

      it('a repetition after a refusal', async () => {
        const manager = createManager(server)
        const login = { ...(await startLogin(manager)), code: 'another' }
        expect(await rejection(manager.fetchAccessToken(login))).to.include({
          code: 'code_rejected',
        })
        expect(await rejection(manager.fetchAccessToken(login))).to.be.instanceOf(StateForgeryError)
        expect(server.count('token')).to.equal(1)
      })

      it('P3: of twenty answers at once, one is sent', async () => {
        const manager = createManager(server)
        const slow = manager.storeUserSecrets.bind(manager)
        Object.assign(manager, {
          async storeUserSecrets(user: string, secrets: UserSecrets) {
            await new Promise(setImmediate)
            slow(user, secrets)
          },
        })
        const login = await startLogin(manager)
        const outcomes = await Promise.allSettled(
          Array.from({ length: 20 }, () => manager.fetchAccessToken(login)),
        )
        const failures = outcomes.filter((outcome) => outcome.status === 'rejected')
        expect(failures).to.have.length(19)
        for (const { reason } of failures) expect(reason).to.be.instanceOf(StateForgeryError)
        expect(server.count('token')).to.equal(1)
      })

      it('another process that was quicker: forgetUserSecrets() gives false', async () => {
        const manager = createManager(server, { forgetUserSecrets: () => Promise.resolve(false) })
        const login = await startLogin(manager)
        expect(await rejection(manager.fetchAccessToken(login))).to.be.instanceOf(StateForgeryError)
        expect(server.count('token')).to.equal(0)
      })

      for (const verdict of [false, undefined, 0, 1, 'yes', {}])
        it(`checkUserState() gives ${inspect(verdict)}`, async () => {
          const manager = createManager(server, { checkUserState: () => verdict })
          const login = await startLogin(manager)
          const error = await rejection(manager.fetchAccessToken(login))
          expect(error).to.be.instanceOf(StateForgeryError)
          expect(server.count('token')).to.equal(0)
        })
    })

    describe('checkUserState(user, state), inherited', () => {
      const full = 's'.repeat(43)
      const cases: [stored: unknown, given: unknown, isSame: boolean][] = [
        [full, full, true],
        [full, `${full}s`, false],
        [full, '', false],
        ['', '', false],
        ['', full, false],
        [undefined, undefined, false],
        [null, null, false],
        [undefined, '', false],
        [undefined, 'undefined', false],
        [5, 5, false],
      ]
      for (const [stored, given, isSame] of cases)
        it(`${inspect(stored)} and ${inspect(given)}: ${isSame}`, async () => {
          for (const retrieved of [stored, Promise.resolve(stored)]) {
            const manager = createManager(server, { retrieveUserState: () => retrieved })
            expect(await manager.checkUserState('alice', given as string)).to.equal(isSame)
          }
        })
    })

    it('the secrets are forgotten before the token request: by default empty ones are stored', async () => {
      const manager = createManager(server)
      const login = await startLogin(manager)
      manager.calls.length = 0
      let kept: UserSecrets | undefined
      server.misbehave('token', {
        tokenResponse: (response) => {
          kept = manager.kept.get('alice')
          return response
        },
      })
      await manager.fetchAccessToken(login)
      expect(kept).to.deep.equal({ state: '', codeVerifier: '', codeChallenge: '' })
      expect(manager.calls.at(-1)).to.equal('storeUserSecrets')
    })

    it('a forgetUserSecrets() of its own is called in its place', async () => {
      const forgotten: string[] = []
      const manager = createManager(server, {
        forgetUserSecrets(this: MemoryManager, user: string) {
          forgotten.push(user)
          this.kept.delete(user)
        },
      })
      await manager.fetchAccessToken(await startLogin(manager))
      expect(forgotten).to.deep.equal(['alice'])
    })

    it('two logins of one user: the last one wins', async () => {
      const manager = createManager(server)
      const first = await startLogin(manager)
      const second = await startLogin(manager)
      expect(await rejection(manager.fetchAccessToken(first))).to.be.instanceOf(StateForgeryError)
      expect(await manager.fetchAccessToken(second)).to.have.property('tokenType', 'bearer')
    })

    it('P16: two users at once get their own tokens', async () => {
      const manager = createManager(server)
      const alice = await startLogin(manager, 'alice')
      server.authorizeAs('bob')
      const bob = await startLogin(manager, 'bob')
      const [bobs, alices] = await Promise.all([
        manager.fetchAccessToken(bob),
        manager.fetchAccessToken(alice),
      ])
      const subjectOf = (token: string) =>
        server.issued.find(({ accessToken }) => accessToken === token)!.sub
      expect([subjectOf(alices.accessToken), subjectOf(bobs.accessToken)]).to.deep.equal([
        'alice',
        'bob',
      ])
    })

    describe('PKCE (RFC 7636 section 4.6): the challenge is computed from the verifier', () => {
      const spoilt: [what: string, secrets: (own: UserSecrets) => Partial<UserSecrets>][] = [
        ['the verifier as challenge (plain)', (own) => ({ codeChallenge: own.codeVerifier })],
        ['another challenge', () => ({ codeChallenge: s256('another') })],
        ['an empty challenge', () => ({ codeChallenge: '' })],
        ['no challenge', () => ({ codeChallenge: undefined as never })],
        ['another verifier', () => ({ codeVerifier: 'v'.repeat(43) })],
        ['no verifier', () => ({ codeVerifier: '' })],
        ['a verifier that is cut', (own) => ({ codeVerifier: own.codeVerifier.slice(0, 42) })],
      ]
      for (const [what, change] of spoilt)
        it(`P4: ${what} is an error, for the URL and for the token request`, async () => {
          const manager = createManager(server)
          const login = await startLogin(manager)
          const own = manager.kept.get('alice')!
          manager.kept.set('alice', { ...own, ...change(own) })
          for (const work of [
            () => manager.getAuthorizationUrl('alice'),
            () => manager.fetchAccessToken(login),
          ])
            expect(await rejection(work())).to.include({ code: 'login_interrupted' })
          expect(server.count('token')).to.equal(0)
        })
    })

    describe('answers that no server could have sent leave the login as it is', () => {
      for (const code of ['', undefined, null, ['code'], 'a\nb', 'c'.repeat(8_193)])
        it(`a code of ${inspect(code).slice(0, 20)}`, async () => {
          const manager = createManager(server)
          const login = await startLogin(manager)
          const error = await rejection(
            manager.fetchAccessToken({ ...login, code: code as string }),
          )
          expect(error).to.include({ code: 'invalid_callback', status: 400 })
          expect(server.count('token')).to.equal(0)
          await manager.fetchAccessToken(login)
        })
    })

    describe('iss (RFC 9207)', () => {
      const cases: [what: string, iss: object, code?: PkceFlowErrorCode][] = [
        ['not passed', {}],
        ['another issuer', { iss: 'https://other.example' }, 'issuer_mismatch'],
        ['an empty one', { iss: '' }, 'issuer_mismatch'],
        ['none, which the server announces', { iss: null }, 'issuer_mismatch'],
        ['undefined, which is none', { iss: undefined }, 'issuer_mismatch'],
      ]
      for (const [what, given, code] of cases)
        it(`${what}: ${code ?? 'tokens'}`, async () => {
          const manager = createOpenIdManager(server)
          const { iss, ...login } = await startLogin(manager)
          if (code === undefined) {
            await manager.fetchAccessToken({ ...login, ...given })
            return
          }
          expect(await rejection(manager.fetchAccessToken({ ...login, ...given }))).to.include({
            code,
          })
          expect(server.count('token')).to.equal(0)
          await manager.fetchAccessToken({ ...login, iss })
        })

      it('with rootUrl, which says nothing about it, anything is accepted', async () => {
        const manager = createManager(server)
        await manager.fetchAccessToken(await startLogin(manager))
        await manager.fetchAccessToken({ ...(await startLogin(manager)), iss: null })
      })
    })
  })

  describe('rootUrl and the paths below it', () => {
    for (const end of ['', '/'])
      it(`with '${end}' at its end`, async () => {
        const manager = createManager(server, { rootUrl: `${server.issuer}${end}` })
        const tokens = await manager.fetchAccessToken(await startLogin(manager))
        await manager.revoke(tokens.accessToken)
        const paths = server.requests.map(({ path }) => path)
        expect(paths).to.deep.equal(['/oauth/authorize', '/oauth/token', '/oauth/revoke'])
      })

    it('other paths', async () => {
      const manager = createManager(server, {
        rootUrl: server.origin,
        authorizationPath: 'oauth/authorize',
        tokenPath: '/oauth/token',
        revocationPath: 'oauth/revoke',
      })
      const tokens = await manager.fetchAccessToken(await startLogin(manager))
      await manager.revoke(tokens.refreshToken!)
      expect(server.issued[0]).to.include({ refreshable: false })
    })

    it('server, by hand or with a root URL, in its place', async () => {
      for (const where of [byHand(server), { rootUrl: server.issuer }]) {
        const manager = Object.assign(new MemoryManager(), { server: where })
        await manager.fetchAccessToken(await startLogin(manager))
      }
      expect(server.count('discovery')).to.equal(0)
    })
  })

  describe('refresh(refreshToken)', () => {
    it('gives new tokens', async () => {
      const manager = createManager(server)
      const { refreshToken } = await manager.fetchAccessToken(await startLogin(manager))
      const fresh = await manager.refresh(refreshToken!)
      expect(fresh.accessToken).to.equal(server.issued[1]!.accessToken)
      expect(fresh.refreshToken).to.equal(server.issued[1]!.refreshToken)
      expect(fresh.scope).to.deep.equal(['read', 'write'])
    })

    it('keeps the refresh token if no new one comes (RFC 6749 section 6)', async () => {
      const manager = createManager(server)
      const { refreshToken } = await manager.fetchAccessToken(await startLogin(manager))
      server.misbehave('token', {
        tokenResponse: ({ refresh_token: _dropped, ...response }) => response,
      })
      expect((await manager.refresh(refreshToken!)).refreshToken).to.equal(refreshToken)
    })

    it('P8: calls at once with one refresh token make one request', async () => {
      const manager = createManager(server)
      const { refreshToken } = await manager.fetchAccessToken(await startLogin(manager))
      const all = await Promise.all(
        Array.from({ length: 10 }, () => manager.refresh(refreshToken!)),
      )
      expect(new Set(all.map(({ accessToken }) => accessToken)).size).to.equal(1)
      expect(server.count('token')).to.equal(2)
    })

    for (const refreshToken of ['unknown', '', undefined])
      it(`${inspect(refreshToken)} is reauthorization_required`, async () => {
        const error = await rejection(createManager(server).refresh(refreshToken as string))
        expect(error).to.include({ code: 'reauthorization_required', status: 401 })
      })
  })

  describe('revoke(token) (RFC 7009)', () => {
    it('ends an access token, or a refresh token with all that came by it', async () => {
      const manager = createManager(server)
      const first = await manager.fetchAccessToken(await startLogin(manager))
      await manager.revoke(first.accessToken)
      expect(server.issued[0]).to.include({ active: false, refreshable: true })
      await manager.revoke(first.refreshToken!)
      expect(server.issued[0]).to.include({ active: false, refreshable: false })
      const { body } = await server.received('revocation')
      expect(Object.fromEntries(body)).to.deep.equal({ token: first.accessToken })
    })

    it('an unknown token is no error (section 2.2)', () => createManager(server).revoke('unknown'))

    it('no token is an error', async () => {
      for (const token of ['', undefined])
        expect(await rejection(createManager(server).revoke(token as string))).to.include({
          code: 'configuration',
        })
    })

    it('a server without such an endpoint', async () => {
      const where = { ...byHand(server), revocation_endpoint: undefined }
      const manager = Object.assign(new MemoryManager(), { server: where })
      const error = await rejection(manager.revoke('token'))
      expect(error).to.include({ code: 'configuration' })
      expect(error.message).to.include('revocation_endpoint')
    })

    const refusals: [status: number, error: string | undefined, code: PkceFlowErrorCode][] = [
      [401, undefined, 'client_rejected'],
      [401, 'invalid_client', 'client_rejected'],
      [400, 'invalid_request', 'client_rejected'],
      [400, 'unsupported_token_type', 'invalid_server_response'],
      [404, undefined, 'invalid_server_response'],
      [302, undefined, 'invalid_server_response'],
      [500, undefined, 'server_unavailable'],
    ]
    for (const [status, error, code] of refusals)
      it(`${status} ${error ?? 'without an error'} is ${code}`, async () => {
        server.misbehave('revocation', { answer: { status, json: { error } } })
        const thrown = await rejection(createManager(server).revoke('token'))
        expect(thrown).to.include({ code, serverStatus: status })
        expect(server.count('revocation')).to.equal(1)
      })
  })
})

/** Metadata with the members that the package knows. */
function byHand(server: TestAuthorizationServer) {
  const { issuer, authorization_endpoint, token_endpoint, jwks_uri, revocation_endpoint } =
    server.metadata
  return { issuer, authorization_endpoint, token_endpoint, jwks_uri, revocation_endpoint }
}
