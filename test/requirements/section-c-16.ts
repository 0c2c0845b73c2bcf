import { type Row, stillSignedIn } from './row.ts'
import { answer, gives, later, server, start, visit } from './step.ts'
import { ended, refreshed, refreshing, refreshResponse, signedIn } from './refreshing.ts'

const hour = 3_600_000
const claim = (name: string, value: unknown) => ({
  idToken: { claims: (was: Record<string, unknown>) => ({ ...was, [name]: value }) },
})

/** A3, and section C, rows 16 to 21, of tokens that are there. */
export const sectionC16: readonly Row[] = [
  {
    ...signedIn('A3 oidcc-client-test-refresh-token', 'new tokens, used for userinfo'),
    steps: [later(hour), visit('/user-info')],
    expect: { ...refreshed, body: { sub: 'bob' }, requests: { userinfo: 1 } },
  },
  {
    ...signedIn('A3 oidcc-client-test-refresh-token', 'and again, with the new refresh token'),
    steps: [later(hour), gives(visit('/private'), 200), later(hour), visit('/user-info')],
    expect: { ...refreshed, tokenRequests: 2, body: { sub: 'bob' } },
  },
  ...(
    [
      ['issuer', claim('iss', 'https://other.example')],
      ['sub', claim('sub', 'bob1')],
    ] as const
  ).map(([what, fault]): Row => ({
    ...signedIn(`A3 oidcc-client-test-refresh-token-invalid-${what}`, 'no userinfo request'),
    steps: [later(hour), server('token', fault), visit('/user-info')],
    expect: { ...ended, revoked: 'all', requests: { userinfo: 0 } },
  })),
  {
    ...signedIn('C-16', 'userinfo of the person who logged in'),
    steps: [visit('/user-info')],
    expect: { ...stillSignedIn(200, 'kept', 0), body: { sub: 'bob' }, requests: { userinfo: 1 } },
  },
  {
    ...signedIn('C-16', 'after a refresh without ID Token it is compared with that of the login'),
    steps: [
      ...refreshResponse({ id_token: undefined }),
      server('userinfo', { userinfo: (was) => ({ ...was, sub: 'alice' }) }),
      visit('/user-info'),
    ],
    expect: { ...stillSignedIn(502, 'refreshed'), code: 'invalid_server_response' },
  },
  ...(
    [
      ['iss', 'https://other.example'],
      ['sub', 'alice'],
      ['aud', 'another-client'],
      ['aud', ['test-client', 'another-client']],
      ['nonce', 'another'],
      ['auth_time', 1],
      ['exp', 1],
      ['iat', 1e10],
    ] as const
  ).map(([name, value]): Row => ({
    ...signedIn('C-17', `another ${name} (${JSON.stringify(value)})`),
    steps: refreshing(claim(name, value)),
    expect: { ...ended, revoked: 'all' },
  })),
  ...(['none', 'wrong-key', 'HS256'] as const).map((sign): Row => ({
    ...signedIn('C-17', `an ID Token signed by ${sign}`),
    steps: refreshing({ idToken: { sign } }),
    expect: { ...ended, revoked: 'all' },
  })),
  {
    ...signedIn('C-17', 'no ID Token: the old one is kept'),
    steps: refreshResponse({ id_token: undefined }),
    expect: refreshed,
  },
  {
    ...signedIn('C-18', '20 at once: one token request, and the old refresh token is replaced'),
    steps: [
      later(hour),
      server('token', { delay: 20 }),
      { do: 'visit together', path: '/private', times: 20 },
    ],
    expect: { ...refreshed, keptRefreshTokens: 0, revoked: 'none' },
  },
  {
    ...signedIn('C-18', 'no new refresh token: the old one is kept, and works again'),
    server: { refreshTokenRotation: false },
    steps: [later(hour), gives(visit('/private'), 200), later(hour), visit('/private')],
    expect: { ...refreshed, tokenRequests: 2, keptRefreshTokens: 1 },
  },
  {
    ...signedIn('C-19', 'invalid_grant at 20 at once: no loop'),
    steps: [
      later(hour),
      server('token', { answer: { status: 400, json: { error: 'invalid_grant' } } }),
      { do: 'visit together', path: '/private', times: 20 },
      { do: 'visit together', path: '/private', times: 20 },
    ],
    expect: ended,
  },
  {
    ...signedIn('C-19', 'a person is sent to log in, and has tokens again'),
    steps: [
      ...refreshing({ answer: { status: 400, json: { error: 'invalid_grant' } } }, { times: 1 }),
      { do: 'authorize as', sub: 'bob' },
      start('again', { path: '/private' }),
      gives(answer('again'), 302),
      visit('/private'),
    ],
    expect: { status: 200, signedIn: 'bob', tokenRequests: 2, sessionData: 'kept' },
  },
  {
    ...signedIn('C-20', 'refresh: a type of token that nobody asked for'),
    steps: refreshResponse({ token_type: 'mac' }),
    expect: { ...ended, revoked: 'all' },
  },
  {
    ...signedIn('C-21', 'refresh: "3600abc" is unknown, and not for ever'),
    steps: refreshResponse({ expires_in: '3600abc' }),
    expect: { ...refreshed, expires: 'unknown' },
  },
]
