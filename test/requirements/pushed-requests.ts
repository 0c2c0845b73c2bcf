import { PrivateKeyJwt } from 'openid-client'
import { arrived, type Expectation, impatient, refused, type Row } from './row.ts'
import { answer, server, serverStarts, serverStops, start, type Step, visit } from './step.ts'

const required = { metadata: { require_pushed_authorization_requests: true } } as const

const keys = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, [
  'sign',
  'verify',
])

/** Nothing of the login is kept, and the browser is sent nowhere. */
const nothing = {
  headers: { location: null, 'set-cookie': null },
  stored: 0,
  requests: { authorization: 0 },
} as const

const pushedAndCarried: Expectation = {
  ...arrived(),
  requests: { pushed_authorization: 1, authorization: 1 },
  carried: ['client_id', 'request_uri'],
  pushedRequest: {
    client_id: 'test-client',
    response_type: 'code',
    scope: 'openid',
    redirect_uri: /\/callback$/,
    state: /^[\w-]{43}$/,
    nonce: /^[\w-]{43}$/,
    code_challenge: /^[\w-]{43}$/,
    code_challenge_method: 'S256',
    request_uri: null,
  },
}

const fails = (
  title: string,
  steps: readonly Step[],
  expected: Expectation,
  more: Partial<Row> = {},
): Row => ({
  id: 'D-88',
  title,
  server: required,
  before: ['nobody'],
  ...more,
  steps: [...steps, visit('/login')],
  expect: { ...expected, ...nothing },
})

const answers = (
  status: number,
  json?: unknown,
  headers: Record<string, string> = {},
): readonly Step[] => [server('pushed_authorization', { answer: { status, json, headers } })]

