import http from 'node:http'
import { arrived, failed, impatient, refused, type Row } from './row.ts'
import { answer, exchange, gives, response, server, serverStops, start, visit } from './step.ts'

/** The code was sent; no tokens came of it. */
const spent = (status: number, code: Parameters<typeof refused>[1]) =>
  ({ ...refused(status, code), tokenRequests: 1, pending: 'consumed' }) as const

/** Section D, rows 32 to 47: the token endpoint. */
export const sectionD32: readonly Row[] = [
  {
    id: 'D-32',
    title: '400 invalid_grant',
    steps: exchange({ answer: { status: 400, json: { error: 'invalid_grant' } } }),
    expect: {
      ...spent(400, 'code_rejected'),
      oauthError: 'invalid_grant',
      loginUrl: '/login?returnTo=%2Fhere%3Fx%3D1',
    },
  },
  {
    id: 'D-32',
    title: '400 without a readable error',
    steps: exchange({ answer: { status: 400, body: 'no' } }),
    expect: { ...spent(400, 'code_rejected'), oauthError: undefined },
  },
  {
    id: 'D-33',
    title: '401 invalid_client with a challenge',
    steps: exchange({
      answer: {
        status: 401,
        json: { error: 'invalid_client' },
        headers: { 'www-authenticate': 'Basic realm="x"' },
      },
    }),
    expect: {
      ...spent(500, 'client_rejected'),
      oauthError: 'invalid_client',
      headers: { 'www-authenticate': null },
    },
  },
  {
    id: 'D-33',
    title: 'a wrong client secret',
    app: { flow: { clientSecret: 'not-the-right-secret' } },
    before: ['nobody'],
    steps: [start(), answer()],
    expect: { ...spent(500, 'client_rejected'), oauthError: 'invalid_client' },
  },
  {
    id: 'D-33',
    title: '401 that says nothing',
    steps: exchange({ answer: { status: 401, body: '' } }),
    expect: spent(500, 'client_rejected'),
  },
  ...['invalid_client', 'unauthorized_client', 'invalid_scope', 'unsupported_grant_type'].map(
    (error) => ({
      id: 'D-33',
      title: `400 ${error}`,
      steps: exchange({ answer: { status: 400, json: { error } } }),
      expect: { ...spent(500, 'client_rejected'), oauthError: error },
    }),
  ),
  {
    id: 'D-34',
    title: '500: the code is not sent again',
    steps: exchange({ answer: { status: 500, json: { error: 'server_error' } } }),
    expect: { ...spent(503, 'server_unavailable'), retryAfter: 'some' },
  },
  ...[503, 429].map((status) => ({
    id: 'D-34',
    title: `${status} with Retry-After`,
    steps: exchange({ answer: { status, body: 'later', headers: { 'retry-after': '7' } } }),
    expect: {
      ...spent(503, 'server_unavailable'),
      retryAfter: 7,
    } as const,
  })),
  {
    id: 'D-34',
    title: '503 with a Retry-After of years',
    steps: exchange({ answer: { status: 503, headers: { 'retry-after': '999999999' } } }),
    expect: { ...spent(503, 'server_unavailable'), retryAfter: 3_600 },
  },
  {
    id: 'D-34',
    title: '503 with a Retry-After that is none',
    steps: exchange({ answer: { status: 503, headers: { 'retry-after': '-1; x' } } }),
    expect: { ...spent(503, 'server_unavailable'), retryAfter: 1 },
  },
  {
    id: 'D-34',
    title: '503 with a Retry-After in the past',
    steps: exchange({
      answer: { status: 503, headers: { 'retry-after': 'Wed, 21 Oct 2015 07:28:00 GMT' } },
    }),
    expect: { ...spent(503, 'server_unavailable'), retryAfter: 1 },
  },
  {
    id: 'D-34',
    title: 'a repetition is told when to come back, too',
    before: ['nobody'],
    steps: [
      start(),
      server('token', { answer: { status: 503, headers: { 'retry-after': '7' } } }),
      gives(answer(), 503, 'server_unavailable'),
      answer(),
    ],
    expect: { ...spent(503, 'server_unavailable'), retryAfter: 'some' },
  },
  {
    id: 'D-35',
    title: 'connection refused',
    steps: [start(), { do: 'authorize', tab: 'main' }, serverStops, answer()],
    expect: {
      ...refused(503, 'server_unavailable'),
      pending: 'consumed',
      retryAfter: 'some',
    },
  },
  ...(['before-response', 'mid-body'] as const).map((reset) => ({
    id: 'D-35',
    title: `connection reset ${reset}`,
    steps: exchange({ reset }),
    expect: spent(503, 'server_unavailable'),
  })),
  {
    id: 'D-35',
    title: 'no such host',
    app: {
      flow: {
        issuer: undefined,
        server: {
          issuer: 'http://127.0.0.1',
          authorization_endpoint: 'http://localhost:1/authorize',
          token_endpoint: 'http://localhost:1/token',
        },
        scope: 'read',
        agent: new http.Agent({
          lookup: (_host, _options, done) =>
            done(Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' }), '', 4),
        }),
      },
    },
    before: ['nobody'],
    steps: [start(), { do: 'invent an answer', tab: 'main' }, answer()],
    expect: { ...refused(503, 'server_unavailable'), pending: 'consumed' },
  },
  {
    id: 'D-36',
    title: 'the token endpoint hangs',
    app: impatient,
    slow: true,
    steps: exchange({ hang: true }),
    expect: { ...spent(504, 'server_timeout'), retryAfter: 'some' },
  },
  {
    id: 'D-37',
    title: 'its body drips',
    app: impatient,
    slow: true,
    steps: exchange({ drip: 100 }),
    expect: spent(504, 'server_timeout'),
  },
  {
    id: 'D-38',
    title: 'the browser goes away in the meantime: finished, and signed in when it comes back',
    steps: [start(), answer('main', { abort: true }), answer()],
    expect: arrived(),
  },
  {
    id: 'D-39',
    title: 'a body of 64 MiB',
    steps: exchange({ huge: 64 }),
    expect: spent(502, 'invalid_server_response'),
  },
  {
    id: 'D-39',
    title: 'a good response of more than 1 MiB',
    steps: response({ padding: 'x'.repeat(1024 * 1024) }),
    expect: spent(502, 'invalid_server_response'),
  },
  {
    id: 'D-39',
    title: 'a good response of less',
    steps: response({ padding: 'x'.repeat(1000 * 1000) }),
    expect: arrived(),
  },
  ...[
    { body: '<html>Sorry</html>' },
    { body: '{"access_token":"x","token_ty' },
    { body: '' },
    { json: [] },
    { json: null },
    { json: 'x' },
    { json: 1 },
    { json: {} },
    { status: 204, body: '' },
    { status: 206, json: { access_token: 'x', token_type: 'bearer' } },
    { status: 403, body: 'firewall' },
    { status: 404, body: 'nothing' },
  ].map((given) => ({
    id: 'D-40',
    title: JSON.stringify(given),
    steps: exchange({ answer: given }),
    expect: spent(502, 'invalid_server_response'),
  })),
  {
    id: 'D-41',
    title: 'good JSON as text/html',
    steps: exchange({ headers: { 'content-type': 'text/html' } }),
    expect: arrived(),
  },
  {
    id: 'D-41',
    title: 'good JSON without a content type',
    steps: exchange({ headers: { 'content-type': null } }),
    expect: arrived(),
  },
  {
    id: 'D-42',
    title: '200 with an error only',
    steps: exchange({ answer: { json: { error: 'invalid_grant' } } }),
    expect: { ...spent(400, 'code_rejected'), oauthError: 'invalid_grant' },
  },
  ...['invalid_grant', 'bad_verification_code', ''].map((error) => ({
    id: 'D-42',
    title: `error "${error}" beside tokens`,
    steps: response({ error }),
    expect: spent(400, 'code_rejected'),
  })),
  {
    id: 'D-42',
    title: 'an error that is a secret is repeated nowhere',
    steps: exchange({
      tokenResponse: ({ access_token, id_token }) => ({
        error: access_token,
        error_description: id_token,
      }),
    }),
    expect: { ...spent(400, 'code_rejected'), oauthError: undefined },
  },
  ...[null, {}, false].map((error) => ({
    id: 'D-42',
    title: `error ${JSON.stringify(error)}, which is none, beside tokens`,
    steps: response({ error }),
    expect: arrived(),
  })),
  ...[301, 302, 303, 307, 308].map((status) => ({
    id: 'D-43',
    title: `${status} of the token endpoint is not followed`,
    steps: exchange({ answer: { status, headers: { location: '/token?again' } } }),
    expect: spent(502, 'invalid_server_response'),
  })),
  {
    id: 'D-43',
    title: '307 of the revocation endpoint is not followed',
    steps: [
      start(),
      server('token', { idToken: { sign: 'none' } }),
      server('revocation', { answer: { status: 307, headers: { location: '/other' } } }),
      answer(),
      { do: 'server got', endpoint: 'revocation', count: 2 },
    ],
    expect: {
      ...spent(502, 'id_token_invalid'),
      requests: { other: 0 },
    },
  },
  ...(['discovery', 'jwks'] as const).flatMap((endpoint) => [
    {
      id: 'D-43',
      title: `three redirects of ${endpoint} within its origin are followed`,
      steps: [
        server(
          endpoint,
          { answer: { status: 302, headers: { location: '?again' } } },
          { times: 3 },
        ),
        start(),
        answer(),
      ],
      expect: { ...arrived(), requests: { [endpoint]: 4 } },
    },
    {
      id: 'D-43',
      title: `a fourth one of ${endpoint} is not`,
      before: ['nobody'] as const,
      steps: [
        server(endpoint, { answer: { status: 302, headers: { location: '?again' } } }),
        start(),
        ...(endpoint === 'jwks' ? [answer()] : []),
      ],
      expect:
        endpoint === 'jwks'
          ? { ...failed(502, 'invalid_server_response'), requests: { jwks: 4 } }
          : { ...refused(502, 'invalid_server_response'), requests: { discovery: 4 } },
    },
    {
      id: 'D-43',
      title: `one of ${endpoint} to another origin is not`,
      before: ['nobody'] as const,
      app: { secondFlow: {} } as const,
      steps: [
        { do: 'redirect to the second server', endpoint } as const,
        start(),
        ...(endpoint === 'jwks' ? [answer()] : []),
      ],
      expect:
        endpoint === 'jwks'
          ? { ...failed(502, 'invalid_server_response'), requests: { jwks: 1 } }
          : { ...refused(502, 'invalid_server_response'), requests: { discovery: 1 } },
    },
  ]),
  ...['Bearer', 'bEARER', undefined, null, 7].map((token_type) => ({
    id: 'D-44',
    title: `token_type ${JSON.stringify(token_type) ?? 'missing'}`,
    steps: response({ token_type }),
    expect: arrived(),
  })),
  ...['mac', 'DPoP', 'N_A', ''].map((token_type) => ({
    id: 'D-44',
    title: `token_type ${JSON.stringify(token_type)}, which nobody asked for`,
    steps: response({ token_type }),
    expect: spent(502, 'invalid_server_response'),
  })),
  ...[-1, 'abc', '3600abc', '', null, {}, [], true].map((expires_in) => ({
    id: 'D-45',
    title: `expires_in ${JSON.stringify(expires_in)}: unknown`,
    steps: response({ expires_in }),
    expect: { ...arrived(), expires: 'unknown' } as const,
  })),
  ...(
    [
      ['3600', 'in an hour'],
      [1e308, 'in a year'],
      ['9'.repeat(400), 'in a year'],
      [undefined, 'unknown'],
      [0, 'already'],
      ['0', 'already'],
    ] as const
  ).map(([expires_in, expires]) => ({
    id: 'D-46',
    title: `expires_in ${(JSON.stringify(expires_in) ?? 'missing').slice(0, 20)}: ends ${expires}`,
    // One that has ended already would be refreshed at once.
    steps: response({ expires_in, ...(expires === 'already' && { refresh_token: undefined }) }),
    expect: { ...arrived(), expires },
  })),
  {
    id: 'D-46',
    title: 'expires_in 0, at the refresh, too: signed in, without a usable token, and no storm',
    steps: [
      ...response({ expires_in: 0 }),
      gives(visit('/public'), 200),
      gives(visit('/members'), 200),
      visit('/private', { headers: { accept: 'application/json' } }),
    ],
    expect: {
      status: 503,
      code: 'server_unavailable',
      signedIn: 'alice',
      tokenRequests: 2,
      // The refresh token of the login is spent.
      revoked: 'not looked at',
    },
  },
  ...['', undefined, null, 7, {}].map((access_token) => ({
    id: 'D-47',
    title: `access_token ${JSON.stringify(access_token) ?? 'missing'}`,
    steps: response({ access_token }),
    expect: spent(502, 'invalid_server_response'),
  })),
  ...['', undefined, null, 7].map((refresh_token) => ({
    id: 'D-47',
    title: `refresh_token ${JSON.stringify(refresh_token) ?? 'missing'}: goes on without`,
    steps: response({ refresh_token }),
    expect: arrived(),
  })),
  ...[undefined, null, 7].map((id_token) => ({
    id: 'D-47',
    title: `id_token ${JSON.stringify(id_token) ?? 'missing'} with the scope openid`,
    steps: response({ id_token }),
    expect: failed(502, 'invalid_server_response'),
  })),
]
