import { PrivateKeyJwt } from 'openid-client'
import { arrived, failed, refused, type Row, stillSignedIn } from './row.ts'
import {
  answer,
  frame,
  gives,
  image,
  later,
  logIn,
  navigation,
  program,
  script,
  server,
  start,
  type Step,
  visit,
} from './step.ts'

const signingKeys = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, [
  'sign',
  'verify',
])

/** The second flow connects accounts. */
const connecting = { secondFlow: { purpose: 'connect', userId: () => 'ann' } } as const

/** Section C, 28 to 46: cross-site requests, TLS, keys, secrets, logout, limits. */
export const sectionC28: readonly Row[] = [
  ...[
    { title: 'an image of another site', headers: image('cross-site'), status: 403 },
    { title: 'a frame of another site', headers: frame('cross-site'), status: 403 },
    { title: 'a script of another site', headers: script('cross-site'), status: 403 },
    { title: 'an image', headers: image('same-origin'), status: 401 },
    { title: 'a frame', headers: frame('same-origin'), status: 401 },
    { title: 'fetch()', headers: script('same-origin'), status: 401 },
  ].flatMap(({ title, headers, status }) =>
    ['/login', '/sign-up'].map((path) => ({
      id: 'C-28',
      title: `${path} by ${title} starts nothing`,
      steps: [visit(path, { headers })],
      expect: {
        ...refused(status, status === 403 ? 'cross_site_request' : 'login_required'),
        headers: { location: null, 'set-cookie': null },
      },
    })),
  ),
  ...[
    { 'sec-purpose': 'prefetch' },
    { 'sec-purpose': 'prefetch;prerender' },
    { purpose: 'prefetch' },
    { 'x-moz': 'prefetch' },
    { purpose: 'preview' },
  ].flatMap((headers) =>
    ['/login', '/sign-up'].map((path) => ({
      id: 'C-28',
      title: `${path} by ${JSON.stringify(headers)} starts nothing`,
      steps: [visit(path, { headers })],
      expect: {
        status: 204,
        signedIn: 'as before',
        tokenRequests: 0,
        headers: { location: null, 'set-cookie': null, 'cache-control': 'no-store' },
      } as const,
    })),
  ),
  ...['HEAD', 'POST', 'PUT', 'OPTIONS'].map((method) => ({
    id: 'C-28',
    title: `${method} of /login starts nothing`,
    steps: [visit('/login', { method })],
    expect: {
      status: 405,
      signedIn: 'as before',
      tokenRequests: 0,
      headers: { allow: 'GET', 'set-cookie': null },
    } as const,
  })),
  {
    id: 'C-28',
    title: "HEAD of a login route of the app's own starts nothing",
    before: ['nobody'],
    steps: [visit('/sign-up', { method: 'HEAD' })],
    expect: {
      status: 401,
      signedIn: 'as before',
      tokenRequests: 0,
      headers: { location: null, 'set-cookie': null },
    },
  },
  ...(
    [
      { title: 'an image', headers: image('same-origin') },
      { title: 'an image of another site', headers: image('cross-site') },
      { title: 'a frame of another site', headers: frame('cross-site') },
      { title: 'a prefetch', headers: { 'sec-purpose': 'prefetch' } },
      { title: 'HEAD', method: 'HEAD' },
    ] as const
  ).flatMap(({ title, ...request }) =>
    ['/private', '/members', '/redirecting'].map((path) => ({
      id: 'C-28',
      title: `a guard (${path}) starts nothing for ${title}`,
      before: ['nobody'] as const,
      steps: [visit(path, request)],
      expect: {
        status: 401,
        ...(title !== 'HEAD' && { code: 'login_required' as const }),
        signedIn: 'as before',
        tokenRequests: 0,
        headers: { location: null, 'set-cookie': null },
      } as const,
    })),
  ),
  ...['same-origin', 'none', 'same-site', 'cross-site'].map((site) => ({
    id: 'C-28',
    title: `a navigation starts a login: ${site}`,
    steps: [start('main', { headers: navigation(site) }), answer()],
    expect: arrived(),
  })),
  ...(
    [
      { title: 'a link on another site', headers: navigation('cross-site') },
      { title: 'a link on another host of this site', headers: navigation('same-site') },
      { title: 'another Origin', headers: { origin: 'https://evil.example' } },
      { title: 'no Origin but another Referer', headers: { referer: 'https://evil.example/' } },
      { title: 'neither Fetch Metadata, Origin nor Referer', headers: {} },
    ] as const
  ).map(({ title, headers }) => ({
    id: 'C-28',
    title: `an account is not connected by ${title}`,
    app: connecting,
    steps: [visit('/second/login', { headers })],
    expect: {
      ...refused(403, 'cross_site_request'),
      headers: { location: null, 'set-cookie': null },
    },
  })),
  ...(
    [
      { title: 'a link of ours', headers: navigation('same-origin') },
      { title: 'the address bar', headers: navigation('none') },
      { title: 'our Origin', headers: { origin: 'http://127.0.0.1' } },
      { title: 'no Origin and our Referer', headers: { referer: 'http://127.0.0.1/page' } },
    ] as const
  ).map(({ title, headers }) => ({
    id: 'C-28',
    title: `an account is connected by ${title}`,
    app: connecting,
    steps: [start('main', { path: '/second/login?returnTo=/here', headers }), answer()],
    expect: { ...arrived('/here'), signedIn: 'nobody', signedInAtSecond: 'alice' } as const,
  })),
  ...(
    [
      ['a link on another site', 'GET', navigation('cross-site')],
      ['a form of another site', 'POST', navigation('cross-site')],
      ['an image', 'GET', image('same-origin')],
      [
        'a form of another origin, in a browser without Fetch Metadata',
        'POST',
        { origin: 'https://evil.example' },
      ],
    ] as const
  ).map(([title, method, headers]) => ({
    id: 'C-28',
    title: `nobody is logged out by ${title}`,
    steps: [visit('/logout', { method, headers })],
    expect: { ...refused(403, 'cross_site_request'), headers: { location: null } },
  })),
  {
    id: 'C-28',
    title: 'another site can have three logins pending, and pushes out none of ours',
    app: { flow: { maxPendingLogins: 5 } },
    steps: [
      start('own'),
      ...Array.from({ length: 9 }, (_, at) =>
        start(`foreign ${at}`, { headers: navigation('cross-site') }),
      ),
      gives(answer('foreign 5'), 400, 'login_not_found'),
      gives(answer('foreign 6'), 302),
      gives(answer('foreign 8'), 302),
      answer('own'),
    ],
    expect: { ...arrived(), tokenRequests: 3 },
  },
  {
    id: 'C-30',
    title: 'an endpoint in the metadata with plain http: beyond loopback',
    server: { metadata: { token_endpoint: 'http://server.example/token' } },
    before: ['nobody'],
    steps: [start()],
    expect: { ...refused(502, 'invalid_server_response'), requests: { authorization: 0 } },
  },
  {
    id: 'C-30',
    title: 'an authorization endpoint that is no web address',
    server: { metadata: { authorization_endpoint: 'javascript:alert(1)' } },
    before: ['nobody'],
    steps: [start()],
    expect: { ...refused(502, 'invalid_server_response'), headers: { location: null } },
  },
  {
    id: 'C-30',
    title: 'signing keys over plain http: beyond loopback',
    server: { metadata: { jwks_uri: 'http://server.example/jwks' } },
    before: ['nobody'],
    steps: [start(), answer()],
    expect: failed(502, 'invalid_server_response'),
  },
  {
    id: 'C-31',
    title: 'the keys are rotated just after they were fetched: fetched again, the login goes on',
    steps: [...logIn('first'), { do: 'keys rotate' }, later(2_000), start(), answer()],
    expect: { ...arrived(), tokenRequests: 2, requests: { jwks: 2 } },
  },
  {
    id: 'C-32',
    title: 'the access token is in no address, cookie, session or error',
    steps: [...logIn(), visit('/private')],
    expect: { status: 200, signedIn: 'alice', tokenRequests: 1 },
  },
  {
    id: 'C-33',
    title: 'the session holds a reference and nothing more',
    steps: [
      ...logIn(),
      { do: 'session holds', members: ['cookie', 'pkceFlow'] },
      visit('/private'),
    ],
    expect: { status: 200, signedIn: 'alice', tokenRequests: 1 },
  },
  {
    id: 'C-36',
    title: 'private_key_jwt, for the issuer as a string',
    server: {
      clients: [
        {
          clientId: 'test-client',
          tokenEndpointAuthMethod: 'private_key_jwt',
          jwks: { keys: [await crypto.subtle.exportKey('jwk', signingKeys.publicKey)] },
        },
      ],
    },
    app: { secondFlow: { clientAuth: PrivateKeyJwt(signingKeys.privateKey) } },
    steps: [start('main', { path: '/second/login?returnTo=/here' }), answer()],
    expect: { ...arrived('/here'), signedIn: 'nobody', signedInAtSecond: 'alice' },
  },
  {
    id: 'C-40',
    title: 'Back brings no private page from the cache of the browser',
    before: ['bob'],
    steps: [visit('/logout')],
    expect: {
      status: 302,
      arrives: '/',
      signedIn: 'nobody',
      tokenRequests: 0,
      headers: { 'clear-site-data': '"cache"', 'cache-control': 'no-store' },
    },
  },
  {
    id: 'C-40',
    title: 'after a logout the old cookie yields nothing',
    before: ['bob'],
    steps: [
      { do: 'copy session cookie', from: 'main', to: 'thief' },
      gives(visit('/logout'), 302),
      visit('/private', { by: 'thief', headers: program }),
    ],
    expect: {
      status: 401,
      code: 'login_required',
      signedIn: 'nobody',
      tokenRequests: 0,
      elsewhere: { thief: 'nobody' },
    },
  },
  ...[{ resave: true }, { resave: false }].map((session) => ({
    id: 'C-40',
    title: `a slow request writes the session back after the logout, ${JSON.stringify(session)}`,
    app: { session },
    before: ['bob'] as const,
    steps: [
      { do: 'copy session cookie', from: 'main', to: 'slow' },
      { do: 'slow request begins', by: 'slow', writes: true },
      gives(visit('/logout'), 302),
      { do: 'slow request ends' },
      visit('/private', { headers: program }),
    ] as Step[],
    expect: {
      status: 401,
      code: 'login_required',
      signedIn: 'nobody',
      tokenRequests: 0,
      elsewhere: { slow: 'nobody' },
    } as const,
  })),
  {
    id: 'C-43',
    title: 'a token endpoint that hangs',
    slow: true,
    app: { flow: { timeout: 1_000 } },
    before: ['nobody'],
    steps: [start(), server('token', { hang: true }), answer()],
    expect: { ...refused(504, 'server_timeout'), tokenRequests: 1 },
  },
  {
    id: 'C-43',
    title: 'a userinfo endpoint that hangs',
    slow: true,
    app: { flow: { timeout: 1_000 } },
    before: ['bob'],
    steps: [server('userinfo', { hang: true }), visit('/user-info')],
    expect: { ...stillSignedIn(504, 'kept', 0), code: 'server_timeout' },
  },
  {
    id: 'C-43',
    title: 'a pushed authorization request that drips',
    slow: true,
    app: { flow: { timeout: 1_000 } },
    server: { metadata: { require_pushed_authorization_requests: true } },
    before: ['nobody'],
    steps: [server('pushed_authorization', { drip: 100 }), start()],
    expect: refused(504, 'server_timeout'),
  },
  ...(['userinfo', 'token'] as const).map((endpoint): Row => ({
    id: 'C-43',
    title: `${endpoint === 'token' ? 'a refresh' : 'userinfo'}: a response of more than 1 MiB`,
    before: ['bob'],
    steps: [
      ...(endpoint === 'token' ? [later(3_600_000)] : []),
      server(endpoint, { huge: 2 }),
      visit('/user-info'),
    ],
    expect:
      endpoint === 'token'
        ? { ...stillSignedIn(503, 'kept'), code: 'server_unavailable' }
        : { ...stillSignedIn(502, 'kept', 0), code: 'invalid_server_response' },
  })),
  {
    id: 'C-43',
    title: 'metadata of more than 1 MiB',
    before: ['nobody'],
    steps: [server('discovery', { huge: 2 }), start()],
    expect: refused(502, 'invalid_server_response'),
  },
  {
    id: 'C-43',
    title: 'signing keys of more than 1 MiB',
    before: ['nobody'],
    steps: [start(), server('jwks', { huge: 2 }), answer()],
    expect: failed(502, 'invalid_server_response'),
  },
  {
    id: 'C-43',
    title: 'a token response of more than 1 MiB',
    steps: [
      start(),
      server('token', {
        tokenResponse: (usual) => ({ ...usual, padding: 'x'.repeat(1024 * 1024) }),
      }),
      answer(),
    ],
    expect: { ...refused(502, 'invalid_server_response'), tokenRequests: 1 },
  },
  {
    id: 'C-44',
    title: 'after a posted answer the browser comes back by GET',
    app: { tlsProxy: true, flow: { responseMode: 'form_post' } },
    steps: [start(), answer()],
    expect: { ...arrived(), status: 303 },
  },
  {
    id: 'C-44',
    title: 'after a posted logout, too',
    before: ['bob'],
    steps: [visit('/logout', { method: 'POST' })],
    expect: { status: 303, arrives: '/', signedIn: 'nobody', tokenRequests: 0 },
  },
  {
    id: 'C-45',
    title: 'the scope is openid, if nothing else is asked for',
    steps: [start(), answer()],
    expect: { ...arrived(), authorizationRequest: { scope: 'openid' }, scope: ['openid'] },
  },
  {
    id: 'C-45',
    title: 'plain OAuth 2.0: no scope, no nonce, and no ID Token is needed',
    app: { plainOAuth: true },
    steps: [start(), answer()],
    expect: { ...arrived(), authorizationRequest: { scope: null, nonce: null } },
  },
  ...(
    [
      ['openid profile', ['openid', 'profile']],
      ['', []],
      [undefined, ['openid', 'email']],
      [null, ['openid', 'email']],
      [7, ['openid', 'email']],
    ] as const
  ).map(([scope, granted]) => ({
    id: 'C-45',
    title: `scope ${JSON.stringify(scope) ?? 'missing'} in the token response`,
    app: { flow: { scope: 'openid email' } },
    steps: [
      start(),
      server('token', { tokenResponse: (usual) => ({ ...usual, scope }) }),
      answer(),
    ],
    expect: { ...arrived(), scope: granted },
  })),
]
