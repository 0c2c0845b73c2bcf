import { arrived, formPost, refused, type Row, unreadable } from './row.ts'
import { answer, answerWith, gives, logIn, server, start, type Step, visit } from './step.ts'

/** Somebody else has written to the store. */
const tamper = (change: (content: Record<string, unknown>) => object): Step => ({
  do: 'tamper',
  what: 'pending login',
  change: (row) => ({ ...row, content: change(row.content ?? {}) }),
})

const lose: Step = { do: 'drop', what: 'tokens' }

/** Section C, 20 to 27: tokens, parameters, places, the new session, cookies. */
export const sectionC20: readonly Row[] = [
  ...['DPoP', 'mac'].map((token_type) => ({
    id: 'C-20',
    title: `token_type ${token_type}, which nobody asked for`,
    steps: [
      start(),
      server('token', { tokenResponse: (usual) => ({ ...usual, token_type }) }),
      answer(),
    ],
    expect: {
      ...refused(502, 'invalid_server_response'),
      tokenRequests: 1,
      pending: 'consumed',
    } as const,
  })),
  ...(
    [
      ['3600abc', 'unknown'],
      [1e308, 'in a year'],
      [undefined, 'unknown'],
    ] as const
  ).map(([expires_in, expires]) => ({
    id: 'C-21',
    title: `expires_in ${expires_in}: ${expires}`,
    steps: [
      start(),
      server('token', { tokenResponse: (usual) => ({ ...usual, expires_in }) }),
      answer(),
    ],
    expect: { ...arrived(), expires },
  })),
  ...(['extended', 'simple'] as const).map((queryParser) => ({
    id: 'C-22',
    title: `unknown parameters are passed over, query parser "${queryParser}"`,
    app: { queryParser },
    steps: [
      start(),
      answer('main', {
        rewrite: (query) =>
          `session_state=1.2&${query}&scope=a+b&state[x]=1&code[]=2&__proto__[iss]=x&<b>=1&authuser=0`,
      }),
    ],
    expect: arrived(),
  })),
  ...['code', 'state', 'error', 'error_description', 'other'].map((name) => ({
    id: 'C-22',
    title: `${name} with HTML is repeated nowhere`,
    steps: [
      start(),
      answerWith((answered) => {
        answered.set('state', 'unknown-state')
        answered.set(name, '"><script>alert(1)</script>')
      }),
    ],
    expect: { ...refused(400, 'login_not_found'), message: /^[^<>]*$/ } as const,
  })),
  ...(
    [
      ['repeated', (query: string) => `${query}&state=x`],
      ['as an array', (query: string) => query.replace('state=', 'state[]=')],
      [
        'of more than 1 kB',
        (query: string) => query.replace('state=', `state=${'x'.repeat(1_100)}`),
      ],
      ['with NUL', (query: string) => query.replace('state=', 'state=%00')],
    ] as const
  ).map(([title, rewrite]) => ({
    id: 'C-22',
    title: `state ${title}`,
    steps: [start(), answer('main', { rewrite })],
    expect: unreadable,
  })),
  {
    id: 'C-22',
    title: 'more than 64 kB in all',
    app: formPost,
    steps: [start(), answerWith((answered) => answered.set('pad', 'x'.repeat(70_000)))],
    expect: unreadable,
  },
  {
    id: 'C-23',
    title: 'redirect_uri is the configured one, in both requests',
    app: { flow: { redirectUri: 'http://127.0.0.1/callback' } },
    steps: [
      start('main', { headers: { 'x-forwarded-host': 'evil.example' } }),
      answer('main', { headers: { host: 'evil.example' } }),
    ],
    expect: {
      ...arrived(),
      authorizationRequest: { redirect_uri: 'http://127.0.0.1/callback' },
      tokenRequest: { redirect_uri: 'http://127.0.0.1/callback' },
    },
  },
  {
    id: 'C-24',
    title: 'returnTo is checked when it comes',
    steps: [start('main', { path: '/login?returnTo=//evil.example' }), answer()],
    expect: arrived('/'),
  },
  {
    id: 'C-24',
    title: 'and what onLogin says is checked',
    app: { flow: { onLogin: () => 'https://evil.example/', afterLogin: '/here' } },
    steps: [start(), answer()],
    expect: arrived('/here'),
  },
  {
    id: 'C-24',
    title: 'where onLogin says',
    app: { flow: { onLogin: () => Promise.resolve('/here?by=onLogin') } },
    steps: [start(), answer()],
    expect: arrived('/here?by=onLogin'),
  },
  ...['//evil.example', 'https://evil.example/', '/\\evil.example', 'javascript:alert(1)'].flatMap(
    (place) => [
      {
        id: 'C-24',
        title: `and before the browser is sent there: the store says ${JSON.stringify(place)}`,
        steps: [start(), tamper((content) => ({ ...content, returnTo: place })), answer()],
        expect: arrived('/'),
      },
      {
        id: 'C-24',
        title: `and when it is sent there again: the store says ${JSON.stringify(place)}`,
        steps: [
          start(),
          gives(answer(), 302),
          tamper(({ outcome, ...content }) => ({
            ...content,
            outcome: { ...(outcome as object), landing: place },
          })),
          answer(),
        ],
        expect: arrived('/'),
      },
    ],
  ),
  ...[7, null].map((place) => ({
    id: 'C-24',
    title: `and the store says ${JSON.stringify(place)}: that is no login of ours`,
    steps: [start(), tamper((content) => ({ ...content, returnTo: place })), answer()],
    expect: refused(400, 'login_not_found'),
  })),
  {
    id: 'C-25',
    title: 'the callback leads on at once, nothing stays of the code in the address',
    steps: [start(), answer()],
    expect: {
      ...arrived(),
      sentBy: 'redirect',
      headers: { 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' },
    },
  },
  {
    id: 'C-25',
    title: 'also by the page that a strict session cookie needs',
    app: { session: { cookie: { sameSite: 'strict' } } },
    steps: [start(), answer()],
    expect: {
      ...arrived(),
      status: 200,
      sentBy: 'page',
      headers: {
        'cache-control': 'no-store',
        'referrer-policy': 'no-referrer',
        'content-security-policy': /default-src 'none'/,
      },
    },
  },
  {
    id: 'C-25',
    title: 'that page escapes where it leads',
    app: { session: { cookie: { sameSite: 'strict' } } },
    steps: [
      start('main', { path: `/login?returnTo=${encodeURIComponent(`/here?a='&b=<b>"#&#34;`)}` }),
      answer(),
    ],
    expect: { ...arrived('/here?a=%27&b=%3Cb%3E%22#&#34;'), status: 200, sentBy: 'page' },
  },
  ...['/login', '/callback', '/logout'].map((path) => ({
    id: 'C-25',
    title: `${path}: no cache, no referrer`,
    before: ['nobody'] as const,
    steps: [visit(path)],
    expect: {
      status: path === '/callback' ? 400 : 302,
      ...(path === '/callback' && { code: 'invalid_callback' as const }),
      signedIn: 'as before',
      tokenRequests: 0,
      headers: { 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' },
    } as const,
  })),
  {
    id: 'C-26',
    title: 'a new session id; the old one is dead; the session data of a visitor go along',
    steps: [
      gives(visit('/cart/books'), 200),
      { do: 'copy session cookie', from: 'main', to: 'old' },
      ...logIn().slice(0, -1),
      answer(),
    ],
    expect: { ...arrived(), setsSession: true, sessionData: 'kept', elsewhere: { old: 'nobody' } },
  },
  {
    id: 'C-26',
    title: 'a session id that somebody planted',
    steps: [
      gives(visit('/cart/books', { by: 'mallory' }), 200),
      { do: 'copy session cookie', from: 'mallory', to: 'main' },
      start(),
      answer(),
    ],
    expect: { ...arrived(), setsSession: true, elsewhere: { mallory: 'nobody' } },
  },
  {
    id: 'C-26',
    title: "the same person again: the session's data go along, the old tokens are not revoked",
    before: ['bob'],
    steps: [{ do: 'authorize as', sub: 'bob' }, start(), answer()],
    expect: { ...arrived(), signedIn: 'bob', sessionData: 'kept' },
  },
  {
    id: 'C-26',
    title: "another person: the session's data stay behind",
    before: ['bob'],
    steps: [start(), answer()],
    expect: { ...arrived(), sessionData: 'gone' },
  },
  {
    id: 'C-26',
    title: 'the same person again, whose tokens the store lost',
    before: ['bob'],
    steps: [{ do: 'authorize as', sub: 'bob' }, lose, start(), answer()],
    expect: { ...arrived(), signedIn: 'bob', sessionData: 'kept' },
  },
  {
    id: 'C-26',
    title: 'another person, after the store lost the tokens',
    before: ['bob'],
    steps: [lose, start(), answer()],
    expect: { ...arrived(), sessionData: 'gone' },
  },
  {
    id: 'C-26',
    title: 'plain OAuth 2.0 tells no persons apart: session data never move to another one',
    app: { plainOAuth: true },
    before: ['bob'],
    steps: [start(), answer()],
    expect: { ...arrived(), sessionData: 'gone' },
  },
  ...(
    [
      ['the same person again', 'bob', {}, [], 1],
      ['the same person again, whose tokens the store lost', 'bob', {}, [lose], 0],
      ['another person after that', 'alice', {}, [], 0],
      ['plain OAuth 2.0, perhaps the same person again', 'alice', { plainOAuth: true }, [], 0],
    ] as const
  ).map(([title, sub, app, first, keptRefreshTokens]) => ({
    id: 'C-26',
    title: `${title}, without a new refresh token: ${keptRefreshTokens} old ones are kept`,
    app,
    before: ['bob'] as const,
    steps: [
      ...first,
      { do: 'authorize as', sub },
      start(),
      server('token', { tokenResponse: (usual) => ({ ...usual, refresh_token: undefined }) }),
      answer(),
    ] as Step[],
    expect: { ...arrived(), signedIn: sub, keptRefreshTokens },
  })),
  ...(
    [
      ['new', 'gone'],
      [['cart'], 'kept'],
      [['other'], 'gone'],
      ['migrate', 'kept'],
    ] as const
  ).map(([sessionAtLogin, sessionData]) => ({
    id: 'C-26',
    title: `sessionAtLogin ${JSON.stringify(sessionAtLogin)}`,
    app: { flow: { sessionAtLogin } },
    steps: [gives(visit('/cart/books'), 200), start(), answer()],
    expect: { ...arrived(), sessionData },
  })),
  {
    id: 'C-26',
    title: 'no session is made for a visitor who never comes back',
    before: ['nobody'],
    steps: [start()],
    expect: { status: 302, signedIn: 'as before', tokenRequests: 0, setsSession: false },
  },
  {
    id: 'C-26',
    title: 'onLogin throws: nobody is signed in, the old session is as it was',
    app: {
      flow: {
        onLogin({ token }: { token: { claims: { sub: string } } }) {
          if (token.claims.sub === 'alice') throw new Error('Not a member')
        },
      },
    },
    steps: [start(), answer()],
    expect: { status: 500, code: 'app', signedIn: 'as before', tokenRequests: 1, revoked: 'all' },
  },
  {
    id: 'C-26',
    title: 'onLogin threw: a repetition is told so at once',
    app: {
      flow: {
        onLogin({ token }: { token: { claims: { sub: string } } }) {
          if (token.claims.sub === 'alice') throw new Error('Not a member')
        },
      },
    },
    before: ['nobody'],
    steps: [
      start(),
      gives(answer(), 500),
      // Whoever waits for an outcome reads the record again and again.
      { do: 'store', fault: { operation: 'get', kind: 'pending login', how: 'fails', after: 3 } },
      answer(),
    ],
    expect: { ...refused(400, 'login_interrupted'), tokenRequests: 1 },
  },
  {
    id: 'C-27',
    title: 'the cookie of a pending login, over http',
    before: ['nobody'],
    steps: [start()],
    expect: {
      status: 302,
      signedIn: 'as before',
      tokenRequests: 0,
      bindingCookie:
        /^pkce\.[\w-]{8}\.[0-9a-f]{32}=[\w.-]+; Max-Age=(?:600|59\d); Path=\/; Expires=[^;]+; HttpOnly; SameSite=Lax$/,
    },
  },
  {
    id: 'C-27',
    title: 'over https',
    app: { tlsProxy: true },
    before: ['nobody'],
    steps: [start()],
    expect: {
      status: 302,
      signedIn: 'as before',
      tokenRequests: 0,
      bindingCookie:
        /^__Host-pkce\.[^;]+; Max-Age=(?:600|59\d); Path=\/; Expires=[^;]+; HttpOnly; Secure; SameSite=Lax$/,
    },
  },
  {
    id: 'C-27',
    title: 'for form_post',
    app: { tlsProxy: true, flow: { responseMode: 'form_post' } },
    before: ['nobody'],
    steps: [start()],
    expect: {
      status: 302,
      signedIn: 'as before',
      tokenRequests: 0,
      bindingCookie:
        /^__Host-pkce\.[^;]+; Max-Age=(?:600|59\d); Path=\/; Expires=[^;]+; HttpOnly; Secure; SameSite=None$/,
    },
  },
  {
    id: 'C-27',
    title: 'a secure session cookie over http, which would never be set: said at the login',
    app: { session: { cookie: { secure: true } } },
    before: ['nobody'],
    steps: [start()],
    expect: {
      ...refused(500, 'insecure_cookie'),
      headers: { location: null, 'set-cookie': null },
    },
  },
  {
    id: 'C-27',
    title: 'the strict session cookie is not sent with the answer: goes on in that session',
    app: { session: { cookie: { sameSite: true } } },
    steps: [
      gives(visit('/cart/books'), 200),
      start(),
      answer('main', { without: 'session cookie' }),
    ],
    expect: { ...arrived(), status: 200, sentBy: 'page', sessionData: 'kept' },
  },
]
