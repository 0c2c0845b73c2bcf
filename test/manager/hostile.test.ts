import { format, inspect } from 'node:util'
import { mock } from 'node:test'
import { expect } from 'chai'
import {
  ConfigurationError,
  PkceFlowManager,
  StateForgeryError,
  type UserSecrets,
} from '../../src/index.ts'
import {
  createTestAuthorizationServer,
  type TestAuthorizationServer,
} from '../../src/testing/index.ts'
import { everythingIn } from '../support/everything-in.ts'
import { rejection } from '../support/rejection.ts'
import { createManager, MemoryManager, startLogin } from './memory-manager.ts'

describe('PkceFlowManager: used wrongly', () => {
  let server: TestAuthorizationServer

  beforeEach(async () => {
    server = await createTestAuthorizationServer()
  })

  afterEach(() => {
    mock.timers.reset()
    return server.close()
  })

  describe('states and codes', () => {
    for (const state of ['__proto__', 'constructor', 'toString', 'hasOwnProperty'])
      it(`the state ${state} is foreign`, async () => {
        const manager = createManager(server)
        await manager.makeUserSecrets('alice')
        for (const user of ['alice', '__proto__', 'constructor'])
          expect(
            await rejection(manager.fetchAccessToken({ user, state, code: 'code' })),
          ).to.be.instanceOf(StateForgeryError)
        expect(server.requests).to.have.length(0)
      })

    it('a user without a name of its own is handed to the hooks as it is', async () => {
      const manager = createManager(server)
      const login = await startLogin(manager, '__proto__')
      expect(await manager.fetchAccessToken(login)).to.have.property('accessToken')
    })

    for (const answer of [undefined, null, 'alice', {}, { state: 's', code: 'c' }, []])
      it(`fetchAccessToken(${inspect(answer)}) says what it takes`, async () => {
        const error = await rejection(createManager(server).fetchAccessToken(answer as never))
        expect(error).to.be.instanceOf(ConfigurationError)
        expect(error.message).to.include('{ user, state, code, iss }')
      })
  })

  describe('tokens that are no text are not sent', () => {
    for (const token of [5, {}, ['token'], true])
      for (const request of ['refresh', 'revoke'] as const)
        it(`${request}(${inspect(token)})`, async () => {
          const error = await rejection(createManager(server)[request](token as never))
          expect(error).to.be.instanceOf(ConfigurationError)
          expect(server.requests).to.have.length(0)
        })
  })

  describe('hooks that hang are given up after five seconds', () => {
    const uses: [name: string, use: (manager: MemoryManager) => Promise<unknown>][] = [
      ['createState', (manager) => manager.makeUserSecrets('alice')],
      ['createCodeVerifier', (manager) => manager.makeUserSecrets('alice')],
      ['storeUserSecrets', (manager) => manager.makeUserSecrets('alice')],
      ['retrieveUserState', (manager) => manager.getAuthorizationUrl('alice')],
      ['retrieveUserCodeVerifier', (manager) => manager.getAuthorizationUrl('alice')],
      ['retrieveUserCodeChallenge', finish],
      ['checkUserState', finish],
      ['forgetUserSecrets', finish],
    ]

    function finish(manager: MemoryManager) {
      const { state } = manager.kept.get('alice')!
      return manager.fetchAccessToken({ user: 'alice', state, code: 'code' })
    }

    for (const [name, use] of uses)
      it(name, async () => {
        const manager = createManager(server)
        await manager.makeUserSecrets('alice')
        let reached: () => void
        const isReached = new Promise<void>((resolve) => (reached = resolve))
        const hang = () => {
          reached()
          return new Promise(() => {})
        }
        mock.timers.enable({ apis: ['setTimeout'] })
        const outcome = rejection(use(Object.assign(manager, { [name]: hang })))
        await isReached
        mock.timers.tick(5_000)
        const error = await outcome
        expect(error).to.include({ code: 'store_unavailable', status: 503 })
        expect(error.message).to.include(`${name}()`)
        expect(server.count('token')).to.equal(0)
      })
  })

  describe('makers that throw', () => {
    for (const name of ['createState', 'createCodeVerifier'])
      it(`P7: ${name}(), and what it made is not shown`, async () => {
        const secret = 'm'.repeat(43)
        const fail = () => {
          throw new Error(`no entropy after ${secret}`)
        }
        const manager = createManager(server, { [name]: fail })
        const error = await rejection(manager.makeUserSecrets('alice'))
        expect(error).to.include({ code: 'store_unavailable' })
        expect(everythingIn(error)).not.to.include(secret)
      })
  })

  describe('hooks that give what is no secret', () => {
    for (const stored of [5, true, {}, ['s'.repeat(43)], Buffer.alloc(43), 'short', 'ä'.repeat(43)])
      it(`a state of ${inspect(stored)} makes no URL`, async () => {
        const manager = createManager(server)
        await manager.makeUserSecrets('alice')
        Object.assign(manager, { retrieveUserState: () => stored })
        const error = await rejection(manager.getAuthorizationUrl('alice'))
        expect(error).to.include({ code: 'login_interrupted' })
        expect(error.message).to.include('retrieveUserState()')
      })

    for (const [verdict, isGone] of [
      [false, true],
      [0, true],
      [null, true],
      ['', true],
      [true, false],
      [undefined, false],
      [1, false],
      [{ rows: 0 }, false],
    ] as const)
      it(`forgetUserSecrets() gives ${inspect(verdict)}: ${isGone ? 'gone already' : 'forgotten'}`, async () => {
        const manager = createManager(server, { forgetUserSecrets: () => verdict })
        const login = await startLogin(manager)
        const [outcome] = await Promise.allSettled([manager.fetchAccessToken(login)])
        expect(outcome.status).to.equal(isGone ? 'rejected' : 'fulfilled')
        expect(server.count('token')).to.equal(isGone ? 0 : 1)
      })

    it('secrets that a hook keeps and changes are those of one user only', async () => {
      const rows: Record<string, UserSecrets> = {}
      const manager = createManager(server, {
        storeUserSecrets(this: MemoryManager, user: string, secrets: UserSecrets) {
          rows[user] = Object.assign(secrets, { user })
          this.kept.set(user, secrets)
        },
      })
      for (const user of ['alice', 'bob'])
        await manager.fetchAccessToken(await startLogin(manager, user))
      expect(rows).to.deep.equal({
        alice: { user: 'alice', state: '', codeVerifier: '', codeChallenge: '' },
        bob: { user: 'bob', state: '', codeVerifier: '', codeChallenge: '' },
      })
    })
  })

  describe('classes', () => {
    it('P15: getters are read once, and all before anything is checked', async () => {
      let reads = 0
      class Counting extends MemoryManager {
        override get rootUrl() {
          reads += 1
          return reads === 1 ? `${server.issuer}/` : undefined
        }
      }
      await new Counting().makeUserSecrets('alice')
      expect(reads).to.equal(1)
    })

    it('P15: a getter that throws is named, and what it threw is not shown', async () => {
      const secret = 'c'.repeat(30)
      class Failing extends MemoryManager {
        override get rootUrl(): string {
          throw new Error(`no such key ${secret}`)
        }
      }
      const error = await rejection(new Failing().makeUserSecrets('alice'))
      expect(error).to.be.instanceOf(ConfigurationError)
      expect(error.message).to.include('Failing').and.include('"rootUrl"')
      expect(everythingIn(error)).not.to.include(secret)
    })

    it('P15: so is a member of an attribute', async () => {
      const failing = {
        get token_endpoint(): string {
          throw new Error('not here')
        },
      }
      const manager = Object.assign(new MemoryManager(), { server: failing })
      const error = await rejection(manager.makeUserSecrets('alice'))
      expect(error).to.be.instanceOf(ConfigurationError)
      expect(error.message).to.equal('MemoryManager: An attribute cannot be read.')
    })

    it('attributes as private fields behind getters, and a class without a name', async () => {
      const make = () =>
        new (class extends MemoryManager {
          readonly #secret = 'test-client-secret'
          readonly #root = `${server.issuer}/`
          override get rootUrl() {
            return this.#root
          }
          secret() {
            return this.#secret
          }
        })()
      const manager = make()
      const tokens = await manager.fetchAccessToken(await startLogin(manager))
      expect(tokens.accessToken).to.equal(server.issued[0]!.accessToken)
      const unfinished = Object.assign(make(), { clientId: '' })
      const error = await rejection(unfinished.makeUserSecrets('alice'))
      expect(error.message).to.match(/^PkceFlowManager lacks clientId:/)
    })

    const misspelt: [given: string, meant: string][] = [
      ['forgetUserSecret', 'forgetUserSecrets'],
      ['checkUserstate', 'checkUserState'],
      ['createCodeverifier', 'createCodeVerifier'],
      ['create_state', 'createState'],
      ['authorizationParam', 'authorizationParams'],
      ['tokenpath', 'tokenPath'],
      ['timeOut', 'timeout'],
    ]
    for (const [given, meant] of misspelt)
      it(`P15: ${given} is refused as a misspelt ${meant}`, async () => {
        const manager = createManager(server, { [given]: () => 'secret-value' })
        const error = await rejection(manager.makeUserSecrets('alice'))
        expect(error).to.be.instanceOf(ConfigurationError)
        expect(error.message).to.include(`Is "${given}" meant to be "${meant}"?`)
        expect(error.message).not.to.include('secret-value')
      })

    it('P15: a misspelt hook is named beside all that are missing', async () => {
      class Plain extends (PkceFlowManager as unknown as new () => object) {
        storeUserSecret() {
          return undefined
        }
      }
      const plain: unknown = new Plain()
      const { message } = await rejection((plain as MemoryManager).makeUserSecrets('alice'))
      expect(message).to.include('Plain lacks clientId, clientSecret, redirectUri')
      expect(message).to.include('Is "storeUserSecret" meant to be "storeUserSecrets"?')
    })

    it('other members are the class’s own: plurals, and names beside the right one', async () => {
      const members = { scopes: [], servers: [], agents: [], clientID: 1, createstate: 1 }
      const createState = () => 's'.repeat(43)
      await createManager(server, { ...members, createState }).makeUserSecrets('alice')
    })
  })

  it('P7: however a manager is printed, it shows no secret of client or users', async () => {
    const manager = createManager(server)
    await startLogin(manager)
    const { state, codeVerifier } = manager.kept.get('alice')!
    const shown = [
      inspect(manager, { depth: Infinity, showHidden: true, getters: true }),
      inspect({ deep: { inside: [manager] } }, { depth: Infinity, showHidden: true }),
      JSON.stringify({ manager }),
      // oxlint-disable-next-line typescript/no-base-to-string -- what it makes is looked at
      String(manager),
      format('%o %O %j %s', manager, manager, manager, manager),
    ].join('\n')
    for (const secret of ['test-client-secret', state, codeVerifier])
      expect(shown).not.to.include(secret)
  })

  for (const request of ['refresh', 'revoke'] as const)
    it(`${request}(): a server that stays busy is asked four times, in pauses that double`, async () => {
      const endpoint = request === 'refresh' ? 'token' : 'revocation'
      server.misbehave(endpoint, { answer: { status: 503 } })
      const start = Date.now()
      const error = await rejection(createManager(server)[request]('token'))
      expect(error).to.include({ code: 'server_unavailable', serverStatus: 503 })
      expect(server.count(endpoint)).to.equal(4)
      expect(Date.now() - start).to.be.at.least(6_990) // 1, 2 and 4 seconds
    })
})
