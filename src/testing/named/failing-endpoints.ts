import type { Fault, MisbehaviourOptions } from '../faults.ts'
import { isRefresh, named, type NamedMisbehaviour } from './named-misbehaviour.ts'

interface Failure {
  readonly summary: string
  readonly fault: Fault<'any'>
  /** What comes of it where the answer is needed. */
  readonly outcome: NamedMisbehaviour['outcome']
}

const failures = {
  slow: { summary: 'answers after half a second', fault: { delay: 500 }, outcome: 'accepted' },
  hang: { summary: 'never answers', fault: { hang: true }, outcome: 'server_timeout' },
  reset: {
    summary: 'breaks the connection before it answers',
    fault: { reset: 'before-response' },
    outcome: 'server_unavailable',
  },
  'reset-mid-body': {
    summary: 'breaks the connection in the middle of the answer',
    fault: { reset: 'mid-body' },
    outcome: 'server_unavailable',
  },
  drip: { summary: 'answers ten bytes a second', fault: { drip: 100 }, outcome: 'server_timeout' },
  'server-error': {
    summary: 'answers 500',
    fault: { answer: { status: 500, json: { error: 'server_error' } } },
    outcome: 'server_unavailable',
  },
  unavailable: {
    summary: 'answers 503 with `Retry-After`',
    fault: { answer: { status: 503, body: 'Later', headers: { 'retry-after': '7' } } },
    outcome: 'server_unavailable',
  },
  'too-many-requests': {
    summary: 'answers 429 with `Retry-After`',
    fault: { answer: { status: 429, body: 'Later', headers: { 'retry-after': '7' } } },
    outcome: 'server_unavailable',
  },
  html: {
    summary: 'answers 200 and a page',
    fault: { answer: { body: '<!doctype html><title>Sorry</title>' } },
    outcome: 'invalid_server_response',
  },
  truncated: {
    summary: 'answers JSON that was cut off',
    fault: { answer: { body: '{"access_token":"x","token_ty' } },
    outcome: 'invalid_server_response',
  },
  array: {
    summary: 'answers a JSON array',
    fault: { answer: { json: [] } },
    outcome: 'invalid_server_response',
  },
  'not-found': {
    summary: 'answers 404',
    fault: { answer: { status: 404, body: 'Not found' } },
    outcome: 'invalid_server_response',
  },
  huge: { summary: 'answers 64 MiB', fault: { huge: 64 }, outcome: 'invalid_server_response' },
  redirect: {
    summary: 'redirects to itself',
    fault: { answer: { status: 302, headers: { location: '?again' } } },
    outcome: 'invalid_server_response',
  },
} as const satisfies Record<string, Failure>

type FailureName = keyof typeof failures

/** @param outcome in place of the usual one, where the answer is not needed, or not needed now */
function failing<Name extends string>(
  name: Name,
  endpoint: 'discovery' | 'jwks' | 'pushed_authorization' | 'token' | 'userinfo' | 'revocation',
  meets: NamedMisbehaviour['meets'],
  { outcome, ...options }: MisbehaviourOptions & { outcome?: NamedMisbehaviour['outcome'] } = {},
): Record<`${Name}-${FailureName}`, NamedMisbehaviour> {
  const subject =
    name === 'refresh'
      ? 'At a refresh, the token endpoint'
      : `The ${endpoint.replace('_', ' ')} endpoint`
  const entries = Object.entries(failures).map(([kind, failure]) => {
    const itsOutcome = failure.outcome === 'accepted' ? 'accepted' : (outcome ?? failure.outcome)
    const summary = `${subject} ${failure.summary}.`
    return [`${name}-${kind}`, named(meets, itsOutcome, summary, endpoint, failure.fault, options)]
  })
  return Object.fromEntries(entries) as Record<`${Name}-${FailureName}`, NamedMisbehaviour>
}

/** What can happen to any HTTP request. */
export const failingEndpoints = {
  ...failing('discovery', 'discovery', 'login'),
  ...failing('jwks', 'jwks', 'login'),
  // Where the server's metadata require requests to be pushed.
  ...failing('pushed-authorization', 'pushed_authorization', 'login'),
  ...failing('token', 'token', 'login'),
  // The refresh token may still be good: the next request tries again.
  ...failing('refresh', 'token', 'refresh', { outcome: 'server_unavailable', when: isRefresh }),
  ...failing('userinfo', 'userinfo', 'userinfo'),
  // Revoking is a courtesy: what is forgotten is forgotten.
  ...failing('revocation', 'revocation', 'disconnect', { outcome: 'accepted' }),
}
