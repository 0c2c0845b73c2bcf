import { arrived, refused, type Row } from './row.ts'
import {
  answer,
  frame,
  gives,
  image,
  issuerName,
  navigation,
  start,
  type Step,
  visit,
} from './step.ts'

const issuer = issuerName

const encoded = (parameters: Record<string, string>): string =>
  new URLSearchParams(parameters).toString()

/** A portal's link, in a browser that says so. */
const link = (parameters: Record<string, string>): Step =>
  start('main', { path: `/login?${encoded(parameters)}`, headers: navigation('cross-site') })

interface Posted {
  method: 'POST'
  body: string
  headers: Record<string, string>
}

/** A portal's form. */
const form = (parameters: Record<string, string>, body = encoded(parameters)): Posted => ({
  method: 'POST',
  body,
  headers: {
    ...navigation('cross-site'),
    'content-type': 'application/x-www-form-urlencoded',
  },
})

const post = (parameters: Record<string, string>): Step =>
  start('main', { path: '/login', ...form(parameters) })

const nothingStarted = { headers: { location: null, 'set-cookie': null } }
const foreign = { ...refused(400, 'issuer_mismatch'), ...nothingStarted }

const wrongIssuers: readonly (readonly [string, string])[] = [
  ['of nobody', 'iss=https://evil.example'],
  ['with a slash more', `iss=${issuer}/`],
  ['by http:', 'iss=http://server.example'],
  ['empty', 'iss='],
  ['twice', `iss=${issuer}&iss=${issuer}`],
  ['as an array, with a hint', `iss[]=${issuer}&login_hint=alice`],
  ['missing, with a place', 'target_link_uri=/here'],
  ['missing, with a hint', 'login_hint=alice'],
]

const evilPlaces = [
  'https://evil.example/',
  '//evil.example',
  '/\\evil.example',
  'javascript:alert(1)',
  'http://127.0.0.1/login?iss=x',
  '/login',
  '',
]

