import {
  logoutConformance,
  wrongLogoutTokens,
  type LogoutConformanceModuleName,
} from '../../src/testing/index.ts'
import type { Expectation, Row } from './row.ts'
import { gives, logIn, program, server, serverStops, type Step, visit } from './step.ts'

const flow = { routes: { backchannelLogout: '/ended', frontchannelLogout: '/framed' } }
const told = { flow, tellsLogouts: 'by tokens' } as const
const framed = { flow, tellsLogouts: 'in frames, too' } as const

/** Logged out here and at the server, and back at afterLogout. */
const loggedOut: Expectation = {
  status: 302,
  arrives: '/',
  signedIn: 'nobody',
  tokenRequests: 1,
  requests: { end_session: 1 },
  logoutRequest: {
    id_token_hint: /^[\w-]+\.[\w-]+\.[\w-]+$/,
    post_logout_redirect_uri: /^http:\/\/127\.0\.0\.1:\d+\/logged-out$/,
    client_id: 'test-client',
    state: /^[\w-]{22}$/,
  },
}
const stays: Expectation = { status: 200, signedIn: 'alice', tokenRequests: 1 }
const ends: Expectation = { status: 200, signedIn: 'nobody', tokenRequests: 1 }
/** A front-channel logout that ends nothing is answered as one that does. */
const ignored: Expectation = { ...stays, headers: { 'cache-control': 'no-store' } }

const section = { 'rp-init': 'A4', 'rp-back': 'A5', 'rp-fron': 'A6' }

const modules = Object.entries(logoutConformance).map(([name, { misbehaviours, status }]): Row => {
  const kind = name.replace('oidcc-client-test-', '').slice(0, 7) as keyof typeof section
  const isFrontchannel = kind === 'rp-fron'
  const byServer = name.endsWith('-opinitlogout')
  return {
    id: `${section[kind]} ${name as LogoutConformanceModuleName}`,
    title:
      status === undefined ? 'logged out' : `logged out, the logout token is answered ${status}`,
    app: isFrontchannel ? framed : told,
    misbehaviours,
    before: ['nobody'],
    steps: [...logIn(), byServer ? { do: 'frame' } : visit('/logout')],
    expect: byServer ? ends : { ...loggedOut, ...(status && { logoutAnswers: [status] }) },
  }
})

/** Nobody is signed in before: there is a login first, of which the server tells. */
const row = (id: string, title: string, steps: readonly Step[], expect: Expectation): Row => ({
  ...{ id, title, app: told, before: ['nobody'], expect },
  steps: [...logIn(), ...steps],
})

const token = (sends: 'sid' | 'sub' | 'both' = 'both') => ({ do: 'logout token', sends }) as const
const form = 'application/x-www-form-urlencoded'
const posted = (body: string, type = form) =>
  ({ do: 'raw request', path: '/ended', method: 'POST', type, body }) as const

const rpInitiated: readonly Row[] = [
  row('C-37', 'the session here ends first, then the server’s', [visit('/logout')], loggedOut),
  row('C-37', 'POST: the browser goes there by GET', [visit('/logout', { method: 'POST' })], {
    ...loggedOut,
    status: 303,
  }),
  row('C-37', 'logout({ atServer: false }) stays here', [visit('/leave-here')], {
    ...loggedOut,
    requests: { end_session: 0 },
    logoutRequest: {},
  }),
  {
    ...row('C-37', 'without end_session_endpoint', [visit('/logout')], loggedOut),
    server: { metadata: { end_session_endpoint: undefined } },
    expect: { ...loggedOut, requests: { end_session: 0 }, logoutRequest: {} },
  },
  {
    ...row('C-37', 'without an ID Token nobody is sent there', [visit('/logout')], loggedOut),
    app: { flow: { scope: 'email' } },
    expect: { ...loggedOut, requests: { end_session: 0 }, logoutRequest: {} },
  },
  row(
    'C-37',
    'the session cannot be ended here: nobody is sent there',
    [
      { do: 'store', fault: { operation: 'destroy', kind: 'session', how: 'fails' } },
      gives(visit('/logout'), 503, 'store_unavailable'),
      { do: 'store behaves' },
      visit('/here'),
    ],
    { ...ends, requests: { end_session: 0 } },
  ),
  row('C-41', 'the tokens are revoked', [visit('/logout')], {
    ...loggedOut,
    revoked: 'all',
    requests: { revocation: 2, end_session: 1 },
  }),
  row(
    'C-41',
    'the server refuses to revoke them',
    [
      server('revocation', { answer: { status: 400, json: { error: 'invalid_request' } } }),
      visit('/logout'),
    ],
    loggedOut,
  ),
  ...(
    [
      ['fails', { answer: { status: 503 } }],
      ['breaks off', { reset: 'before-response' }],
    ] as const
  ).map(([how, fault]) =>
    row(
      'C-41',
      `revoking ${how}: nobody is sent to a server that is down`,
      [server('revocation', fault), visit('/logout')],
      {
        ...loggedOut,
        requests: { end_session: 0 },
        logoutRequest: {},
      },
    ),
  ),
  {
    ...row(
      'C-41',
      'revoking hangs: it is waited for as long as timeout',
      [server('revocation', { hang: true }), visit('/logout')],
      loggedOut,
    ),
    slow: true,
    app: { ...told, flow: { ...flow, timeout: 1_000 } },
    expect: { ...loggedOut, requests: { end_session: 0 }, logoutRequest: {} },
  },
  row('D-82', 'it went down since the login: logged out here', [serverStops, visit('/logout')], {
    ...loggedOut,
    requests: { end_session: 0 },
    logoutRequest: {},
  }),
  ...[
    '',
    '?state=other',
    '?state=',
    '?state=a&state=b',
    '?state[]=x',
    '?state=%00%zz',
    `?state=${'x'.repeat(9_000)}`,
  ].flatMap((query): Row[] => [
    {
      id: 'D-83',
      title: `the return with ${query.slice(0, 30) || 'no state'}, nobody is signed in`,
      before: ['nobody'],
      steps: [visit(`/logged-out${query}`)],
      expect: { status: 303, arrives: '/', signedIn: 'nobody', tokenRequests: 0 },
    },
  ]),
  {
    id: 'D-83',
    title: 'the return, somebody is signed in: ends nothing',
    before: ['bob'],
    steps: [visit('/logged-out?state=x')],
    expect: {
      ...{ status: 303, arrives: '/', signedIn: 'as before', tokenRequests: 0 },
      headers: { 'cache-control': 'no-store', 'set-cookie': null },
    },
  },
]

