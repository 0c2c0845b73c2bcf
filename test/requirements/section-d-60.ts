import { arrived, refused, type Row } from './row.ts'
import {
  answer,
  image,
  navigation,
  program,
  script,
  start,
  startWith,
  type Step,
  visit,
} from './step.ts'

/** A login that was started with this `returnTo`, up to its end. */
const returning = (returnTo: string): Step[] => [startWith(returnTo), answer()]

/** Where nobody asked for a place, or for one that is none of ours. */
const atHome = arrived('/')

/** Section D, rows 60 to 68: where a login leads. */
export const sectionD60: readonly Row[] = [
  ...[
    '//evil.example',
    '/%5Cevil.example',
    '/%5C/evil.example',
    '%5C/evil.example',
    '///evil.example',
    '//evil.example/%2e%2e',
  ].map((place) => ({ id: 'D-60', title: place, steps: returning(place), expect: atHome })),
  ...[
    'javascript:alert(1)',
    'data:text/html,x',
    'mailto:a@b.example',
    'https://evil.example',
    'https:evil.example',
    'https:/evil.example',
    'HTTP://evil.example',
    '//127.0.0.1',
    'http://127.0.0.1:1/here',
    'https://user@evil.example',
    'here',
    '?x',
    '%23x',
    '',
  ].map((place) => ({ id: 'D-61', title: place, steps: returning(place), expect: atHome })),
  ...[
    '/%09/evil.example',
    '%09//evil.example',
    '%20/here',
    '/here%20',
    '/%0a/evil.example',
    '/%0d%0a/evil.example',
    '/here%0d%0aX: y',
    '/here%00',
    '/here%7f',
  ].map((place) => ({ id: 'D-62', title: place, steps: returning(place), expect: atHome })),
  ...['%0d%0a', '%5c', '%2f%2fevil.example', '%2e%2e', '%00'].map((text) => ({
    id: 'D-63',
    title: `${text}, encoded once more: stays so`,
    steps: returning(encodeURIComponent(`/here?x=${text}`)),
    expect: arrived(`/here?x=${text}`),
  })),
  {
    id: 'D-63',
    title: '/%2f%2fevil.example in the path stays a path',
    steps: returning(encodeURIComponent('/here/%2f%2fevil.example')),
    expect: arrived('/here/%2f%2fevil.example'),
  },
  {
    id: 'D-64',
    title: 'a URL of this origin: its path',
    app: { flow: { redirectUri: 'http://127.0.0.1/callback' } },
    steps: returning(encodeURIComponent('http://127.0.0.1:80/here?a=b#c')),
    expect: arrived('/here?a=b#c'),
  },
  {
    id: 'D-64',
    title: 'compared with redirectUri, not with Host',
    steps: [
      start('main', {
        path: '/login?pkce-flow-moved=1&returnTo=http://evil.example/here',
        headers: { host: 'evil.example' },
      }),
      answer(),
    ],
    expect: atHome,
  },
  {
    id: 'D-64',
    title: 'an origin that the app named',
    app: { flow: { returnToOrigins: ['https://app.example'] } },
    steps: returning('https://app.example/here?a=b'),
    expect: arrived('https://app.example/here?a=b'),
  },
  ...[
    'http://app.example/here',
    'https://app.example.evil.example/',
    'https://app.example:444/',
    'https://user@app.example/',
    'https://app.example%5C@evil.example/',
  ].map((place) => ({
    id: 'D-64',
    title: `${place}, which is another`,
    app: { flow: { returnToOrigins: ['https://app.example'] } },
    steps: returning(place),
    expect: atHome,
  })),
  ...[
    '/./%5Cevil.example',
    '/..//evil.example',
    '/.//evil.example',
    '/here/..//evil.example',
    '/%2e%2e//evil.example',
    '/%252e%252e//evil.example/..//..//evil.example',
  ].map((place) => ({ id: 'D-65', title: place, steps: returning(place), expect: atHome })),
  {
    id: 'D-65',
    title: '/a/../here is normalised',
    steps: returning('/a/../here'),
    expect: arrived('/here'),
  },
  ...[
    '/login',
    '/login?returnTo=/here',
    '/login/',
    '/logout',
    '/callback?code=x',
    '/./login',
    '/a/../logout',
    '/login%23x',
  ].map((place) => ({
    id: 'D-66',
    title: place,
    steps: returning(encodeURIComponent(decodeURIComponent(place))),
    expect: atHome,
  })),
  {
    id: 'D-66',
    title: 'the same with a basePath',
    app: {
      flow: { redirectUri: 'http://127.0.0.1/app/callback', basePath: '/app' },
    },
    steps: [startWith('/app/login'), answer('main', { path: '/callback' })],
    expect: { status: 302, signedIn: 'alice', tokenRequests: 1, headers: { location: '/app/' } },
  },
  {
    id: 'D-67',
    title: '2 kB',
    steps: returning(`/here?x=${'x'.repeat(2_040)}`),
    expect: arrived(`/here?x=${'x'.repeat(2_040)}`),
  },
  { id: 'D-67', title: '10 kB', steps: returning(`/here?x=${'x'.repeat(10_000)}`), expect: atHome },
  {
    id: 'D-67',
    title: 'an array',
    app: { queryParser: 'extended' },
    steps: [start('main', { path: '/login?returnTo[]=/here&returnTo[]=/here' }), answer()],
    expect: atHome,
  },
  {
    id: 'D-67',
    title: 'an object',
    app: { queryParser: 'extended' },
    steps: [start('main', { path: '/login?returnTo[path]=/here' }), answer()],
    expect: atHome,
  },
  {
    id: 'D-68',
    title: 'a guarded page: comes back to it',
    steps: [start('main', { path: '/private?x=1', headers: navigation('none') }), answer()],
    expect: arrived('/private?x=1'),
  },
  {
    id: 'D-68',
    title: 'a form posted to a guarded page: comes back to the default',
    steps: [
      start('main', { path: '/private', method: 'POST', headers: navigation('same-origin') }),
      answer(),
    ],
    expect: atHome,
  },
  {
    id: 'D-68',
    title: 'a form posted to a guarded page is answered by 303',
    before: ['nobody'],
    steps: [start('main', { path: '/private', method: 'POST' })],
    expect: { status: 303, signedIn: 'as before', tokenRequests: 0 },
  },
  ...[
    script('same-origin'),
    script('cross-site'),
    image('same-origin'),
    { 'x-requested-with': 'XMLHttpRequest' },
    program,
    { accept: '*/*' },
  ].map((headers) => ({
    id: 'D-68',
    title: `a program gets problem JSON and no redirect: ${JSON.stringify(headers)}`,
    before: ['nobody'] as const,
    steps: [visit('/private', { headers })],
    expect: {
      ...refused(401, 'login_required'),
      body: { loginUrl: '/login', status: 401 },
      headers: { location: null, 'content-type': 'application/problem+json', 'set-cookie': null },
    } as const,
  })),
]
