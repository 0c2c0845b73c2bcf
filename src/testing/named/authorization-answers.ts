import { named, type NamedMisbehaviour } from './named-misbehaviour.ts'

type Outcome = NamedMisbehaviour['outcome']

const refusing = (error: string, outcome: Outcome): NamedMisbehaviour =>
  named('login', outcome, `The answer is the error \`${error}\`.`, 'authorization', {
    authorizationError: error,
  })

const changed = (
  summary: string,
  outcome: Outcome,
  authorizationResponse: (parameters: URLSearchParams) => void,
): NamedMisbehaviour => named('login', outcome, summary, 'authorization', { authorizationResponse })

const withParameter = (summary: string, outcome: Outcome, name: string, value: string) =>
  changed(summary, outcome, (parameters) => parameters.set(name, value))

/** What the authorization endpoint can answer, by way of the browser. */
export const authorizationAnswers = {
  'authorization-access-denied': refusing('access_denied', 'access_denied'),
  'authorization-login-required': refusing('login_required', 'login_required'),
  'authorization-interaction-required': refusing('interaction_required', 'login_required'),
  'authorization-consent-required': refusing('consent_required', 'login_required'),
  'authorization-temporarily-unavailable': refusing(
    'temporarily_unavailable',
    'server_unavailable',
  ),
  'authorization-server-error': refusing('server_error', 'authorization_failed'),
  'authorization-unauthorized-client': refusing('unauthorized_client', 'client_rejected'),
  'authorization-invalid-scope': refusing('invalid_scope', 'client_rejected'),
  'authorization-unregistered-error': refusing('<b>own_error</b>', 'authorization_failed'),
  'authorization-error-without-state': changed(
    'The answer is an error without `state`.',
    'invalid_callback',
    (parameters) => {
      parameters.delete('state')
      parameters.delete('code')
      parameters.set('error', 'access_denied')
    },
  ),
  'authorization-error-and-code': withParameter(
    'The answer has an error beside the code.',
    'access_denied',
    'error',
    'access_denied',
  ),
  'authorization-empty-error': withParameter(
    'The answer has an empty error beside the code.',
    'invalid_callback',
    'error',
    '',
  ),
  'authorization-hostile-description': changed(
    'The error has a description of HTML, line breaks and 4 kB.',
    'access_denied',
    (parameters) => {
      parameters.set('error', 'access_denied')
      const text = '<script>alert(1)</script>\r\nSet-Cookie: a=b'
      parameters.set('error_description', text + 'x'.repeat(4_000))
    },
  ),
  'authorization-repeated-state': changed(
    'The answer has `state` twice.',
    'invalid_callback',
    (parameters) => parameters.append('state', parameters.get('state') ?? ''),
  ),
  'authorization-repeated-code': changed(
    'The answer has `code` twice.',
    'invalid_callback',
    (parameters) => parameters.append('code', parameters.get('code') ?? ''),
  ),
  'authorization-state-array': changed(
    'The answer has `state[]` in place of `state`.',
    'invalid_callback',
    (parameters) => {
      parameters.set('state[]', parameters.get('state') ?? '')
      parameters.delete('state')
    },
  ),
  'authorization-empty': changed(
    'The answer has no parameters, or they are in the fragment.',
    'invalid_callback',
    (parameters) => {
      for (const name of [...parameters.keys()]) parameters.delete(name)
    },
  ),
  'authorization-wrong-state': withParameter(
    'The answer has the `state` of another login.',
    'login_not_found',
    'state',
    'another-state',
  ),
  'authorization-huge-state': withParameter(
    'The answer has a `state` of 5 kB.',
    'invalid_callback',
    'state',
    'x'.repeat(5_000),
  ),
  'authorization-prototype-state': withParameter(
    'The answer has the `state` `__proto__`.',
    'login_not_found',
    'state',
    '__proto__',
  ),
  'authorization-control-characters': changed(
    'The answer has a NUL in its `state`.',
    'invalid_callback',
    (parameters) => parameters.set('state', `${parameters.get('state') ?? ''}\0`),
  ),
  'authorization-wrong-code': withParameter(
    'The answer has a code that the token endpoint does not know.',
    'code_rejected',
    'code',
    'another-code',
  ),
  'authorization-huge-code': withParameter(
    'The answer has a code of 9 kB.',
    'invalid_callback',
    'code',
    'x'.repeat(9_000),
  ),
  'authorization-wrong-iss': withParameter(
    'The answer has the `iss` of another server (RFC 9207).',
    'issuer_mismatch',
    'iss',
    'https://other.example',
  ),
  'authorization-missing-iss': changed(
    'The answer has no `iss`, although it is announced.',
    'issuer_mismatch',
    (parameters) => parameters.delete('iss'),
  ),
  'authorization-jarm': withParameter(
    'The answer has a parameter `response`, as JARM does.',
    'invalid_callback',
    'response',
    'x',
  ),
  'authorization-id-token': withParameter(
    'The answer has a parameter `id_token`, as the implicit flow does.',
    'invalid_callback',
    'id_token',
    'x',
  ),
  'authorization-by-query': named(
    'login',
    'invalid_callback',
    'The answer is in the query, although `form_post` was asked for.',
    'authorization',
    { responseMode: 'query' },
  ),
  'authorization-huge-form': withParameter(
    'The answer has 64 KiB more than it needs: for `form_post`.',
    'invalid_callback',
    'padding',
    'x'.repeat(65_536),
  ),
} as const satisfies Record<string, NamedMisbehaviour>
