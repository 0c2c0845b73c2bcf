import type { Fault, JsonObject, MisbehaviourOptions } from '../../src/testing/index.ts'
import { type Expectation, type Row, stillSignedIn } from './row.ts'
import { later, program, server, type Step, visit } from './step.ts'

/** A row about somebody who is signed in already. */
export const signedIn = (id: string, title: string): Pick<Row, 'id' | 'title' | 'before'> => ({
  id,
  title,
  before: ['bob'],
})

/** The access token has expired, the token endpoint does something wrong, a program asks for data. */
export const refreshing = (fault: Fault<'token'>, when?: MisbehaviourOptions): Step[] => [
  later(3_600_000),
  server('token', fault, when),
  visit('/private', { headers: program }),
]

/** A refresh whose response has other members; `undefined`: not there. */
export const refreshResponse = (members: JsonObject): Step[] =>
  refreshing({ tokenResponse: (usual) => ({ ...usual, ...members }) })

export const refreshed: Expectation = stillSignedIn(200, 'refreshed')
export const ended: Expectation = {
  ...stillSignedIn(401, 'ended'),
  code: 'reauthorization_required',
}
export const passing: Expectation = {
  ...stillSignedIn(503, 'kept'),
  code: 'server_unavailable',
  retryAfter: 'some',
  revoked: 'none',
}
