import { arrived, failed, refused, type Row } from './row.ts'
import { answer, answerWith, gives, later, logIn, server, start, type Step } from './step.ts'

/** So many started logins, named by their number. */
const started = (from: number, to: number): Step[] =>
  Array.from({ length: to - from + 1 }, (_, at) => start(String(from + at)))

const notFound = { ...refused(400, 'login_not_found'), pending: 'kept' } as const

const minute = 60_000

/** 256 bits in base64url. */
const random = /^[\w-]{43}$/

const idTokenClaims = (members: Record<string, unknown>): Step =>
  server('token', { idToken: { claims: (usual) => ({ ...usual, ...members }) } })

/** The stored login has other members; `undefined`: not there. */
const tamper = (members: Record<string, unknown>): Step => ({
  do: 'tamper',
  what: 'pending login',
  change: (row) => ({ ...row, content: { ...row.content, ...members } }),
})

const tokenInvalid = failed(502, 'id_token_invalid')

/** Section C, 01 to 14: the pending login, PKCE, nonce, issuer, ID Token. */
export const sectionC01: readonly Row[] = [
  {
    id: 'C-01',
    title: 'state is new, 256 bits, and bound to the browser',
    steps: [start('main'), start('other', { by: 'other' }), answer('other', { by: 'main' })],
    expect: { ...notFound, authorizationRequest: { state: random } },
  },
  {
    id: 'C-02',
    title: 'no state in the answer',
    steps: [start(), answerWith((answered) => answered.delete('state'))],
    expect: { ...refused(400, 'invalid_callback'), pending: 'kept' },
  },
  {
    id: 'C-02',
    title: 'an empty state',
    steps: [start(), answerWith((answered) => answered.set('state', ''))],
    expect: { ...refused(400, 'invalid_callback'), pending: 'kept' },
  },
  ...['', undefined, null, 7].map((secretHash) => ({
    id: 'C-02',
    title: `a stored login whose secret is ${JSON.stringify(secretHash) ?? 'missing'}: never equal`,
    steps: [start(), tamper({ secretHash }), answer()],
    expect: refused(400, 'login_not_found'),
  })),
  {
    id: 'C-03',
    title: 'PKCE with S256 and a challenge of its own each time',
    steps: [start(), answer()],
    expect: {
      ...arrived(),
      authorizationRequest: { code_challenge: random, code_challenge_method: 'S256' },
      tokenRequest: { code_verifier: random },
    },
  },
  ...[undefined, ['plain', 'S256']].map((methods) => ({
    id: 'C-03',
    title: `challenge methods announced: ${JSON.stringify(methods) ?? 'none'}`,
    server: { metadata: { code_challenge_methods_supported: methods } },
    steps: [start(), answer()],
    expect: { ...arrived(), authorizationRequest: { code_challenge_method: 'S256' } },
  })),
  ...[['plain'], [], 'S256'].map((methods) => ({
    id: 'C-03',
    title: `challenge methods announced: ${JSON.stringify(methods)}, refused`,
    server: { metadata: { code_challenge_methods_supported: methods } },
    before: ['nobody'] as const,
    steps: [start()],
    expect: { ...refused(502, 'invalid_server_response'), requests: { authorization: 0 } },
  })),
  {
    id: 'C-03',
    title: 'a stored login whose verifier is "": nothing is sent',
    steps: [start(), tamper({ codeVerifier: '' }), answer()],
    expect: refused(400, 'login_interrupted'),
  },
  {
    id: 'C-03',
    title: 'a stored login whose verifier is missing is none: nothing is sent',
    steps: [start(), tamper({ codeVerifier: undefined }), answer()],
    expect: refused(400, 'login_not_found'),
  },
  {
    id: 'C-03',
    title: "the server refuses another login's verifier",
    steps: [start('main'), start('second'), answer('main', { codeOf: 'second' })],
    expect: { ...refused(400, 'code_rejected'), tokenRequests: 1, pending: 'consumed' },
  },
  {
    id: 'C-04',
    title: 'after a failure everything is new',
    steps: [
      start('first'),
      server('token', { answer: { status: 400, json: { error: 'invalid_grant' } } }, { times: 1 }),
      gives(answer('first'), 400, 'code_rejected'),
      start(),
      { do: 'requests differ', tabs: ['first', 'main'] },
      // The first one is dead.
      gives(answer('first'), 400, 'code_rejected'),
      answer(),
    ],
    expect: { ...arrived(), tokenRequests: 2 },
  },
  {
    id: 'C-05',
    title: 'state and code are used once',
    steps: [...logIn(), answer(), answer()],
    expect: { ...arrived(), pending: 'consumed' },
  },
  {
    id: 'C-05',
    title: 'a stored login that was taken and never finished: nothing is sent',
    steps: [start(), tamper({ outcome: { status: 'taken', at: Date.now() - minute } }), answer()],
    expect: refused(400, 'login_interrupted'),
  },
  {
    id: 'C-06',
    title: 'ten minutes at most',
    steps: [start(), later(10 * minute), answer()],
    expect: refused(400, 'login_not_found'),
  },
  {
    id: 'C-06',
    title: 'up to ten minutes',
    steps: [start(), later(10 * minute - 2_000), answer()],
    expect: arrived(),
  },
  {
    id: 'C-06',
    title: 'loginTimeout, when the store keeps it for longer',
    app: { flow: { loginTimeout: 60_000 } },
    steps: [
      start(),
      {
        do: 'tamper',
        what: 'pending login',
        change: (row) => ({ ...row, cookie: { expires: new Date(Date.now() + 60 * minute) } }),
      },
      later(minute),
      answer(),
    ],
    expect: refused(400, 'login_not_found'),
  },
  {
    id: 'C-06',
    title: 'the cookie goes with it',
    before: ['nobody'],
    steps: [start()],
    expect: {
      status: 302,
      signedIn: 'as before',
      tokenRequests: 0,
      bindingCookie: /; Max-Age=(?:600|59\d);/,
    },
  },
  {
    id: 'C-06',
    title: '25 at once finish, in any order',
    before: ['nobody'],
    steps: [
      ...started(1, 25),
      ...[7, 1, 25, 13, 2].map((tab) => gives(answer(String(tab)), 302)),
      answer('24'),
    ],
    expect: { ...arrived(), tokenRequests: 6 },
  },
  {
    id: 'C-06',
    title: 'the 26th makes the first go',
    steps: [...started(1, 26), gives(answer('26'), 302), gives(answer('2'), 302), answer('1')],
    expect: { ...refused(400, 'login_not_found'), signedIn: 'alice', tokenRequests: 2 },
  },
  {
    id: 'C-06',
    title: 'the ones that are finished go first',
    app: { flow: { maxPendingLogins: 3 } },
    steps: [
      ...started(1, 3),
      gives(answer('3'), 302),
      start('4'),
      gives(answer('1'), 302),
      gives(answer('2'), 302),
      answer('4'),
    ],
    expect: { ...arrived(), tokenRequests: 4 },
  },
  {
    id: 'C-06',
    title: 'of each flow its own',
    app: { secondFlow: {}, flow: { maxPendingLogins: 1 } },
    steps: [
      start(),
      ...Array.from({ length: 5 }, (_, at) => start(`second ${at}`, { path: '/second/login' })),
      answer(),
    ],
    expect: arrived(),
  },
  {
    id: 'C-07',
    title: 'nonce is sent',
    steps: [start(), answer()],
    expect: { ...arrived(), authorizationRequest: { nonce: random } },
  },
  {
    id: 'C-07',
    title: 'nonce is compared',
    steps: [start(), idTokenClaims({ nonce: 'x'.repeat(43) }), answer()],
    expect: tokenInvalid,
  },
  {
    id: 'C-07',
    title: 'a stored login whose nonce is missing: nothing is sent',
    steps: [start(), tamper({ nonce: undefined }), idTokenClaims({ nonce: undefined }), answer()],
    expect: refused(400, 'login_not_found'),
  },
  {
    id: 'C-08',
    title: 'iss is compared exactly',
    steps: [
      start(),
      answerWith((answered) => answered.set('iss', String(answered.get('iss')).toUpperCase())),
    ],
    expect: { ...refused(400, 'issuer_mismatch'), pending: 'consumed' },
  },
  {
    id: 'C-08',
    title: 'iss of an error is compared, too',
    steps: [
      start(),
      server('authorization', { authorizationError: 'access_denied' }),
      answerWith((answered) => answered.set('iss', 'https://other.example')),
    ],
    expect: { ...refused(400, 'issuer_mismatch'), pending: 'consumed' },
  },
  {
    id: 'C-08',
    title: 'iss is required where it is announced',
    steps: [start(), answerWith((answered) => answered.delete('iss'))],
    expect: { ...refused(400, 'issuer_mismatch'), pending: 'consumed' },
  },
  ...['server', 'name', 'flow', 'issuer'].map((name) => ({
    id: 'C-08',
    title: `of two servers the login says which is meant, not the request's "${name}"`,
    app: { secondFlow: {} },
    before: ['nobody'] as const,
    steps: [
      start('main', { path: `/login?returnTo=/here&${name}=second` }),
      start('second', { path: '/second/login?returnTo=/here', by: 'other' }),
      gives(answer('second'), 302),
      answerWith((answered) => answered.set(name, 'second')),
    ] as Step[],
    expect: { ...arrived('/here'), tokenRequests: 2 },
  })),
  {
    id: 'C-09',
    title: 'metadata of another issuer',
    before: ['nobody'],
    steps: [
      server('discovery', {
        metadata: (usual) => ({ ...usual, issuer: 'https://other.example' }),
      }),
      start(),
    ],
    expect: { ...refused(502, 'invalid_server_response'), requests: { authorization: 0 } },
  },
  {
    id: 'C-09',
    title: 'RFC 8414, where OpenID Connect Discovery is not',
    server: { discovery: 'oauth', issuerPath: '/realms/a' },
    steps: [start(), answer()],
    expect: arrived(),
  },
  {
    id: 'C-09',
    title: 'RFC 8414, of another issuer',
    server: { discovery: 'oauth' },
    before: ['nobody'],
    steps: [
      server('discovery', {
        metadata: (usual) => ({ ...usual, issuer: 'https://other.example' }),
      }),
      start(),
    ],
    expect: refused(502, 'invalid_server_response'),
  },
  ...(
    [
      ['jwks_uri', 'https://evil.example/jwks'],
      ['issuer', 'https://evil.example'],
      ['code_challenge_methods_supported', ['S256', 'plain']],
      ['id_token_signing_alg_values_supported', ['PS256']],
      ['authorization_response_iss_parameter_supported', false],
    ] as const
  ).map(([member, value]) => ({
    id: 'C-09',
    title: `${member} by hand, which differs from what is published`,
    app: { flow: { server: { [member]: value } } },
    before: ['nobody'] as const,
    steps: [start()],
    expect: { ...refused(500, 'configuration'), message: new RegExp(member) },
  })),
  ...(
    [
      { iss: 'https://other.example' },
      { aud: 'another-client' },
      { aud: ['test-client', 'another-client'] },
      { azp: 'another-client' },
      { exp: 1 },
      { nbf: 2 ** 33 },
      { sub: undefined },
      { iat: undefined },
    ] as const
  ).map((members) => ({
    id: 'C-10',
    title: JSON.stringify(members, (_, value: unknown) => value ?? 'missing'),
    steps: [start(), idTokenClaims(members), answer()],
    expect: tokenInvalid,
  })),
  {
    id: 'C-11',
    title: 'iat an hour ahead',
    steps: [start(), idTokenClaims({ iat: Math.floor(Date.now() / 1000) + 3_600 }), answer()],
    expect: tokenInvalid,
  },
  {
    id: 'C-11',
    title: 'iat a year ago, which says nothing while exp is good',
    steps: [
      start(),
      idTokenClaims({ iat: Math.floor(Date.now() / 1000) - 365 * 24 * 3_600 }),
      answer(),
    ],
    expect: arrived(),
  },
  {
    id: 'C-12',
    title: 'unsigned, and the server announces that',
    server: { metadata: { id_token_signing_alg_values_supported: ['ES256', 'none'] } },
    steps: [start(), server('token', { idToken: { sign: 'none' } }), answer()],
    expect: tokenInvalid,
  },
  {
    id: 'C-12',
    title: 'signed by a wrong key',
    steps: [later(2_000), start(), server('token', { idToken: { sign: 'wrong-key' } }), answer()],
    expect: tokenInvalid,
  },
  ...(['RS256', 'PS256', 'ES384', 'EdDSA'] as const).map((signingAlgorithm) => ({
    id: 'C-12',
    title: `${signingAlgorithm} is accepted`,
    server: { signingAlgorithm },
    steps: [start(), answer()],
    expect: arrived(),
  })),
  {
    id: 'C-13',
    title: 'an algorithm that the server does not announce',
    server: { metadata: { id_token_signing_alg_values_supported: ['PS256'] } },
    before: ['nobody'],
    steps: [start(), answer()],
    expect: tokenInvalid,
  },
  {
    id: 'C-13',
    title: 'HS256, and the server announces that',
    server: { metadata: { id_token_signing_alg_values_supported: ['HS256', 'ES256'] } },
    steps: [start(), server('token', { idToken: { sign: 'HS256' } }), answer()],
    expect: tokenInvalid,
  },
  ...(
    [
      [{ auth_time: undefined }, false],
      [{ auth_time: 'now' }, false],
      [{ auth_time: 1 }, false],
      [{}, true],
    ] as const
  ).map(([members, isGood]) => ({
    id: 'C-14',
    title: `max_age=60, and in the ID Token ${JSON.stringify(members, (_, value: unknown) => value ?? 'missing')}`,
    app: { flow: { authorizationParams: { max_age: '60' } } },
    steps: [start(), idTokenClaims(members), answer()],
    expect: isGood ? { ...arrived(), authorizationRequest: { max_age: '60' } } : tokenInvalid,
  })),
]
