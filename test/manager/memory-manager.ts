import {
  type AuthorizationUrlOverrides,
  PkceFlowManager,
  type UserSecrets,
} from '../../src/index.ts'
import type { TestAuthorizationServer } from '../../src/testing/index.ts'

/** Keeps the secrets of its users in memory, as an app's database would. */
export class MemoryManager extends PkceFlowManager<string> {
  clientId = 'test-client'
  override clientSecret = 'test-client-secret'
  redirectUri = 'http://127.0.0.1:8000/callback'
  scope: string | string[] = 'read write'
  readonly kept = new Map<string, UserSecrets>()
  /** Names of hooks, in the order of their calls. */
  readonly calls: string[] = []

  storeUserSecrets(user: string, secrets: UserSecrets) {
    this.calls.push('storeUserSecrets')
    this.kept.set(user, secrets)
  }

  retrieveUserState(user: string) {
    this.calls.push('retrieveUserState')
    return this.kept.get(user)?.state
  }

  retrieveUserCodeVerifier(user: string) {
    this.calls.push('retrieveUserCodeVerifier')
    return this.kept.get(user)?.codeVerifier
  }

  retrieveUserCodeChallenge(user: string) {
    this.calls.push('retrieveUserCodeChallenge')
    return this.kept.get(user)?.codeChallenge
  }
}

/** A manager of a client at `server`, by its root URL; `members` over those of the class. */
export function createManager(server: TestAuthorizationServer, members: object = {}) {
  return Object.assign(new MemoryManager(), { rootUrl: `${server.issuer}/` }, members)
}

/** The same with discovery and OpenID Connect. */
export function createOpenIdManager(server: TestAuthorizationServer, members: object = {}) {
  const { issuer } = server
  return Object.assign(new MemoryManager(), { issuer, scope: 'openid read' }, members)
}

/** What the authorization server sends a browser back with. */
async function answerTo(url: string): Promise<URLSearchParams> {
  const { headers } = await fetch(url, { redirect: 'manual' })
  return new URL(headers.get('location')!).searchParams
}

/** Starts a login for this user and brings what is needed to finish it. */
export async function startLogin(
  manager: PkceFlowManager<string>,
  user = 'alice',
  overrides?: AuthorizationUrlOverrides,
) {
  await manager.makeUserSecrets(user)
  const answer = await answerTo(await manager.getAuthorizationUrl(user, overrides))
  return { user, state: answer.get('state')!, code: answer.get('code')!, iss: answer.get('iss') }
}
