import { arrived, refused, type Row } from './row.ts'
import { answer, gives, start, store, storeBehaves, visit } from './step.ts'

/** The store failed before anything was sent: the login can be tried again. */
const storeFailed = refused(503, 'store_unavailable')

/** It failed when the tokens were there: revoked, nobody is signed in by them. */
const notStored = {
  ...refused(503, 'store_unavailable'),
  tokenRequests: 1,
  revoked: 'all',
  pending: 'consumed',
} as const

/** Section D, rows 69 to 78: the session's store. */
export const sectionD69: readonly Row[] = [
  ...['/login', '/callback?code=a&state=b', '/logout', '/private', '/public'].map((path) => ({
    id: 'D-69',
    title: `the session cannot be read: ${path}`,
    before: ['bob'] as const,
    steps: [store('get', 'session', 'fails'), visit(path)],
    expect: {
      status: 500,
      code: 'app',
      signedIn: 'as before',
      tokenRequests: 0,
      headers: { 'set-cookie': null, location: null },
    } as const,
  })),
  ...(['fails', 'throws'] as const).map((how) => ({
    id: 'D-69',
    title: `the pending login cannot be read: ${how}`,
    steps: [start(), store('get', 'pending login', how), answer()],
    expect: { ...storeFailed, pending: 'kept' as const, setsSession: false },
  })),
  ...(['fails', 'throws'] as const).flatMap((how) => [
    {
      id: 'D-69',
      title: `the tokens cannot be read: ${how}; a guard says so`,
      before: ['bob'] as const,
      steps: [store('get', 'tokens', how), visit('/private')],
      expect: storeFailed,
    },
    {
      id: 'D-69',
      title: `the tokens cannot be read: ${how}; a public page has none`,
      before: ['bob'] as const,
      steps: [store('get', 'tokens', how), visit('/public')],
      expect: {
        status: 200,
        signedIn: 'as before',
        tokenRequests: 0,
        body: { token: false },
      } as const,
    },
  ]),
  {
    id: 'D-69',
    title: 'the tokens of the login before cannot be read',
    before: ['bob'],
    steps: [start(), store('get', 'tokens', 'fails'), answer()],
    expect: notStored,
  },
  ...['/login', '/callback?code=a&state=b', '/logout', '/private', '/members'].flatMap((path) => [
    {
      id: 'D-70',
      title: `the store is disconnected, so there is no session: ${path}`,
      steps: [{ do: 'store disconnects' } as const, visit(path), { do: 'store connects' } as const],
      expect: { ...refused(500, 'session_missing'), headers: { location: null } } as const,
    },
    {
      id: 'D-70',
      title: `the session's cookie is for another path: ${path}`,
      app: { session: { cookie: { path: '/elsewhere' } } },
      before: ['nobody'] as const,
      steps: [visit(path)],
      expect: { ...refused(500, 'session_missing'), headers: { location: null } } as const,
    },
  ]),
  {
    id: 'D-70',
    title: 'a public page is there all the same',
    steps: [{ do: 'store disconnects' }, visit('/public'), { do: 'store connects' }],
    expect: { status: 200, signedIn: 'as before', tokenRequests: 0, body: { token: false } },
  },
  {
    id: 'D-70',
    title: 'the login goes on when the store is back',
    before: ['nobody', 'bob'],
    steps: [
      start(),
      { do: 'store disconnects' },
      gives(answer(), 500, 'session_missing'),
      { do: 'store connects' },
      answer(),
    ],
    expect: arrived(),
  },
  ...(['fails', 'throws'] as const).map((how) => ({
    id: 'D-71',
    title: `the pending login cannot be stored: ${how}`,
    steps: [store('set', 'pending login', how), start()],
    expect: {
      ...storeFailed,
      headers: { location: null, 'set-cookie': null },
      requests: { authorization: 0 },
    } as const,
  })),
  {
    id: 'D-72',
    title: 'the pending login cannot be taken: nothing is sent, it can be tried again',
    steps: [start(), store('set', 'pending login', 'fails', { times: 1 }), answer()],
    expect: { ...storeFailed, pending: 'kept' },
  },
  {
    id: 'D-72',
    title: 'the answer cannot be kept for going on',
    app: { session: { cookie: { sameSite: 'strict' } } },
    before: ['bob'],
    steps: [
      start(),
      store('set', 'pending login', 'fails', { times: 1 }),
      answer('main', { without: 'session cookie' }),
    ],
    expect: { ...storeFailed, pending: 'kept' },
  },
  {
    id: 'D-72',
    title: 'the outcome cannot be stored: signed in all the same',
    before: ['nobody', 'bob'],
    steps: [start(), store('set', 'pending login', 'fails', { after: 1 }), answer()],
    expect: arrived(),
  },
  {
    id: 'D-73',
    title: 'the old session cannot be destroyed',
    before: ['bob'],
    steps: [start(), store('destroy', 'session', 'fails', { times: 1 }), answer()],
    expect: notStored,
  },
  {
    id: 'D-73',
    title: 'nor can the new one again',
    before: ['bob'],
    steps: [start(), store('destroy', 'session', 'fails'), answer()],
    expect: notStored,
  },
  {
    id: 'D-73',
    title: 'nor can anything be destroyed: nothing of it is signed in',
    before: ['bob'],
    steps: [
      start(),
      store('destroy', 'session', 'fails'),
      store('destroy', 'tokens', 'fails'),
      answer(),
    ],
    expect: notStored,
  },
  ...(['fails', 'throws'] as const).flatMap((how) => [
    {
      id: 'D-74',
      title: `the new session cannot be stored: ${how}`,
      steps: [start(), store('set', 'session', how), answer()],
      expect: { ...notStored, setsSession: false },
    },
    {
      id: 'D-74',
      title: `the tokens cannot be stored: ${how}`,
      steps: [start(), store('set', 'tokens', how), answer()],
      expect: { ...notStored, setsSession: false },
    },
  ]),
  {
    id: 'D-74',
    title: 'the next login works',
    steps: [
      start('first'),
      store('set', 'session', 'fails'),
      gives(answer('first'), 503, 'store_unavailable'),
      storeBehaves,
      start(),
      answer(),
    ],
    expect: { ...arrived(), tokenRequests: 2, revoked: 'not looked at' },
  },
  {
    id: 'D-74',
    title: "the tokens of the login before, somebody else's, cannot be ended: the new one stands",
    before: ['bob'],
    steps: [start(), store('set', 'tokens', 'fails', { after: 1 }), answer()],
    expect: arrived(),
  },
  {
    id: 'D-74',
    title:
      'the tokens of the login before, of the same person, cannot be forgotten: the new one stands',
    before: ['bob'],
    steps: [
      { do: 'authorize as', sub: 'bob' },
      start(),
      store('destroy', 'tokens', 'fails'),
      answer(),
    ],
    expect: { ...arrived(), signedIn: 'bob' },
  },
  {
    id: 'D-74',
    title:
      "express-session's own save afterwards fails, whatever the browser sees: signed in by a repetition",
    before: ['nobody', 'bob'],
    steps: [
      start(),
      store('set', 'session', 'fails', { after: 1 }),
      answer('main', { mayBeLost: true }),
      storeBehaves,
      answer(),
    ],
    expect: arrived(),
  },
  {
    id: 'D-76',
    title: 'the session cannot be destroyed: 503, nowhere "logged out"; then it can',
    before: ['bob'],
    steps: [
      store('destroy', 'session', 'fails'),
      gives(visit('/logout'), 503, 'store_unavailable'),
      storeBehaves,
      visit('/logout'),
    ],
    expect: { status: 302, arrives: '/', signedIn: 'nobody', tokenRequests: 0 },
  },
  {
    id: 'D-76',
    title: 'the session cannot be destroyed: its tokens are gone',
    before: ['bob'],
    steps: [store('destroy', 'session', 'fails'), visit('/logout')],
    expect: {
      status: 503,
      code: 'store_unavailable',
      signedIn: 'nobody',
      tokenRequests: 0,
      headers: { location: null },
    },
  },
  ...(['get', 'set'] as const).map((operation) => ({
    id: 'D-76',
    title: `the tokens cannot be ended (${operation}): still signed in, and told so`,
    before: ['bob'] as const,
    steps: [store(operation, 'tokens', 'fails'), visit('/logout')],
    expect: { ...storeFailed, headers: { location: null } } as const,
  })),
  {
    id: 'D-77',
    title: 'set of a pending login never calls back, at the start',
    slow: true,
    before: ['nobody'],
    steps: [store('set', 'pending login', 'hangs'), start()],
    expect: storeFailed,
  },
  ...(
    [
      ['get', 'pending login', { ...storeFailed, pending: 'kept' }],
      ['set', 'pending login', { ...storeFailed, pending: 'kept' }],
      ['set', 'tokens', notStored],
      ['set', 'session', notStored],
    ] as const
  ).map(([operation, kind, expect]) => ({
    id: 'D-77',
    title: `${operation} of a ${kind} never calls back, at the callback`,
    slow: true as const,
    before: ['nobody'] as const,
    steps: [start(), store(operation, kind, 'hangs', { times: 1 }), answer()],
    expect,
  })),
  ...(['tokens', 'session'] as const).map((kind) => ({
    id: 'D-77',
    title: `set of a ${kind} is done long after it was given up: nobody is signed in by it`,
    slow: true as const,
    steps: [
      start(),
      store('set', kind, 'hangs', { times: 1 }),
      gives(answer(), 503, 'store_unavailable'),
      { do: 'store catches up' } as const,
      answer(),
    ],
    expect: notStored,
  })),
  {
    id: 'D-77',
    title: 'destroy of a session never calls back, at a login',
    slow: true,
    before: ['bob'],
    steps: [start(), store('destroy', 'session', 'hangs', { times: 1 }), answer()],
    expect: notStored,
  },
  {
    id: 'D-77',
    title: 'destroy of a session never calls back, at a logout',
    slow: true,
    before: ['bob'],
    steps: [store('destroy', 'session', 'hangs'), visit('/logout')],
    expect: { status: 503, code: 'store_unavailable', signedIn: 'nobody', tokenRequests: 0 },
  },
  {
    id: 'D-77',
    title: 'get of the tokens never calls back, at a guard',
    slow: true,
    before: ['bob'],
    steps: [store('get', 'tokens', 'hangs'), visit('/private')],
    expect: storeFailed,
  },
  {
    id: 'D-77',
    title: 'every call calls back twice: one answer',
    before: ['nobody', 'bob'],
    steps: [
      ...(['pending login', 'tokens'] as const).flatMap((kind) =>
        (['get', 'set', 'destroy'] as const).map((operation) =>
          store(operation, kind, 'answers twice'),
        ),
      ),
      store('destroy', 'session', 'answers twice'),
      start(),
      answer(),
    ],
    expect: arrived(),
  },
  ...[
    { session: { resave: true }, writes: false },
    { session: { resave: true }, writes: true },
    { session: { rolling: true }, writes: true },
    { session: { cookie: { maxAge: 3_600_000 } }, writes: true },
  ].map(({ session, writes }) => ({
    id: 'D-78',
    title: `a slow request ${writes ? 'writes' : 'saves'} the old session, ${JSON.stringify(session)}: the new one stands`,
    app: { session },
    before: ['nobody', 'bob'] as const,
    steps: [
      gives(visit('/cart/books'), 200),
      { do: 'copy session cookie', from: 'main', to: 'slow' } as const,
      { do: 'slow request begins', by: 'slow', writes } as const,
      start(),
      gives(answer(), 302),
      { do: 'slow request ends' } as const,
      visit('/private'),
    ],
    expect: {
      status: 200,
      signedIn: 'alice',
      tokenRequests: 1,
      revoked: 'none',
      elsewhere: { slow: 'nobody' },
    } as const,
  })),
]
