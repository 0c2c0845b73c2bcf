import { type AppSetUp, arrived, formPost, refused, type Row, unreadable } from './row.ts'
import {
  answer,
  answerWith,
  gives,
  later,
  start,
  store,
  storeBehaves,
  twice,
  visit,
} from './step.ts'

const minute = 60_000

/** Section D, rows 1 to 10: repeated and missing parameters, replays, lost logins, methods. */
export const sectionD01: readonly Row[] = [
  ...['state', 'code', 'iss'].map((name) => ({
    id: 'D-1',
    title: `${name} twice`,
    steps: [start(), answerWith(twice(name))],
    expect: unreadable,
  })),
  {
    id: 'D-1',
    title: 'error twice',
    steps: [
      start(),
      answerWith((answered) => {
        answered.append('error', 'access_denied')
        answered.append('error', 'access_denied')
      }),
    ],
    expect: unreadable,
  },
  ...['simple', 'extended'].flatMap((queryParser) =>
    ['state', 'code'].map((name) => ({
      id: 'D-1',
      title: `${name} twice, with the query parser "${queryParser}"`,
      app: { queryParser } as AppSetUp,
      steps: [start(), answerWith(twice(name))],
      expect: unreadable,
    })),
  ),
  ...[undefined, 'simple', 'extended', 'text', 'raw'].flatMap((parser) =>
    ['state', 'code', 'iss'].map((name) => ({
      id: 'D-1',
      title: `${name} twice in a form, parser of the app: ${parser ?? 'none'}`,
      app: { ...formPost, ...(parser && { parser }) } as AppSetUp,
      steps: [start(), answerWith(twice(name))],
      expect: unreadable,
    })),
  ),
  ...['state[]', 'state[x]', 'state[0]', 'state%5B%5D'].flatMap((name) =>
    [{}, { queryParser: 'extended' } as const, { ...formPost, parser: 'extended' } as const].map(
      (app) => ({
        id: 'D-2',
        title: `${name} in place of state, ${JSON.stringify(app)}`,
        app,
        steps: [
          start(),
          answer('main', { rewrite: (query) => query.replace(/(^|&)state=/, `$1${name}=`) }),
        ],
        expect: unreadable,
      }),
    ),
  ),
  {
    id: 'D-2',
    title: 'code[] in place of code',
    steps: [start(), answer('main', { rewrite: (query) => query.replace(/code=/, 'code[]=') })],
    expect: unreadable,
  },
  {
    id: 'D-3',
    title: "an answer in another person's browser, both stay pending",
    steps: [
      start('main'),
      start('other', { by: 'other' }),
      gives(answer('other', { by: 'main' }), 400, 'login_not_found'),
      gives(answer('other'), 302),
      gives(answer('main', { by: 'other' }), 400, 'login_not_found'),
      answer('main'),
    ],
    expect: { ...arrived(), tokenRequests: 2 },
  },
  {
    id: 'D-3',
    title: "an answer of another person's browser",
    steps: [start('main'), start('other', { by: 'other' }), answer('other', { by: 'main' })],
    expect: { ...refused(400, 'login_not_found'), pending: 'kept', message: /another browser/ },
  },
  {
    id: 'D-3',
    title: 'an answer without the cookie neither uses up nor holds up',
    before: ['nobody'],
    steps: [
      start(),
      gives(answer('main', { without: 'all cookies' }), 400, 'login_not_found'),
      gives(answer('main', { by: 'other' }), 400, 'login_not_found'),
      answer(),
    ],
    expect: arrived(),
  },
  {
    id: 'D-3',
    title: 'the cookie of one login does not do for another',
    steps: [
      start('main'),
      start('other', { by: 'other' }),
      { do: 'forge binding cookie', of: 'other', secretOf: 'main' },
      answer('other', { by: 'main' }),
    ],
    expect: { ...refused(400, 'login_not_found'), pending: 'kept' },
  },
  {
    id: 'D-4',
    title: 'replayed, logged in: arrives where it led, one token request',
    steps: [start(), gives(answer(), 302), answer()],
    expect: { ...arrived(), setsSession: false, pending: 'consumed' },
  },
  {
    id: 'D-4',
    title: 'replayed after somebody else logged in here: that login is kept',
    steps: [
      start(),
      gives(answer(), 302),
      { do: 'authorize as', sub: 'bob' },
      start('second'),
      gives(answer('second'), 302),
      answer(),
    ],
    expect: { ...arrived(), signedIn: 'bob', tokenRequests: 2, revoked: 'not looked at' },
  },
  {
    id: 'D-4',
    title: 'replayed in the session that the login replaced: signed in as the first one',
    before: ['bob'],
    steps: [
      { do: 'copy session cookie', from: 'main', to: 'old' },
      start(),
      gives(answer(), 302),
      { do: 'copy session cookie', from: 'old', to: 'main' },
      answer(),
    ],
    expect: { ...arrived(), setsSession: true },
  },
  {
    id: 'D-5',
    title: 'replayed after a logout: arrives, nobody is signed in',
    steps: [start(), gives(answer(), 302), gives(visit('/logout'), 302), answer()],
    expect: { ...arrived(), signedIn: 'nobody', revoked: 'not looked at' },
  },
  {
    id: 'D-5',
    title: 'replayed within a minute, the session cookie never came: signed in by it',
    steps: [
      start(),
      gives(answer(), 302),
      { do: 'forget cookies', by: 'main', which: 'session' },
      answer(),
    ],
    expect: { ...arrived(), setsSession: true },
  },
  {
    id: 'D-5',
    title: 'replayed after more than a minute without a session cookie: not signed in by it',
    steps: [
      start(),
      gives(answer(), 302),
      { do: 'forget cookies', by: 'main', which: 'session' },
      later(minute + 1_000),
      answer(),
    ],
    expect: { ...arrived(), signedIn: 'nobody', setsSession: false, lostSession: true },
  },
  {
    id: 'D-5',
    title: 'replayed by another browser, with a session of its own',
    before: ['bob'],
    steps: [
      start('main', { by: 'other' }),
      gives(answer('main'), 302),
      answer('main', { by: 'main' }),
    ],
    expect: { ...refused(400, 'login_not_found'), tokenRequests: 1 },
  },
  {
    id: 'D-5',
    title: 'replayed with the cookie, in the session of somebody else',
    steps: [
      start(),
      gives(answer(), 302),
      gives(visit('/cart/books', { by: 'other' }), 200),
      { do: 'copy session cookie', from: 'other', to: 'main' },
      answer(),
    ],
    expect: { ...arrived(), signedIn: 'nobody', lostSession: true },
  },
  {
    id: 'D-5',
    title: 'replayed when its outcome was lost: never a second token request',
    steps: [
      start(),
      store('set', 'pending login', 'fails', { after: 1 }),
      gives(answer(), 302),
      storeBehaves,
      later(minute),
      answer(),
    ],
    expect: {
      status: 400,
      code: 'login_interrupted',
      signedIn: 'alice',
      tokenRequests: 1,
      revoked: 'none',
    },
  },
  {
    id: 'D-5',
    title: 'replayed after loginTimeout: too old',
    steps: [start(), gives(answer(), 302), later(10 * minute), answer()],
    expect: { status: 400, code: 'login_not_found', signedIn: 'alice', tokenRequests: 1 },
  },
  {
    id: 'D-6',
    title: 'no cookie: no session is made, the message says what may be wrong',
    steps: [start(), answer('main', { without: 'all cookies' })],
    expect: {
      ...refused(400, 'login_not_found'),
      pending: 'kept',
      setsSession: false,
      message: /cookies blocked/,
      loginUrl: '/login',
    },
  },
  {
    id: 'D-7',
    title: 'the store lost the record: no automatic restart',
    steps: [start(), { do: 'drop', what: 'pending login' }, answer()],
    expect: {
      ...refused(400, 'login_not_found'),
      loginUrl: '/login',
      headers: { location: null },
      bindingCookie: /Max-Age=0/,
    },
  },
  {
    id: 'D-7',
    title: 'the store lost the session: the login is finished',
    before: ['bob'],
    steps: [start(), { do: 'drop', what: 'session' }, answer()],
    expect: { ...arrived(), status: 200, sentBy: 'page', sessionData: 'gone' },
  },
  {
    id: 'D-8',
    title: 'the app regenerated the session in between: the login is finished',
    before: ['nobody', 'bob'],
    steps: [start(), gives(visit('/regenerate'), 200), answer()],
    expect: arrived(),
  },
  {
    id: 'D-9',
    title: 'no parameters',
    steps: [start(), answer('main', { rewrite: () => '' })],
    expect: unreadable,
  },
  ...['HEAD', 'OPTIONS', 'PUT', 'DELETE', 'POST'].map((method) => ({
    id: 'D-9',
    title: `${method} uses nothing up`,
    steps: [start(), answer('main', { method })],
    expect: {
      status: 405,
      signedIn: 'as before',
      tokenRequests: 0,
      pending: 'kept',
      headers: { allow: 'GET' },
    } as const,
  })),
  {
    id: 'D-10',
    title: 'the code in the fragment, which no server sees',
    steps: [start(), answer('main', { rewrite: (query) => `#${query}` })],
    expect: unreadable,
  },
]
