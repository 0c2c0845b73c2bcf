import { type Expectation, impatient, type Row, stillSignedIn } from './row.ts'
import { later, program, server, serverStops, type Step, store, visit } from './step.ts'
import { ended, passing, refreshed, refreshing, refreshResponse, signedIn } from './refreshing.ts'

const html = { body: '<h1>Forbidden</h1>' }
const userInfo = visit('/user-info')

/** Section D, rows 55 to 59, 75, and what 43, 45 and 78 say about tokens that are there. */
export const sectionD55: readonly Row[] = [
  ...(
    [
      ['500', { answer: { status: 500 } }, 503, 'server_unavailable'],
      ['429', { answer: { status: 429 } }, 503, 'server_unavailable'],
      ['403', { answer: { status: 403, json: { sub: 'bob' } } }, 502, 'invalid_server_response'],
      ['a page', { answer: html }, 502, 'invalid_server_response'],
      [
        'another sub',
        { userinfo: (was) => ({ ...was, sub: 'alice' }) },
        502,
        'invalid_server_response',
      ],
      ['no sub', { userinfo: () => ({ name: 'Bob' }) }, 502, 'invalid_server_response'],
    ] as const satisfies [string, Parameters<typeof server<'userinfo'>>[1], number, string][]
  ).map(([what, fault, status, code]): Row => ({
    ...signedIn('D-55', `userinfo: ${what}`),
    steps: [server('userinfo', fault), userInfo],
    expect: { ...stillSignedIn(status, 'kept', 0), code, requests: { userinfo: 1 } },
  })),
  {
    ...signedIn('D-55', 'userinfo: 401 of a token that came just now is not refreshed'),
    steps: [server('userinfo', invalidToken()), userInfo],
    expect: {
      ...stillSignedIn(401, 'kept', 0),
      code: 'reauthorization_required',
      requests: { userinfo: 1 },
    },
  },
  {
    ...signedIn('D-55', 'userinfo: 401 of an older one: one refresh and one repetition'),
    steps: [later(60_000), server('userinfo', invalidToken(), { times: 1 }), userInfo],
    expect: {
      ...stillSignedIn(200, 'refreshed'),
      body: { sub: 'bob' },
      requests: { userinfo: 2 },
    },
  },
  {
    ...signedIn('D-55', 'userinfo: 401 again after that is said, without a loop'),
    steps: [later(60_000), server('userinfo', invalidToken()), userInfo],
    expect: {
      ...stillSignedIn(401, 'refreshed'),
      code: 'reauthorization_required',
      requests: { userinfo: 2 },
    },
  },
  ...[301, 302, 307, 308].map((status): Row => ({
    ...signedIn('D-43', `${status} of userinfo is not followed`),
    steps: [
      server('userinfo', {
        answer: { status, headers: { location: '/userinfo?again' }, json: { sub: 'bob' } },
      }),
      userInfo,
    ],
    expect: {
      ...stillSignedIn(502, 'kept', 0),
      code: 'invalid_server_response',
      requests: { userinfo: 1 },
    },
  })),
  {
    ...signedIn('D-43', 'nor one of userinfo to another origin'),
    app: { secondFlow: {} },
    steps: [{ do: 'redirect to the second server', endpoint: 'userinfo' }, userInfo],
    expect: {
      ...stillSignedIn(502, 'kept', 0),
      code: 'invalid_server_response',
      requests: { userinfo: 1 },
    },
  },
  ...[301, 302, 303, 307, 308].map((status): Row => ({
    ...signedIn('D-43', `${status} of the token endpoint at a refresh is not followed`),
    steps: refreshing({ answer: { status, headers: { location: '/token?again' } } }),
    expect: passing,
  })),
  ...[-1, 'abc', null, {}].map((expires_in): Row => ({
    ...signedIn('D-45', `refresh: expires_in ${JSON.stringify(expires_in)}: unknown`),
    steps: refreshResponse({ expires_in }),
    expect: { ...refreshed, expires: 'unknown' },
  })),
  ...(
    [
      ['3600', 'in an hour'],
      [1e308, 'in a year'],
      [undefined, 'unknown'],
    ] as const
  ).map(([expires_in, expires]): Row => ({
    ...signedIn('D-46', `refresh: expires_in ${expires_in ?? 'missing'}: ${expires}`),
    steps: refreshResponse({ expires_in }),
    expect: { ...refreshed, expires },
  })),
  {
    ...signedIn('D-46', 'refresh: expires_in 0: expired, and no storm of refreshes'),
    steps: [...refreshResponse({ expires_in: 0 }), visit('/private'), visit('/private')],
    expect: {
      ...stillSignedIn(503, 'kept'),
      code: 'server_unavailable',
      keptRefreshTokens: 0,
      retryAfter: 1,
      expires: 'already',
    },
  },
  {
    ...signedIn('D-56', 'invalid_grant: the tokens end, the session stays, one token request'),
    steps: [
      ...refreshing({ answer: { status: 400, json: { error: 'invalid_grant' } } }),
      visit('/private', { headers: program }),
      visit('/public'),
      visit('/private', { headers: program }),
    ],
    expect: ended,
  },
  {
    ...signedIn('D-56', 'who is signed in goes on being so'),
    steps: [
      ...refreshing({ answer: { status: 400, json: { error: 'invalid_grant' } } }),
      visit('/members'),
    ],
    expect: stillSignedIn(200, 'ended'),
  },
  {
    ...signedIn('D-56', '400 without a readable error'),
    steps: refreshing({ answer: { status: 400, ...html } }),
    expect: ended,
  },
  ...passingFaults().map(([what, steps, more]): Row => ({
    ...signedIn('D-57', `${what}: 503, the tokens are kept`),
    ...(what === 'a timeout' && { app: impatient }),
    steps: [later(3_600_000), ...steps, visit('/private')],
    expect: { ...passing, ...more },
  })),
  {
    ...signedIn('D-57', 'a token that is still valid is used'),
    steps: [later(3_590_000), server('token', { answer: { status: 500 } }), visit('/private')],
    expect: stillSignedIn(200, 'kept'),
  },
  {
    ...signedIn('D-57', 'back-off: not again within the second'),
    steps: [
      ...refreshing({ answer: { status: 500 } }),
      later(999),
      visit('/private'),
      visit('/private'),
    ],
    expect: passing,
  },
  {
    ...signedIn('D-57', 'back-off: again after it'),
    steps: [
      ...refreshing({ answer: { status: 500 } }, { times: 1 }),
      later(1_000),
      visit('/private'),
    ],
    expect: { ...refreshed, tokenRequests: 2 },
  },
  {
    ...signedIn('D-58', 'without refresh_token: the old one is kept'),
    server: { refreshTokenRotation: false },
    steps: refreshResponse({ refresh_token: undefined }),
    expect: { ...refreshed, keptRefreshTokens: 1 },
  },
  {
    ...signedIn('D-58', 'without id_token: the old claims are kept'),
    steps: refreshResponse({ id_token: undefined }),
    expect: { ...refreshed, keptRefreshTokens: 0 },
  },
  ...(
    [
      ['another sub', { idToken: { claims: (was) => ({ ...was, sub: 'alice' }) } }],
      ['another nonce', { idToken: { claims: (was) => ({ ...was, nonce: 'other' }) } }],
      ['token_type DPoP', { tokenResponse: (was) => ({ ...was, token_type: 'DPoP' }) }],
    ] as const satisfies [string, Parameters<typeof refreshing>[0]][]
  ).map(([what, fault]): Row => ({
    ...signedIn('D-59', `${what}: discarded and revoked, the tokens end, the session stays`),
    steps: refreshing(fault),
    expect: { ...ended, revoked: 'all' },
  })),
  ...[1, 3].map((times): Row => ({
    ...signedIn(
      'D-75',
      `${times} of the writes fail: on with the new token, stored a little later`,
    ),
    steps: [store('set', 'tokens', 'fails', { times }), ...refreshing({ delay: 0 })],
    expect: { ...refreshed, revoked: 'none' },
  })),
  ...(
    [
      ['resave: true', { resave: true }, false],
      ['rolling: true', { rolling: true, resave: true }, false],
      ['a change of the session', {}, true],
    ] as const
  ).map(([what, session, writes]): Row => ({
    ...signedIn('D-78', `a slow request over a refreshed token: ${what}`),
    app: { session },
    steps: [
      { do: 'slow request begins', writes, by: 'main' },
      ...refreshing({ delay: 0 }),
      { do: 'slow request ends' },
      visit('/private'),
    ],
    expect: { ...refreshed, keptRefreshTokens: 0 },
  })),
]

function invalidToken() {
  const headers = { 'www-authenticate': 'Bearer error="invalid_token"' }
  return { answer: { status: 401, headers } }
}

function passingFaults(): [string, Step[], Partial<Expectation>?][] {
  const late = { answer: { status: 429, headers: { 'retry-after': '70' } } }
  const client = { answer: { status: 401, json: { error: 'invalid_client' } } }
  return [
    ['500', [server('token', { answer: { status: 500 } })]],
    ['429 with Retry-After', [server('token', late)], { retryAfter: 70 }],
    ['invalid_client', [server('token', client)], { oauthError: 'invalid_client' }],
    ['a firewall’s page, 403', [server('token', { answer: { status: 403, ...html } })]],
    ['a timeout', [server('token', { hang: true })]],
    ['a connection that breaks', [server('token', { reset: 'before-response' })]],
    ['a server that is down', [serverStops], { tokenRequests: 0 }],
  ]
}
