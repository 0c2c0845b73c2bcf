import type { PkceFlowErrorCode } from '../../errors.ts'
import type { Fault, FaultyEndpoint, Misbehaviour, MisbehaviourOptions } from '../faults.ts'
import type { RecordedRequest } from '../recorded-request.ts'

/** A misbehaviour that has a name, for `misbehave`. */
export interface NamedMisbehaviour {
  /** What the server does, in a sentence. */
  readonly summary: string
  /**
   * Which request to the app meets it: to log in, with an expired token, for userinfo, to end tokens, to
   * log out, or the server's own with a logout token.
   */
  readonly meets: 'login' | 'refresh' | 'userinfo' | 'disconnect' | 'logout' | 'logout token'
  /**
   * The code of the `PkceFlowError` that comes of it; `accepted`: the app goes on as usual; `refused`: a
   * logout token is answered 400 or 413, and nobody is logged out.
   */
  readonly outcome: PkceFlowErrorCode | 'accepted' | 'refused'
  readonly misbehaviours: readonly Misbehaviour[]
}

type Outcome = NamedMisbehaviour['outcome']

/** One that has a single fault. */
export function named<Of extends FaultyEndpoint>(
  meets: NamedMisbehaviour['meets'],
  outcome: Outcome,
  summary: string,
  endpoint: Of,
  fault: Fault<Of>,
  options: MisbehaviourOptions = {},
): NamedMisbehaviour {
  const misbehaviour = { ...options, endpoint, fault } as Misbehaviour
  return { summary, meets, outcome, misbehaviours: [misbehaviour] }
}

export function isRefresh({ body }: RecordedRequest): boolean {
  return body.get('grant_type') === 'refresh_token'
}