/** C-34 and D-88: pushed authorization requests (RFC 9126). */
export const pushedRequests: readonly Row[] = [
  {
    id: 'C-34',
    title: 'the browser carries a reference and nothing else; client_secret_basic',
    server: required,
    steps: [start(), answer()],
    expect: {
      ...pushedAndCarried,
      pushedRequest: { ...pushedAndCarried.pushedRequest, client_secret: null },
    },
  },
  {
    id: 'C-34',
    title: 'the same with client_secret_post',
    server: required,
    app: { flow: { clientAuth: 'client_secret_post' } },
    steps: [start(), answer()],
    expect: pushedAndCarried,
  },
  {
    id: 'C-34',
    title: 'the same with private_key_jwt',
    server: {
      ...required,
      clients: [
        {
          clientId: 'test-client',
          tokenEndpointAuthMethod: 'private_key_jwt',
          jwks: { keys: [await crypto.subtle.exportKey('jwk', keys.publicKey)] },
        },
      ],
    },
    app: { secondFlow: { clientAuth: PrivateKeyJwt(keys.privateKey) } },
    steps: [start('main', { path: '/second/login?returnTo=/here' }), answer()],
    expect: {
      ...arrived('/here'),
      signedIn: 'nobody',
      signedInAtSecond: 'alice',
      requests: { pushed_authorization: 1, authorization: 1 },
    },
  },
  {
    id: 'C-34',
    title: 'the same with form_post',
    server: required,
    app: { tlsProxy: true, flow: { responseMode: 'form_post' } },
    steps: [start(), answer()],
    expect: {
      ...pushedAndCarried,
      status: 303,
      pushedRequest: { ...pushedAndCarried.pushedRequest, response_mode: 'form_post' },
    },
  },
  {
    id: 'C-34',
    title: "parameters of the app's own are pushed, too",
    server: required,
    app: { flow: { authorizationParams: { prompt: 'consent', max_age: '600' } } },
    steps: [start(), answer()],
    expect: {
      ...pushedAndCarried,
      pushedRequest: { ...pushedAndCarried.pushedRequest, prompt: 'consent', max_age: '600' },
    },
  },
  {
    id: 'C-34',
    title: 'the app says that it is required, of a server that does not',
    app: { flow: { server: { require_pushed_authorization_requests: true } } },
    steps: [start(), answer()],
    expect: pushedAndCarried,
  },
  {
    id: 'C-34',
    title: 'a server that could, and does not require it, is not bothered',
    steps: [start(), answer()],
    expect: { ...arrived(), requests: { pushed_authorization: 0, authorization: 1 } },
  },
  {
    id: 'C-34',
    title: 'a server that requires it and says not where',
    server: {
      metadata: { ...required.metadata, pushed_authorization_request_endpoint: undefined },
    },
    before: ['nobody'],
    steps: [visit('/login')],
    expect: { ...refused(502, 'invalid_server_response'), ...nothing },
  },
  {
    id: 'C-34',
    title: 'a server that requires it at an address with plain http:',
    server: {
      metadata: {
        ...required.metadata,
        pushed_authorization_request_endpoint: 'http://server.example/par',
      },
    },
    before: ['nobody'],
    steps: [visit('/login')],
    expect: { ...refused(502, 'invalid_server_response'), ...nothing },
  },
  {
    id: 'C-34',
    title: 'a server that answers 200 instead of 201 will do',
    server: required,
    steps: [
      server('pushed_authorization', {
        answer: { status: 200, json: { request_uri: 'urn:example:1' } },
      }),
      visit('/login'),
    ],
    expect: {
      status: 302,
      signedIn: 'as before',
      tokenRequests: 0,
      headers: { location: /\/authorize\?client_id=test-client&request_uri=urn%3Aexample%3A1$/ },
    },
  },
  ...['invalid_request', 'invalid_client', 'invalid_redirect_uri', undefined].map((error) =>
    fails(
      `400 ${error ?? 'without an error'}`,
      answers(400, error === undefined ? 'no' : { error, error_description: 'x' }),
      refused(500, 'client_rejected'),
    ),
  ),
  fails('401', answers(401, { error: 'invalid_client' }), {
    ...refused(500, 'client_rejected'),
    oauthError: 'invalid_client',
  }),
  fails('a wrong client secret', [], refused(500, 'client_rejected'), {
    app: { flow: { clientSecret: 'wrong' } },
  }),
  fails('503', answers(503, undefined, { 'retry-after': '7' }), {
    ...refused(503, 'server_unavailable'),
    retryAfter: 7,
  }),
  fails('429', answers(429), refused(503, 'server_unavailable')),
  fails('404', answers(404), refused(502, 'invalid_server_response')),
  fails(
    'a redirect',
    answers(307, undefined, { location: 'https://evil.example/' }),
    refused(502, 'invalid_server_response'),
  ),
  fails(
    'the connection breaks',
    [server('pushed_authorization', { reset: 'before-response' })],
    refused(503, 'server_unavailable'),
  ),
  fails(
    'the endpoint hangs',
    [server('pushed_authorization', { hang: true })],
    refused(504, 'server_timeout'),
    { slow: true, app: impatient },
  ),
  ...[
    { title: 'missing', change: { request_uri: undefined } },
    { title: 'empty', change: { request_uri: '' } },
    { title: 'no text', change: { request_uri: 7 } },
    { title: 'an array', change: { request_uri: ['urn:example:1'] } },
    { title: 'of two lines', change: { request_uri: 'urn:a\r\nurn:b' } },
    { title: 'endless', change: { request_uri: `urn:${'x'.repeat(3_000)}` } },
  ].map(({ title, change }) =>
    fails(
      `request_uri ${title}`,
      [server('pushed_authorization', { pushedResponse: (usual) => ({ ...usual, ...change }) })],
      refused(502, 'invalid_server_response'),
    ),
  ),
  fails('HTML', answers(201), refused(502, 'invalid_server_response')),
  fails(
    'more than 1 MiB',
    [server('pushed_authorization', { huge: 2 })],
    refused(502, 'invalid_server_response'),
  ),
  {
    id: 'D-88',
    title: 'a server that is back: the next login goes on',
    server: required,
    steps: [
      start('first'),
      serverStops,
      visit('/login', { gives: { status: 503, code: 'server_unavailable' } }),
      serverStarts,
      start(),
      answer(),
    ],
    expect: arrived(),
  },
]
