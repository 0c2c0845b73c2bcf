import type { IdTokenFault, JsonObject } from '../../src/testing/index.ts'
import { arrived, failed, impatient, refused, type Row } from './row.ts'
import {
  answer,
  exchange,
  gives,
  keysRotate,
  later,
  response,
  server,
  serverBehaves,
  serverStarts,
  serverStops,
  start,
  type Step,
} from './step.ts'

const second = 1_000

const hour = 3_600 * second

const idToken = (fault: IdTokenFault): Step[] => exchange({ idToken: fault })

const claims = (members: JsonObject): Step[] =>
  idToken({ claims: (usual) => ({ ...usual, ...members }) })

/** Seconds since the epoch. */
const at = (seconds: number): number => Math.floor(Date.now() / 1000) + seconds

/** Changed when the token is made. */
const timed = (name: 'iat' | 'exp' | 'nbf', seconds: number): Step[] =>
  idToken({ claims: (usual) => ({ ...usual, [name]: at(seconds) }) })

const invalidToken = failed(502, 'id_token_invalid')

/** Told from what is too large and no such document either. */
const tooLarge = { message: /more than 1 MiB/ }

/** Section D, rows 48 to 54: ID Tokens, signing keys, metadata. */
export const sectionD48: readonly Row[] = [
  { id: 'D-48', title: 'alg none', steps: idToken({ sign: 'none' }), expect: invalidToken },
  {
    id: 'D-48',
    title: 'a wrong key',
    steps: [later(2 * second), ...idToken({ sign: 'wrong-key' })],
    expect: invalidToken,
  },
  {
    id: 'D-48',
    title: 'HS256 with the client secret',
    steps: idToken({ sign: 'HS256' }),
    expect: invalidToken,
  },
  {
    id: 'D-48',
    title: 'a signature that was cut off',
    steps: [
      later(2 * second),
      ...exchange({
        tokenResponse: (usual) => ({
          ...usual,
          id_token: String(usual.id_token).replace(/\.[^.]*$/, '.'),
        }),
      }),
    ],
    expect: invalidToken,
  },
  {
    id: 'D-48',
    title: 'claims that were changed after signing',
    steps: [
      later(2 * second),
      ...exchange({
        tokenResponse(usual) {
          const [header, payload, signature] = String(usual.id_token).split('.')
          const changed = Buffer.from(payload ?? '', 'base64url')
            .toString()
            .replace('"sub":"alice"', '"sub":"mallory"')
          const id_token = [header, Buffer.from(changed).toString('base64url'), signature].join('.')
          return { ...usual, id_token }
        },
      }),
    ],
    expect: invalidToken,
  },
  ...['', 'x', '..', 'a.b.c'].map((id_token) => ({
    id: 'D-48',
    title: `"${id_token}", which is no JWT`,
    steps: response({ id_token }),
    expect: invalidToken,
  })),
  ...[
    { nonce: 'another' },
    { nonce: undefined },
    { nonce: '' },
    { iss: 'https://other.example' },
    { iss: undefined },
    { aud: 'another-client' },
    { aud: ['another-client'] },
    { aud: undefined },
    { aud: ['test-client', 'another-client'] },
    { aud: ['test-client', 'another-client'], azp: 'another-client' },
    { azp: 'another-client' },
    { exp: undefined },
    { exp: 'tomorrow' },
    { iat: undefined },
    { iat: 'now' },
    { sub: undefined },
    { sub: '' },
    { sub: 7 },
  ].map((members) => ({
    id: 'D-48',
    title: JSON.stringify(members, (_, value: unknown) => value ?? 'missing'),
    steps: claims(members),
    expect: invalidToken,
  })),
  ...[
    { aud: ['test-client'] },
    { azp: 'test-client' },
    { aud: ['test-client', 'another-client'], azp: 'test-client' },
  ].map((members) => ({
    id: 'D-48',
    title: `${JSON.stringify(members)} is right`,
    steps: claims(members),
    expect: arrived(),
  })),
  ...(
    [
      ['iat', 3_600, false],
      ['iat', 660, false],
      ['iat', 540, true],
      ['iat', -365 * 24 * 3_600, true],
    ] as const
  ).map(([name, seconds, isGood]) => ({
    id: 'D-49',
    title: `${name} ${seconds} s from now: ${isGood ? 'accepted' : 'refused'}`,
    steps: timed(name, seconds),
    expect: isGood ? arrived() : invalidToken,
  })),
  ...(
    [
      ['exp', -25, true],
      ['exp', -40, false],
      ['nbf', 25, true],
      ['nbf', 40, false],
    ] as const
  ).map(([name, seconds, isGood]) => ({
    id: 'D-50',
    title: `${name} ${seconds} s from now: ${isGood ? 'accepted' : 'refused'}`,
    steps: timed(name, seconds),
    expect: isGood ? arrived() : invalidToken,
  })),
  {
    id: 'D-50',
    title: 'exp -10 s from now with clockTolerance 0: refused',
    app: { flow: { clockTolerance: 0 } },
    steps: timed('exp', -10),
    expect: invalidToken,
  },
  {
    id: 'D-50',
    title: 'exp -50 s from now with clockTolerance of a minute: accepted',
    app: { flow: { clockTolerance: 60_000 } },
    steps: timed('exp', -50),
    expect: arrived(),
  },
  ...([keysRotate, { do: 'keys rotate, ids kept' }] as const).map((rotation) => ({
    id: 'D-51',
    title: `${rotation.do} 2 s after the keys were fetched: fetched again at once`,
    steps: [
      start('first', { by: 'other' }),
      gives(answer('first'), 302),
      rotation,
      later(2 * second),
      start(),
      answer(),
    ],
    expect: { ...arrived(), tokenRequests: 2, requests: { jwks: 2 } },
  })),
  {
    id: 'D-51',
    title: 'keys rotate at once: fetched again as soon as the interval lets us',
    slow: true,
    steps: [
      start('first', { by: 'other' }),
      gives(answer('first'), 302),
      keysRotate,
      start(),
      answer(),
    ],
    expect: { ...arrived(), tokenRequests: 2, requests: { jwks: 2 } },
  },
  {
    id: 'D-51',
    title: 'an unknown key makes the keys be fetched once, not in circles',
    steps: [
      start('first', { by: 'other' }),
      gives(answer('first'), 302),
      later(2 * second),
      start(),
      server('token', { idToken: { sign: 'wrong-key' } }),
      answer(),
    ],
    before: ['nobody'],
    expect: { ...invalidToken, tokenRequests: 2, revoked: 'not looked at', requests: { jwks: 2 } },
  },
  ...(
    [
      [{ answer: { status: 500 } }, 503, 'server_unavailable'],
      [{ answer: { status: 429 } }, 503, 'server_unavailable'],
      [{ reset: 'before-response' }, 503, 'server_unavailable'],
      [{ answer: { body: '<html>' } }, 502, 'invalid_server_response'],
      [{ answer: { status: 404 } }, 502, 'invalid_server_response'],
      [{ answer: { json: { keys: 7 } } }, 502, 'invalid_server_response'],
      [{ answer: { json: [] } }, 502, 'invalid_server_response'],
      [{ huge: 10 }, 502, 'invalid_server_response'],
      [{ answer: { json: { keys: [] } } }, 502, 'id_token_invalid'],
    ] as const
  ).map(([fault, status, code]) => ({
    id: 'D-52',
    title: `the keys: ${JSON.stringify(fault)}`,
    steps: [start(), server('jwks', fault), answer()],
    before: ['nobody'] as const,
    expect: { ...failed(status, code), ...('huge' in fault && tooLarge) },
  })),
  {
    id: 'D-52',
    title: 'the keys hang',
    app: impatient,
    slow: true,
    before: ['nobody'],
    steps: [start(), server('jwks', { hang: true }), answer()],
    expect: failed(504, 'server_timeout'),
  },
  {
    id: 'D-52',
    title: 'a failure is not remembered',
    steps: [
      start('first', { by: 'other' }),
      server('jwks', { answer: { status: 500 } }),
      gives(answer('first'), 503, 'server_unavailable'),
      serverBehaves,
      start(),
      answer(),
    ],
    expect: { ...arrived(), tokenRequests: 2, revoked: 'not looked at' },
  },
  {
    id: 'D-53',
    title: 'down at start: 503, no login begun; asked again after the back-off only; recovers',
    steps: [
      serverStops,
      gives(start('first'), 503, 'server_unavailable'),
      serverStarts,
      gives(start('second'), 503, 'server_unavailable'),
      later(1.1 * second),
      start(),
      answer(),
    ],
    expect: { ...arrived(), requests: { discovery: 1 } },
  },
  {
    id: 'D-53',
    title: 'down at start',
    app: {},
    before: ['nobody'],
    steps: [serverStops, start()],
    expect: {
      ...refused(503, 'server_unavailable'),
      retryAfter: 'some',
      headers: { location: null, 'set-cookie': null },
    },
  },
  {
    id: 'D-53',
    title: 'the back-off doubles, to half a minute at most',
    before: ['nobody'],
    steps: [
      server('discovery', { answer: { status: 500 } }),
      start(),
      ...[1, 2, 4, 8, 16, 30, 30].flatMap((seconds, round) => [
        later((seconds - 0.2) * second),
        start(),
        { do: 'requests are', endpoint: 'discovery', count: round + 1 } as const,
        later(0.3 * second),
        start(),
        { do: 'requests are', endpoint: 'discovery', count: round + 2 } as const,
      ]),
    ],
    expect: { ...refused(503, 'server_unavailable'), requests: { discovery: 8 } },
  },
  {
    id: 'D-53',
    title: '20 first logins at once share one discovery',
    app: {},
    steps: [{ do: 'start together', times: 20 }, start(), answer()],
    expect: { ...arrived(), requests: { discovery: 1 } },
  },
  {
    id: 'D-53',
    title: 'hangs at start',
    app: impatient,
    slow: true,
    before: ['nobody'],
    steps: [server('discovery', { hang: true }), start()],
    expect: refused(504, 'server_timeout'),
  },
  ...(
    [
      [{ answer: { status: 404 } }, 502, 'invalid_server_response'],
      [{ answer: { body: '<html>' } }, 502, 'invalid_server_response'],
      [{ answer: { json: [] } }, 502, 'invalid_server_response'],
      [{ answer: { json: {} } }, 502, 'invalid_server_response'],
      [{ huge: 2 }, 502, 'invalid_server_response'],
      [{ answer: { status: 429, headers: { 'retry-after': '9' } } }, 503, 'server_unavailable'],
      [{ reset: 'mid-body' }, 503, 'server_unavailable'],
    ] as const
  ).map(([fault, status, code]) => ({
    id: 'D-53',
    title: `the metadata: ${JSON.stringify(fault)}`,
    before: ['nobody'] as const,
    steps: [server('discovery', fault), start()],
    expect: { ...refused(status, code), ...('huge' in fault && tooLarge) },
  })),
  {
    id: 'D-53',
    title: 'down between start and callback of a new process: the login is kept',
    app: { apps: 2, flow: { redirectUri: 'http://127.0.0.1/callback' } },
    before: ['nobody'],
    steps: [start(), { do: 'authorize', tab: 'main' }, serverStops, answer('main', { app: 2 })],
    expect: { ...refused(503, 'server_unavailable'), pending: 'kept' },
  },
  {
    id: 'D-54',
    title: 'fails later: the last good metadata stay in use',
    steps: [
      gives(start('first'), 302),
      later(1.1 * hour),
      server('discovery', { answer: { status: 500 } }),
      gives(start('second'), 302),
      { do: 'server got', endpoint: 'discovery', count: 2 },
      later(2 * hour),
      start(),
      answer(),
    ],
    expect: arrived(),
  },
  {
    id: 'D-54',
    title: 'changes later to what is not usable: the last good metadata stay in use',
    steps: [
      gives(start('first'), 302),
      later(1.1 * hour),
      server('discovery', { metadata: () => ({ issuer: 'https://other.example' }) }),
      gives(start('second'), 302),
      { do: 'server got', endpoint: 'discovery', count: 2 },
      start(),
      answer(),
    ],
    expect: arrived(),
  },
  {
    id: 'D-54',
    title: 'changes later: is followed from the next login on, nobody waits',
    steps: [
      gives(start('first'), 302),
      later(1.1 * hour),
      server('discovery', {
        metadata: (usual) => ({
          ...usual,
          authorization_endpoint: `${String(usual.authorization_endpoint)}?moved=yes`,
        }),
      }),
      gives(start('second'), 302),
      { do: 'server got', endpoint: 'discovery', count: 2 },
      { do: 'start until', tab: 'main', sentTo: /moved=yes/ },
      answer(),
    ],
    expect: { ...arrived(), authorizationRequest: { moved: 'yes' } },
  },
]
