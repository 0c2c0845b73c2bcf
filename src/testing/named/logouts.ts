import type { IdTokenFault } from '../faults.ts'
import { wrongLogoutTokens } from '../logout-token.ts'
import { named, type NamedMisbehaviour } from './named-misbehaviour.ts'

const returning = (
  summary: string,
  logoutResponse: (parameters: URLSearchParams) => void,
): NamedMisbehaviour => named('logout', 'accepted', summary, 'end_session', { logoutResponse })

/** How the browser can come back from the end session endpoint. */
export const logoutReturns = {
  'logout-other-state': returning(
    'The browser comes back from logging out with the `state` of another.',
    (parameters) => parameters.set('state', 'another-state'),
  ),
  'logout-without-state': returning(
    'The browser comes back from logging out without `state`.',
    (parameters) => parameters.delete('state'),
  ),
  'logout-repeated-state': returning(
    'The browser comes back from logging out with `state` twice.',
    (parameters) => parameters.append('state', 'another-state'),
  ),
} as const satisfies Record<string, NamedMisbehaviour>

type WrongName = keyof typeof wrongLogoutTokens

const summaries: Readonly<Record<WrongName, string>> = {
  'alg-none': 'is unsigned, `alg: none`',
  'alg-hs256': 'is signed by the client secret',
  'wrong-alg': 'is signed by another algorithm than ID Tokens are',
  'wrong-key': 'has the key id of a published key, and the signature of another',
  'wrong-typ': 'has the type of an access token',
  'no-event': 'has no `events`',
  'no-events-in-it': 'has empty `events`',
  'wrong-event': 'has another event',
  'event-that-is-no-object': 'has an event that is no object',
  'events-that-are-a-list': 'has a list of events',
  'with-nonce': 'has a `nonce`, as ID Tokens do',
  'wrong-aud': 'has another `aud`',
  'no-aud': 'has no `aud`',
  'wrong-iss': 'has another `iss`',
  'no-iss': 'has no `iss`',
  'future-iat': 'was made in an hour',
  'no-iat': 'has no `iat`',
  'iat-that-is-text': 'has an `iat` that is text',
  expired: 'has expired',
  'old-without-exp': 'was made an hour ago, and has no `exp`',
  'no-jti': 'has no `jti`',
  'empty-jti': 'has an empty `jti`',
  'neither-sub-nor-sid': 'has neither `sub` nor `sid`',
  'empty-sid': 'has an empty `sid`',
  'sub-that-is-no-text': 'has a `sub` that is no text',
}

const token = (
  summary: string,
  outcome: NamedMisbehaviour['outcome'],
  logoutToken: IdTokenFault,
): NamedMisbehaviour =>
  named('logout token', outcome, `The logout token ${summary}.`, 'end_session', { logoutToken })

const wrong = Object.fromEntries(
  Object.entries(wrongLogoutTokens).map(([name, fault]) => [
    `logout-token-${name}`,
    token(summaries[name as WrongName], 'refused', fault),
  ]),
) as Record<`logout-token-${WrongName}`, NamedMisbehaviour>

/** What can be wrong with a logout token. */
export const logoutTokens = {
  ...wrong,
  'logout-token-huge': token('has 70 kB', 'refused', {
    claims: (claims) => ({ ...claims, padding: 'x'.repeat(70_000) }),
  }),
  'logout-token-repeated-jti': token('has the `jti` of another', 'accepted', {
    claims: (claims) => ({ ...claims, jti: 'always-the-same' }),
  }),
}
