import { format, inspect } from 'node:util'
import { expect } from 'chai'
import type { TokenResponse } from '../../src/index.ts'
import {
  createTestAuthorizationServer,
  type Misbehaviour,
  type TestAuthorizationServer,
} from '../../src/testing/index.ts'
import { everythingIn } from '../support/everything-in.ts'
import { printedBy } from '../support/output.ts'
import { rejection } from '../support/rejection.ts'
import { createOpenIdManager, type MemoryManager, startLogin } from './memory-manager.ts'

describe('P7: PkceFlowManager shows no secret', () => {
  let server: TestAuthorizationServer
  let manager: MemoryManager

  beforeEach(async () => {
    server = await createTestAuthorizationServer()
    manager = createOpenIdManager(server)
  })

  afterEach(() => server.close())

  function expectNoSecret(shown: string, more: string[] = []) {
    const stored = [...manager.kept.values()].flatMap(({ state, codeVerifier }) => [
      state,
      codeVerifier,
    ])
    const secrets = [...server.secrets, ...stored, ...more].filter(Boolean)
    expect(secrets).to.have.length.above(2)
    for (const secret of secrets)
      for (const form of [secret, encodeURIComponent(secret), btoa(secret)])
        expect(shown.includes(form), `${secret.slice(0, 6)}… in ${shown}`).to.equal(false)
  }

  describe('the token endpoint response', () => {
    const views: [title: string, of: (tokens: TokenResponse) => string][] = [
      ['util.inspect', (tokens) => inspect(tokens, { depth: Infinity })],
      ['util.inspect with showHidden', (tokens) => inspect(tokens, { showHidden: true })],
      ['util.inspect with getters', (tokens) => inspect(tokens, { getters: true })],
      ['JSON.stringify', (tokens) => JSON.stringify(tokens)],
      ['a spread', (tokens) => inspect({ ...tokens }, { getters: true })],
      ['Object.entries', (tokens) => inspect(Object.entries(tokens))],
      ['structuredClone', (tokens) => inspect(structuredClone(tokens))],
      ['a template string', (tokens) => format('%s %o', tokens, tokens)],
    ]
    for (const [title, of] of views)
      it(`P7: ${title}, of a login and of a refresh`, async () => {
        const tokens = await manager.fetchAccessToken(await startLogin(manager))
        const fresh = await manager.refresh(tokens.refreshToken!)
        for (const each of [tokens, fresh]) {
          expect(each.accessToken).to.be.a('string')
          expect(each.refreshToken).to.be.a('string')
          expectNoSecret(of(each))
        }
        expect(of(tokens)).to.match(/bearer|Object/)
      })
  })

  it('P7: the manager itself, which holds the client secret and users’ secrets', async () => {
    await startLogin(manager)
    for (const shown of [inspect(manager, { depth: Infinity }), JSON.stringify({ manager })]) {
      expectNoSecret(shown)
      expect(shown).to.include('test-client')
    }
    expect(inspect(manager)).to.match(/^MemoryManager \{/)
  })

  const faults: [what: string, misbehaviour: Misbehaviour][] = [
    [
      'an error description with the tokens',
      {
        endpoint: 'token',
        fault: {
          tokenResponse: (usual) => ({
            ...usual,
            error: 'invalid_grant',
            error_description: JSON.stringify(usual),
          }),
        },
      },
    ],
    [
      'an error that is a token',
      {
        endpoint: 'token',
        fault: { tokenResponse: ({ access_token }) => ({ error: access_token }) },
      },
    ],
    [
      'an ID Token that is no JWT',
      {
        endpoint: 'token',
        fault: { tokenResponse: (usual) => ({ ...usual, id_token: usual.access_token }) },
      },
    ],
    [
      'a claim that is secret',
      {
        endpoint: 'token',
        fault: { idToken: { claims: (all) => ({ ...all, aud: { secret: all.nonce } }) } },
      },
    ],
    ['a wrong signature', { endpoint: 'token', fault: { idToken: { sign: 'wrong-key' } } }],
    ['a reset in the middle of the tokens', { endpoint: 'token', fault: { reset: 'mid-body' } }],
    [
      'a token response in an array',
      { endpoint: 'token', fault: { tokenResponse: (usual) => [usual] } },
    ],
    [
      'a page with the client secret',
      { endpoint: 'token', fault: { answer: { status: 401, body: 'test-client-secret' } } },
    ],
  ]
  for (const [what, misbehaviour] of faults)
    it(`P7: the error about ${what}, at any depth, and nothing is printed`, async () => {
      const login = await startLogin(manager)
      server.misbehave([misbehaviour])
      const printed = await printedBy(async () => {
        const error = await rejection(manager.fetchAccessToken(login))
        expectNoSecret(everythingIn(error), [login.code, login.state])
      })
      expect(printed).to.equal('')
    })

  it('P7: errors of refresh() and revoke()', async () => {
    const { refreshToken = '' } = await manager.fetchAccessToken(await startLogin(manager))
    for (const status of [400, 401, 404, 500]) {
      const json = { error: refreshToken, error_description: refreshToken }
      server.misbehave('any', { answer: { status, json } })
      for (const request of ['refresh', 'revoke'] as const)
        expectNoSecret(everythingIn(await rejection(manager[request](refreshToken))))
      server.behave()
    }
  })

  it('P7: errors about states that are foreign, and secrets that do not fit', async () => {
    const login = await startLogin(manager)
    const state = `${login.state}x`
    const foreign = await rejection(manager.fetchAccessToken({ ...login, state }))
    expectNoSecret(everythingIn(foreign), [login.code])
    manager.kept.set('alice', { ...manager.kept.get('alice')!, codeChallenge: 'c'.repeat(43) })
    const spoilt = await rejection(manager.fetchAccessToken(login))
    expectNoSecret(everythingIn(spoilt), [login.code, 'c'.repeat(43)])
  })

  describe('a hook whose error holds what it was given is store_unavailable', () => {
    const names = [
      'storeUserSecrets',
      'retrieveUserState',
      'retrieveUserCodeVerifier',
      'retrieveUserCodeChallenge',
      'checkUserState',
      'forgetUserSecrets',
    ] as const
    for (const name of names)
      for (const way of ['throws', 'rejects'])
        it(`P7: ${name}() ${way}`, async () => {
          const login = await startLogin(manager)
          const { codeVerifier } = manager.kept.get('alice')!
          const failure = Object.assign(
            new Error(`INSERT '${codeVerifier}', "${login.state}": ${login.code}`),
            { parameters: [codeVerifier, login.state], code: 'ETIMEDOUT' },
          )
          const hook = () => {
            if (way === 'throws') throw failure
            return Promise.reject(failure)
          }
          Object.assign(manager, { [name]: hook })
          const error = await rejection(
            name === 'storeUserSecrets'
              ? manager.makeUserSecrets('alice')
              : name === 'retrieveUserState'
                ? manager.getAuthorizationUrl('alice')
                : manager.fetchAccessToken(login),
          )
          expect(error).to.include({ code: 'store_unavailable', status: 503 })
          expect(error.message).to.include(`${name}()`)
          expect(error.cause).to.include({ code: 'ETIMEDOUT' })
          expectNoSecret(everythingIn(error), [login.code])
          expect(server.count('token')).to.equal(0)
        })
  })
})
