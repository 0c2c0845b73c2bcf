import { inspect } from 'node:util'
import { expect } from 'chai'
import { ClientSecretPost } from 'openid-client'
import { ConfigurationError, PkceFlowManager } from '../../src/index.ts'
import {
  createTestAuthorizationServer,
  type TestAuthorizationServer,
} from '../../src/testing/index.ts'
import { rejection } from '../support/rejection.ts'
import { createManager, MemoryManager, startLogin } from './memory-manager.ts'

const complete = {
  clientId: 'client',
  clientSecret: 'secret-of-the-client',
  redirectUri: 'https://app.example/callback',
  rootUrl: 'https://server.example/oauth/',
  scope: 'read',
}

const hooks = {
  storeUserSecrets: () => undefined,
  retrieveUserState: () => undefined,
  retrieveUserCodeVerifier: () => undefined,
  retrieveUserCodeChallenge: () => undefined,
}

/** A manager as JavaScript can make it. */
function make(members: object): PkceFlowManager<string> {
  class GitLabManager extends (PkceFlowManager as unknown as new () => object) {}
  const manager: unknown = Object.assign(new GitLabManager(), members)
  return manager as PkceFlowManager<string>
}

const uses: [name: string, use: (manager: PkceFlowManager<string>) => Promise<unknown>][] = [
  ['makeUserSecrets', (manager) => manager.makeUserSecrets('alice')],
  ['getAuthorizationUrl', (manager) => manager.getAuthorizationUrl('alice')],
  [
    'fetchAccessToken',
    (manager) => manager.fetchAccessToken({ user: 'alice', state: 's', code: 'c' }),
  ],
  ['refresh', (manager) => manager.refresh('token')],
  ['revoke', (manager) => manager.revoke('token')],
]

describe('PkceFlowManager: attributes', () => {
  for (const [name, use] of uses)
    it(`P15: ${name}() names all that are missing, at first use`, async () => {
      const manager = make({})
      const error = await rejection(use(manager))
      expect(error).to.be.instanceOf(ConfigurationError)
      expect(error).to.include({ code: 'configuration', status: 500 })
      expect(error.message.split(':')[0]).to.equal(
        "GitLabManager lacks clientId, clientSecret, redirectUri, rootUrl (or issuer, or server), scope ('' " +
          'for none), storeUserSecrets, retrieveUserState, retrieveUserCodeVerifier, retrieveUserCodeChallenge',
      )
    })

  for (const name of [...Object.keys(complete), ...Object.keys(hooks)])
    for (const missing of name === 'scope' ? [undefined, null] : [undefined, null, ''])
      it(`P15: ${name} of ${inspect(missing)} is missing, and nothing else is`, async () => {
        const error = await rejection(
          make({ ...hooks, ...complete, [name]: missing }).makeUserSecrets('alice'),
        )
        expect(error.message).to.match(new RegExp(`^GitLabManager lacks ${name}( \\([^)]*\\))?:`))
      })

  it('are found wherever they are: fields, getters, the prototype; later than the constructor', async () => {
    class Fields extends MemoryManager {
      override clientId = 'test-client'
      override rootUrl = 'https://server.example/oauth'
    }
    class Getters extends MemoryManager {
      override get issuer() {
        return undefined
      }
      override get rootUrl() {
        return `https://server.example/${this.scope.toString()}`
      }
    }
    for (const [Kind, start] of [
      [Fields, 'https://server.example/oauth/authorize?'],
      [Getters, 'https://server.example/read%20write/authorize?'],
    ] as const)
      expect(await new Kind().getAuthorizationUrl('alice')).to.include(start)
  })

  it('what was missing at the first use can be there at the second', async () => {
    const manager = make({ ...hooks, ...complete, clientId: undefined })
    await rejection(manager.makeUserSecrets('alice'))
    await Object.assign(manager, { clientId: 'client' }).makeUserSecrets('alice')
  })

  const wrong: [what: object, named: string][] = [
    [{ clientId: 5 }, 'clientId'],
    [{ clientSecret: 5 }, 'clientSecret'],
    [{ clientAuth: 'client_secret_jwt' }, 'clientAuth'],
    [{ clientAuth: 'none' }, 'clientSecret'],
    [{ clientAuth: ClientSecretPost('x') }, 'clientSecret'],
    [{ redirectUri: '/callback' }, 'redirectUri'],
    [{ redirectUri: 'https://app.example/callback?x=1' }, 'redirectUri'],
    [{ redirectUri: 'http://app.example/callback' }, 'redirectUri'],
    [{ rootUrl: 'server.example' }, 'rootUrl'],
    [{ rootUrl: 'http://server.example' }, 'rootUrl'],
    [{ rootUrl: 'https://server.example/?tenant=1' }, 'rootUrl'],
    [{ issuer: 'https://server.example' }, 'rootUrl'],
    [{ server: {} }, 'rootUrl'],
    [{ rootUrl: '', issuer: 'server.example' }, 'issuer'],
    [{ rootUrl: '', server: { token_endpoint: 'https://server.example/token' } }, 'server'],
    [{ rootUrl: '', server: { rootUrl: 'http://server.example' } }, 'server.rootUrl'],
    [{ authorizationPath: '' }, 'authorizationPath'],
    [{ tokenPath: 5 }, 'tokenPath'],
    [{ revocationPath: '' }, 'revocationPath'],
    [{ scope: 5 }, 'scope'],
    [{ scope: ['two words'] }, 'scope'],
    [{ scope: 'openid' }, 'server'],
    [{ authorizationParams: { state: 'x' } }, 'authorizationParams.state'],
    [{ timeout: 5 }, 'timeout'],
    [{ clockTolerance: -1 }, 'clockTolerance'],
    [{ agent: {} }, 'agent'],
  ]
  for (const [members, named] of wrong)
    it(`P15: ${inspect(members)} is refused, by the names of the class and of the attribute`, async () => {
      const error = await rejection(make({ ...hooks, ...complete, ...members }).refresh('token'))
      expect(error).to.be.instanceOf(ConfigurationError)
      expect(error.message).to.match(/^GitLabManager: Option "/)
      expect(error.message).to.include(`"${named}"`)
      expect(error.message).not.to.include(complete.clientSecret)
    })

  describe('client authentication (RFC 6749 section 2.3)', () => {
    let server: TestAuthorizationServer

    before(async () => {
      const clients = [
        { clientId: 'test-client', clientSecret: 'test-client-secret' },
        { clientId: 'public-client' },
      ]
      server = await createTestAuthorizationServer({ clients })
    })

    after(() => server.close())

    const ways: [what: string, members: object][] = [
      ['client_secret_basic', {}],
      ['client_secret_post', { clientAuth: 'client_secret_post' }],
      ['none', { clientAuth: 'none', clientId: 'public-client', clientSecret: undefined }],
      [
        'a function of openid-client',
        { clientAuth: ClientSecretPost('test-client-secret'), clientSecret: undefined },
      ],
    ]
    for (const [what, members] of ways)
      it(what, async () => {
        const manager = createManager(server, members)
        await manager.revoke(
          (await manager.fetchAccessToken(await startLogin(manager))).accessToken,
        )
      })
  })
})