const backchannel: readonly Row[] = [
  ...(['sid', 'sub', 'both'] as const).map((sends) =>
    row('C-38', `a logout token with ${sends}: 200, without any cookie`, [token(sends)], {
      ...ends,
      headers: { 'cache-control': 'no-store', 'set-cookie': null },
      logoutAnswers: [200],
    }),
  ),
  ...Object.entries(wrongLogoutTokens).map(([what, fault]) =>
    row('C-38', `a logout token with ${what}: 400`, [{ ...token(), fault }], {
      ...stays,
      status: 400,
      body: { error: 'invalid_request' },
      logoutAnswers: [400],
    }),
  ),
  row('C-38', 'valid, of a session that nobody has here: 200', [visit('/leave-here'), token()], {
    ...ends,
    logoutAnswers: [200],
  }),
  row(
    'D-84',
    'sent twice: 200, and the login in between stays',
    [token(), ...logIn('again'), { do: 'logout token again' }],
    {
      ...stays,
      tokenRequests: 2,
    },
  ),
  row('D-84', 'issued in an hour: 400', [{ ...token(), fault: wrongLogoutTokens['future-iat'] }], {
    ...stays,
    status: 400,
    body: { error: 'invalid_request' },
  }),
  row('D-84', 'GET: 405', [{ do: 'raw request', path: '/ended', method: 'GET' }], {
    ...stays,
    status: 405,
    headers: { allow: 'POST' },
  }),
  row('D-84', 'huge: 413', [posted(`logout_token=${'x'.repeat(70_000)}`)], {
    ...stays,
    status: 413,
  }),
  ...['', 'logout_token=', 'logout_token=a&logout_token=b', 'logout_token[]=a', 'x=y'].map((body) =>
    row('D-84', `the form "${body}": 400`, [posted(body)], { ...stays, status: 400 }),
  ),
  row('D-84', 'JSON: 400', [posted('{}', 'application/json')], { ...stays, status: 400 }),
  row(
    'D-84',
    'it cannot be stored: 503, so that the server tries again',
    [{ do: 'store', fault: { operation: 'set', kind: 'logouts', how: 'fails' } }, token()],
    { ...stays, status: 503, code: 'store_unavailable' },
  ),
  ...[{ resave: true }, { resave: false }].map((session): Row => ({
    ...row(
      'D-85',
      `a slow request writes the session back, ${JSON.stringify(session)}: it ends again`,
      [
        { do: 'copy session cookie', from: 'main', to: 'slow' },
        { do: 'slow request begins', by: 'slow', writes: true },
        token(),
        gives(visit('/private', { headers: program }), 401, 'login_required'),
        { do: 'slow request ends' },
        visit('/private', { headers: program }),
      ],
      {
        ...{ status: 401, code: 'login_required', signedIn: 'nobody', tokenRequests: 1 },
        elsewhere: { slow: 'nobody' },
      },
    ),
    app: { ...told, session },
  })),
]

const frontchannel: readonly Row[] = [
  row('C-39', 'iss and sid: ended, framed by the issuer only', [{ do: 'frame' }], {
    ...ends,
    headers: {
      'cache-control': 'no-store',
      'content-security-policy': /^default-src 'none'; frame-ancestors http:\/\/127\.0\.0\.1:\d+$/,
      'x-frame-options': null,
      'set-cookie': null,
    },
  }),
  ...(
    [
      ['neither', ['iss', 'sid']],
      ['sid alone', ['iss']],
      ['iss alone', ['sid']],
    ] as const
  ).map(([what, missing]) =>
    row(
      'C-39',
      `${what}: ignored`,
      [{ do: 'frame', change: (parameters) => missing.forEach((name) => parameters.delete(name)) }],
      ignored,
    ),
  ),
  ...(
    [
      ['iss', 'https://other.example'],
      ['sid', 'unknown'],
      ['sid', ''],
    ] as const
  ).map(([name, value]) =>
    row(
      'C-39',
      `another ${name} "${value}": ignored, and nothing is stored`,
      [{ do: 'frame', change: (parameters) => parameters.set(name, value) }],
      ignored,
    ),
  ),
  ...(['iss', 'sid'] as const).map((name) =>
    row(
      'C-39',
      `${name} twice: ignored`,
      [{ do: 'frame', change: (parameters) => parameters.append(name, 'x') }],
      ignored,
    ),
  ),
]

/** Sections A4 to A6, C-37 to C-41 and D-82 to D-85: logging out at the authorization server. */
export const sectionLogout: readonly Row[] = [
  ...modules,
  ...rpInitiated,
  ...backchannel,
  ...frontchannel.map((each): Row => ({ ...each, app: framed })),
]
