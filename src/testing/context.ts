import type { Answer } from './answer.ts'
import type { TestClock } from './clock.ts'
import type { Grants } from './grants.ts'
import type { LogoutTokenRequest, LogoutTokenResponse, LogoutUris } from './logout-delivery.ts'
import type { JwtToSign } from './signed-jwt.ts'
import type { AppliedFault } from './misbehaviours.ts'
import type { Settings, TestUser } from './options.ts'
import type { PushedRequests } from './pushed-requests.ts'
import type { RecordedRequest } from './recorded-request.ts'
import type { ServerSessions } from './server-sessions.ts'
import type { SigningKeys } from './signing-keys.ts'

/** What the endpoints of one server share. */
export interface Context {
  readonly issuer: string
  readonly settings: Settings
  readonly grants: Grants
  readonly keys: SigningKeys
  readonly sessions: ServerSessions
  readonly pushedRequests: PushedRequests
  readonly clock: TestClock
  /** `jti` of the client assertions seen. */
  readonly assertionIds: Set<string>
  /** The user with this `sub`; without one, who is signed in at the authorization endpoint. */
  user(sub?: string): TestUser | undefined
  sign(jwt: JwtToSign): Promise<string>
  /** Where logouts are told to. */
  readonly logoutUris: LogoutUris
  /** Sends a logout token and notes the answer. */
  sendLogoutToken(request: LogoutTokenRequest): Promise<LogoutTokenResponse>
  /** Notes what must not show up in anybody's logs. */
  keepSecret(value: string | null | undefined): void
}

/** One endpoint: a request in, the usual answer out, spoilt by the content faults. */
export type Endpoint = (
  request: RecordedRequest,
  faults: readonly AppliedFault[],
  context: Context,
) => Answer | Promise<Answer>
