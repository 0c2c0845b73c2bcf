import { arrived, refused, type Row } from './row.ts'
import { answer, image, navigation, script, serverStops, start, visit } from './step.ts'

/** Section D, rows 79 to 87: cookies, logout, names that objects have. */
export const sectionD79: readonly Row[] = [
  {
    id: 'D-79',
    title: 'a secure session cookie over http: said plainly, no redirect',
    app: { session: { cookie: { secure: true } } },
    before: ['nobody'],
    steps: [start()],
    expect: {
      ...refused(500, 'insecure_cookie'),
      message: /trust proxy/,
      headers: { location: null, 'set-cookie': null },
    },
  },
  {
    id: 'D-79',
    title: 'a proxy ends TLS and is not trusted',
    app: { session: { cookie: { secure: true } } },
    before: ['nobody'],
    steps: [start('main', { headers: { 'x-forwarded-proto': 'https' } })],
    expect: { ...refused(500, 'insecure_cookie'), headers: { location: null } },
  },
  {
    id: 'D-79',
    title: 'a proxy ends TLS and is trusted',
    app: { tlsProxy: true, session: { cookie: { secure: true } } },
    steps: [start(), answer()],
    expect: { ...arrived(), setsSession: true },
  },
  {
    id: 'D-79',
    title: "a proxy ends TLS and is trusted by express-session's own option, which nobody can see",
    app: { session: { proxy: true, cookie: { secure: true } } },
    before: ['nobody'],
    steps: [start('main', { headers: { 'x-forwarded-proto': 'https' } })],
    expect: { ...refused(500, 'insecure_cookie'), message: /trust proxy/ },
  },
  {
    id: 'D-79',
    title: "secure: 'auto' over http",
    app: { session: { cookie: { secure: 'auto' } } },
    steps: [start(), answer()],
    expect: { ...arrived(), setsSession: true },
  },
  {
    id: 'D-80',
    title: 'cookies are blocked: told so at the end, not sent around again',
    before: ['nobody'],
    steps: [start(), { do: 'forget cookies', by: 'main', which: 'all' }, answer()],
    expect: {
      ...refused(400, 'login_not_found'),
      headers: { location: null },
      message: /cookies blocked/,
      setsSession: false,
    },
  },
  ...[
    { title: 'an image of another site', headers: image('cross-site') },
    { title: 'a link of another site', headers: navigation('cross-site') },
    { title: 'a page of a sibling host', headers: navigation('same-site') },
    { title: 'an image of this site', headers: image('same-origin') },
    { title: 'a form of another site', method: 'POST', headers: navigation('cross-site') },
    {
      title: 'a form of another origin, old browser',
      method: 'POST',
      headers: { origin: 'https://evil.example' },
    },
    {
      title: 'a form of a sandboxed page, old browser',
      method: 'POST',
      headers: { origin: 'null' },
    },
  ].flatMap(({ title, ...request }) =>
    ['/logout', '/leave'].map((path) => ({
      id: 'D-81',
      title: `${path} by ${title}: refused`,
      steps: [visit(path, request)],
      expect: { ...refused(403, 'cross_site_request'), headers: { location: null } } as const,
    })),
  ),
  ...[
    { title: 'a link', headers: navigation('same-origin') },
    { title: 'the address bar', headers: navigation('none') },
    { title: 'fetch()', method: 'POST', headers: script('same-origin'), status: 303 },
    { title: 'a form', method: 'POST', headers: navigation('same-origin'), status: 303 },
    { title: 'a form of a browser that says nothing', method: 'POST', status: 303 },
    { title: 'a link of a browser that says nothing' },
  ].map(({ title, status = 302, ...request }) => ({
    id: 'D-81',
    title: `/logout by ${title}: logged out`,
    before: ['nobody', 'bob'] as const,
    steps: [visit('/logout', request)],
    expect: { status, arrives: '/', signedIn: 'nobody', tokenRequests: 0 } as const,
  })),
  {
    id: 'D-81',
    title: 'a prefetch ends nothing',
    before: ['bob'],
    steps: [visit('/logout', { headers: { 'sec-purpose': 'prefetch' } })],
    expect: { status: 204, signedIn: 'as before', tokenRequests: 0 },
  },
  ...['HEAD', 'PUT', 'DELETE', 'OPTIONS'].map((method) => ({
    id: 'D-81',
    title: `${method} ends nothing`,
    before: ['bob'] as const,
    steps: [visit('/logout', { method })],
    expect: {
      status: 405,
      signedIn: 'as before',
      tokenRequests: 0,
      headers: { allow: 'GET, POST' },
    } as const,
  })),
  {
    id: 'D-82',
    title: 'the authorization server is down: logged out here',
    before: ['bob'],
    steps: [serverStops, visit('/logout')],
    expect: { status: 302, arrives: '/', signedIn: 'nobody', tokenRequests: 0 },
  },
  {
    id: 'D-82',
    title: 'it has no end_session_endpoint: logged out here',
    server: { metadata: { end_session_endpoint: undefined } },
    before: ['bob'],
    steps: [visit('/logout?returnTo=/here')],
    expect: { status: 302, arrives: '/here', signedIn: 'nobody', tokenRequests: 0 },
  },
  ...['//evil.example', 'https://evil.example', '/logout', '/%5Cevil.example'].map((place) => ({
    id: 'D-82',
    title: `a logout that is to lead to ${place}`,
    before: ['bob'] as const,
    steps: [visit(`/logout?returnTo=${place}`)],
    expect: { status: 302, arrives: '/', signedIn: 'nobody', tokenRequests: 0 } as const,
  })),
  ...['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'prototype'].flatMap((name) => [
    {
      id: 'D-87',
      title: `${name} as state`,
      steps: [start(), answer('main', { change: (answered) => answered.set('state', name) })],
      expect: { ...refused(400, 'login_not_found'), pending: 'kept' } as const,
    },
    {
      id: 'D-87',
      title: `${name} as another parameter`,
      steps: [start(), answer('main', { change: (answered) => answered.set(name, 'x') })],
      expect: arrived(),
    },
  ]),
  {
    id: 'D-87',
    title: '__proto__ in a form that the app has parsed',
    app: { tlsProxy: true, flow: { responseMode: 'form_post' }, parser: 'extended' },
    steps: [
      start(),
      answer('main', { rewrite: (query) => `${query}&__proto__[state]=x&constructor=y` }),
    ],
    expect: { ...arrived(), status: 303 },
  },
]