/** C-29, D-86 and A7: logins that a third party initiates (OpenID Connect Core section 4). */
export const initiatedLogin: readonly Row[] = [
  // The suite asks for https: at initiate_login_uri.
  ...[false, true].map((tlsProxy) => ({
    id: 'A7 oidcc-client-test-3rd-party-init-login',
    title: `the suite sends the browser with its issuer: a login at that one (${tlsProxy ? 'https' : 'http'})`,
    app: { tlsProxy },
    steps: [link({ iss: issuer }), answer()],
    expect: { ...arrived('/'), requests: { authorization: 1 } },
  })),
  {
    id: 'C-29',
    title: 'GET: the hint is passed on, the place is where it leads, the rest is ignored',
    steps: [
      link({
        iss: issuer,
        login_hint: 'älice@a.example',
        target_link_uri: '/here?x=1',
        prompt: 'none',
        scope: 'admin',
        state: 'x',
        returnTo: '/elsewhere',
      }),
      answer(),
    ],
    expect: {
      ...arrived(),
      authorizationRequest: { login_hint: 'älice@a.example', prompt: null, scope: 'openid' },
    },
  },
  ...[false, true].map((tlsProxy) => ({
    id: 'C-29',
    title: `POST: the same${tlsProxy ? ', with the answer by form_post' : ''}`,
    ...(tlsProxy && { app: { tlsProxy, flow: { responseMode: 'form_post' } } as const }),
    steps: [post({ iss: issuer, login_hint: 'alice', target_link_uri: '/here?x=1' }), answer()],
    expect: {
      ...arrived(),
      ...(tlsProxy && { status: 303 }),
      authorizationRequest: { login_hint: 'alice' },
    },
  })),
  ...(['simple', 'extended', 'text', 'raw'] as const).map((parser) => ({
    id: 'C-29',
    title: `POST: the same in an app that parses forms itself (${parser})`,
    app: { parser },
    steps: [post({ iss: issuer, target_link_uri: '/here?x=1' }), answer()],
    expect: arrived(),
  })),
  {
    id: 'C-29',
    title: 'POST: the person who is signed in is somebody else, whose session ends',
    before: ['bob'],
    steps: [post({ iss: issuer, target_link_uri: '/here' }), answer()],
    expect: { ...arrived('/here'), sessionData: 'gone' },
  },
  {
    id: 'C-29',
    title: 'the answer that sends the browser away is not for frames',
    steps: [visit(`/login?iss=${issuer}`, { headers: navigation('cross-site') })],
    expect: {
      status: 302,
      signedIn: 'as before',
      tokenRequests: 0,
      headers: { 'content-security-policy': /frame-ancestors 'none'/ },
    },
  },
  ...[
    ['a frame', frame('cross-site')] as const,
    ['an image', image('cross-site')] as const,
  ].flatMap(([title, headers]) =>
    ['GET', 'POST'].map((method) => ({
      id: 'C-29',
      title: `${method} by ${title} of another site starts nothing`,
      steps: [visit(`/login?iss=${issuer}`, { method, headers })],
      expect: { ...refused(403, 'cross_site_request'), ...nothingStarted },
    })),
  ),
  ...[
    ['no body', { method: 'POST' }] as const,
    ['a form about something else', form({ user: 'alice' })] as const,
    [
      'JSON',
      { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"iss":"x"}' },
    ] as const,
  ].map(([title, request]) => ({
    id: 'C-29',
    title: `POST of ${title} is no such request`,
    steps: [visit('/login', request)],
    expect: {
      status: 405,
      signedIn: 'as before',
      tokenRequests: 0,
      headers: { allow: 'GET', 'set-cookie': null },
    } as const,
  })),
  {
    id: 'C-29',
    title: 'POST of more than 64 kB',
    steps: [visit('/login', form({ iss: 'x'.repeat(70_000) }))],
    expect: { ...refused(400, 'invalid_callback'), ...nothingStarted },
  },
  {
    id: 'C-29',
    title: 'the issuer of a server by hand counts, too',
    app: { serverByHand: true },
    steps: [link({ iss: issuer, target_link_uri: '/here?x=1' }), answer()],
    expect: arrived(),
  },
  {
    id: 'C-29',
    title: 'where nobody knows the issuer, no request is for it',
    app: { plainOAuth: true },
    before: ['nobody'],
    steps: [link({ iss: issuer })],
    expect: foreign,
  },
  ...['login_hint=alice', `iss=https://evil.example`, 'target_link_uri=/here'].map((query) => ({
    id: 'C-29',
    title: `connecting an account takes no orders: ${query} is ignored`,
    app: { secondFlow: { purpose: 'connect', userId: () => 'ann' } },
    steps: [
      start('main', { path: `/second/login?${query}`, headers: navigation('same-origin') }),
      answer(),
    ],
    expect: { ...arrived('/'), signedIn: 'nobody', signedInAtSecond: 'alice' } as const,
  })),
  {
    id: 'C-29',
    title: 'nor by a form',
    app: { secondFlow: { purpose: 'connect', userId: () => 'ann' } },
    steps: [visit('/second/login', form({ iss: issuer }))],
    expect: { status: 405, signedIn: 'as before', tokenRequests: 0, headers: { allow: 'GET' } },
  },
  {
    id: 'C-29',
    title: 'portals have three logins pending, also in browsers that say nothing',
    steps: [
      start('own'),
      ...Array.from({ length: 4 }, (_, at) =>
        start(`portal ${at}`, { path: `/login?iss=${issuer}` }),
      ),
      gives(answer('portal 0'), 400, 'login_not_found'),
      gives(answer('portal 1'), 302),
      answer('own'),
    ],
    expect: { ...arrived(), tokenRequests: 2 },
  },
  {
    id: 'C-29',
    title: 'POST: starts nothing before the browser comes by GET, with its session cookie',
    steps: [visit('/login', form({ iss: issuer, login_hint: 'a b' }))],
    expect: {
      status: 303,
      signedIn: 'as before',
      tokenRequests: 0,
      headers: { location: /^\/login\?iss=http[^&]*&login_hint=a\+b$/, 'set-cookie': null },
    },
  },
  ...wrongIssuers.flatMap(([title, query]) => [
    {
      id: 'D-86',
      title: `iss ${title}, by GET`,
      steps: [visit(`/login?${query}`, { headers: navigation('cross-site') })],
      expect: foreign,
    },
    {
      id: 'D-86',
      title: `iss ${title}, by POST`,
      steps: [visit('/login', form({}, query))],
      expect: foreign,
    },
  ]),
  ...evilPlaces.flatMap((place) => [
    {
      id: 'D-86',
      title: `target_link_uri ${JSON.stringify(place)}: the default, by GET`,
      steps: [link({ iss: issuer, target_link_uri: place }), answer()],
      expect: arrived('/'),
    },
    {
      id: 'D-86',
      title: `target_link_uri ${JSON.stringify(place)}: the default, by POST`,
      steps: [post({ iss: issuer, target_link_uri: place }), answer()],
      expect: arrived('/'),
    },
  ]),
  {
    id: 'D-86',
    title: 'a hint with control characters is dropped',
    steps: [link({ iss: issuer, login_hint: 'a\r\nSet-Cookie: x=y' }), answer()],
    expect: { ...arrived('/'), authorizationRequest: { login_hint: null } },
  },
]
