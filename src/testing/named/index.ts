import { authorizationAnswers } from './authorization-answers.ts'
import { failingEndpoints } from './failing-endpoints.ts'
import { documents, idTokens } from './id-tokens.ts'
import type { Misbehaviour, MisbehaviourOptions } from '../faults.ts'
import type { NamedMisbehaviour } from './named-misbehaviour.ts'
import { refreshResponses, tokenResponses } from './token-responses.ts'

const all = {
  ...authorizationAnswers,
  ...tokenResponses,
  ...idTokens,
  ...documents,
  ...refreshResponses,
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
  return misbehaviours[name].misbehaviours.map((own) => ({
    ...own,
    ...options,
    when: (request) => (own.when?.(request) ?? true) && (options.when?.(request) ?? true),
  }))
}
