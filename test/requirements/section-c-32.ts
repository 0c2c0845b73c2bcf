import type { LoginEvent } from '../../src/index.ts'
import { signedIn } from './refreshing.ts'
import { type Row, stillSignedIn } from './row.ts'
import { answer, gives, later, logIn, program, start, type Step, visit } from './step.ts'

const hour = 3_600_000
const fetching = (url: string, headers = program): Step =>
  visit(`/fetch?${new URLSearchParams({ url }).toString()}`, { headers })
const encryptionKeys = ['k'.repeat(43), 'l'.repeat(42) + 'A']

/** The app's own user is who logs in: a key of `iss` and `sub`. */
const perUser = () => ({
  flow: {
    tokenStore: new Map(),
    userId: (req: LoginEvent['req']) => (req.session as { user?: string }).user,
    onLogin({ req, token: { claims } }: LoginEvent) {
      Object.assign(req.session, { user: JSON.stringify([claims!.iss, claims!.sub]) })
    },
  },
})

/** Section C, rows 32, 33, 42 and 45, of tokens that are there: where they go and are kept. */
export const sectionC32: readonly Row[] = [
  {
    ...signedIn('C-32', 'fetch: in the header Authorization, and nowhere else'),
    steps: [fetching('{server}/userinfo?x=1')],
    expect: { ...stillSignedIn(200, 'kept', 0), body: { status: 200 }, requests: { userinfo: 1 } },
  },
  ...[0, hour].map((age): Row => ({
    id: 'C-33',
    title: `encryption at rest: nothing can be read in the store (${age === 0 ? 'login' : 'refresh'})`,
    before: ['bob'],
    app: { flow: { encryptionKeys } },
    steps: [start('under way'), later(age), visit('/private')],
    expect: {
      status: 200,
      signedIn: 'as before',
      sealed: true,
      tokenRequests: age === 0 ? 0 : 1,
      ...(age > 0 && { tokens: 'refreshed' as const }),
    },
  })),
  {
    ...signedIn('C-42', 'fetch: the origin of the authorization server is allowed'),
    steps: [fetching('{server}/userinfo')],
    expect: { ...stillSignedIn(200, 'kept', 0), body: { status: 200 }, requests: { userinfo: 1 } },
  },
  ...[
    '{second}/userinfo',
    'http://user:password@{host}/userinfo',
    'https://other.example/',
    '//other.example/',
    '/path',
    'file:///etc/passwd',
    'not a url',
  ].map((url): Row => ({
    ...signedIn('C-42', `fetch: ${url} is refused, nothing is sent`),
    app: { secondFlow: {} },
    steps: [fetching(url)],
    expect: {
      ...stillSignedIn(500, 'kept', 0),
      code: 'origin_not_allowed',
      requests: { userinfo: 0 },
    },
  })),
  {
    ...signedIn('C-42', 'fetch: a redirect to another origin does not take the token along'),
    app: { secondFlow: {} },
    steps: [
      { do: 'redirect to the second server', endpoint: 'userinfo' },
      fetching('{server}/userinfo'),
    ],
    expect: { ...stillSignedIn(200, 'kept', 0), body: { status: 401 }, requests: { userinfo: 2 } },
  },
  {
    id: 'C-42',
    title: 'fetch: nobody is signed in',
    before: ['nobody'],
    steps: [fetching('{server}/userinfo')],
    expect: {
      status: 401,
      code: 'login_required',
      loginUrl: '/login',
      signedIn: 'nobody',
      tokenRequests: 0,
      requests: { userinfo: 0 },
    },
  },
  {
    id: 'C-45',
    title: 'tokens kept per user, of iss and sub: two people have their own',
    before: ['nobody'],
    app: perUser(),
    steps: [
      ...logIn(),
      { do: 'authorize as', sub: 'bob' },
      start('other', { by: 'other' }),
      gives(answer('other'), 302),
      gives(visit('/user-info', { by: 'other' }), 200),
      visit('/user-info'),
    ],
    expect: {
      status: 200,
      body: { sub: 'alice' },
      signedIn: 'alice',
      elsewhere: { other: 'bob' },
      tokenRequests: 2,
      requests: { userinfo: 2 },
    },
  },
  {
    id: 'C-45',
    title: 'tokens kept per user, of iss and sub: one person’s browsers share theirs',
    before: ['nobody'],
    app: perUser(),
    steps: [
      ...logIn(),
      start('other', { by: 'other' }),
      gives(answer('other'), 302),
      later(hour),
      gives(visit('/private'), 200),
      visit('/user-info', { by: 'other' }),
    ],
    expect: {
      status: 200,
      body: { sub: 'alice' },
      signedIn: 'alice',
      elsewhere: { other: 'alice' },
      tokenRequests: 3,
    },
  },
]
