import { expectTypeOf } from 'expect-type'
import { Agent } from 'node:https'
import { ClientSecretPost } from 'openid-client'
import {
  type AuthorizationUrlOverrides,
  PkceFlowManager,
  type Token,
  type TokenResponse,
  type UserSecrets,
} from '../../src/index.ts'

interface User {
  id: number
  secrets?: UserSecrets
}

/** Hooks that are sync. */
abstract class Stored extends PkceFlowManager<User> {
  storeUserSecrets(user: User, secrets: UserSecrets) {
    user.secrets = secrets
  }
  retrieveUserState = (user: User) => user.secrets?.state
  retrieveUserCodeVerifier(user: User) {
    return user.secrets?.codeVerifier ?? null
  }
  retrieveUserCodeChallenge(user: User) {
    return user.secrets?.codeChallenge
  }
}

// Attributes as fields.
class Fields extends Stored {
  readonly clientId = 'client'
  override readonly clientSecret = 'secret'
  redirectUri = 'https://app.example/callback'
  scope = ['read_user', 'read_api']
  override rootUrl = 'https://gitlab.com/oauth/'
  override authorizationPath = 'authorize'
  override tokenPath = 'token'
  override revocationPath = 'revoke'
  override authorizationParams = { prompt: 'consent' }
  override clientAuth = ClientSecretPost('secret')
  override timeout = 10_000
  override clockTolerance = 0
  override agent = new Agent()
}

// As getters, and hooks that are async.
class Getters extends PkceFlowManager<User> {
  get clientId() {
    return 'client'
  }
  override get clientSecret() {
    return process.env.CLIENT_SECRET
  }
  override get issuer() {
    return 'https://server.example'
  }
  get redirectUri() {
    return 'https://app.example/callback'
  }
  get scope() {
    return 'openid'
  }
  async storeUserSecrets(_user: User, _secrets: UserSecrets) {
    await Promise.resolve()
  }
  async retrieveUserState(_user: User) {
    return Promise.resolve('state')
  }
  async retrieveUserCodeVerifier(_user: User) {
    return Promise.resolve(null)
  }
  async retrieveUserCodeChallenge(_user: User) {
    return Promise.resolve(undefined)
  }
  override async checkUserState(user: User, state: string) {
    return (await this.retrieveUserState(user)) === state
  }
  override async forgetUserSecrets(_user: User) {
    return Promise.resolve(true)
  }
  override async createState() {
    return Promise.resolve('state')
  }
  override createCodeVerifier() {
    return 'verifier'
  }
}

const manager = new Fields()
const user: User = { id: 1 }
expectTypeOf(new Getters()).toExtend<PkceFlowManager<User>>()
expectTypeOf(manager.makeUserSecrets(user)).toEqualTypeOf<Promise<UserSecrets>>()
expectTypeOf(manager.getAuthorizationUrl(user)).toEqualTypeOf<Promise<string>>()
expectTypeOf(manager.refresh('token')).toEqualTypeOf<Promise<TokenResponse>>()
expectTypeOf(manager.revoke('token')).toEqualTypeOf<Promise<void>>()

const parameters = new URLSearchParams()
expectTypeOf(
  manager.fetchAccessToken({
    user,
    state: parameters.get('state'),
    code: parameters.get('code'),
    iss: parameters.get('iss'),
  }),
).toEqualTypeOf<Promise<TokenResponse>>()
void manager.fetchAccessToken({ user, state: 'state', code: 'code' })
// @ts-expect-error -- whose answer?
void manager.fetchAccessToken({ state: 'state', code: 'code' })
// @ts-expect-error -- another kind of user
void manager.fetchAccessToken({ user: 'alice', state: 'state', code: 'code' })
// @ts-expect-error -- without a state nobody knows whose answer it is
void manager.fetchAccessToken({ user, code: 'code' })

void manager.getAuthorizationUrl(user, { scope: ['api'], authorizationParams: { prompt: 'login' } })
// @ts-expect-error -- a misspelt override
void manager.getAuthorizationUrl(user, { scopes: 'api' })
// @ts-expect-error -- parameters are text
expectTypeOf({ authorizationParams: { max_age: 60 } }).toExtend<AuthorizationUrlOverrides>()

expectTypeOf<TokenResponse>().toExtend<Omit<Token, 'scope'>>()
expectTypeOf<TokenResponse['scope']>().toEqualTypeOf<readonly string[] | undefined>()
expectTypeOf<TokenResponse['refreshToken']>().toEqualTypeOf<string | undefined>()

// @ts-expect-error -- a subclass says who the client is
new PkceFlowManager<User>()
// @ts-expect-error -- no attributes
expectTypeOf(class extends Stored {}).toBeObject()

export class WrongAttributes extends Stored {
  clientId = 'client'
  redirectUri = 'https://app.example/callback'
  // @ts-expect-error -- text, or a list of texts
  scope = 5
  // @ts-expect-error -- an absolute URL
  override rootUrl = new URL('https://gitlab.com/oauth/')
  // @ts-expect-error -- no such method
  override clientAuth = 'client_secret_jwt' as const
}

export abstract class WrongHooks extends PkceFlowManager<User> {
  // @ts-expect-error -- text, or a promise of it
  retrieveUserState(_user: User) {
    return 5
  }
  // @ts-expect-error -- yes or no
  override checkUserState() {
    return 'yes'
  }
}
