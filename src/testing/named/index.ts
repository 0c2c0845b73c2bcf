import { authorizationAnswers } from './authorization-answers.ts'
import { failingEndpoints } from './failing-endpoints.ts'
import { documents, idTokens } from './id-tokens.ts'
import type { Misbehaviour, MisbehaviourOptions } from '../faults.ts'
import { logoutReturns, logoutTokens } from './logouts.ts'
import type { NamedMisbehaviour } from './named-misbehaviour.ts'
import { pushedRequests } from './pushed-requests.ts'
import { refreshResponses, tokenResponses } from './token-responses.ts'

const all = {
  ...authorizationAnswers,
  ...tokenResponses,
  ...idTokens,
  ...documents,
  ...refreshResponses,
  ...pushedRequests,
  ...logoutReturns,
  ...logoutTokens,
  ...failingEndpoints,
}

/** Name of a misbehaviour in `misbehaviours`. */
export type MisbehaviourName = keyof typeof all

/** What the test authorization server can be told to do wrong by name: `server.misbehave('token-hang')`. */
export const misbehaviours: Readonly<Record<MisbehaviourName, NamedMisbehaviour>> = all

export function isMisbehaviourName(name: string): name is MisbehaviourName {
  return Object.hasOwn(all, name)
}

/** With options over its own; it still applies only to requests that it is about. */
export function misbehavioursNamed(
  name: MisbehaviourName,
  options: MisbehaviourOptions = {},
): readonly Misbehaviour[] {
  return misbehaviours[name].misbehaviours.map((own) => {
    const both: Misbehaviour = { ...own, ...options }
    if (own.when && options.when)
      both.when = (request) => own.when?.(request) === true && options.when?.(request) === true
    else if (own.when) both.when = own.when
    return both
  })
}
