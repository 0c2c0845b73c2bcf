import { refused, type Row, unreadable } from './row.ts'
import { answer, answerWith, refusal, setTo, start } from './step.ts'

/** Section D, rows 11 to 20: error responses, sizes, characters. */
export const sectionD11: readonly Row[] = [
  {
    id: 'D-11',
    title: 'access_denied',
    steps: [start(), refusal('access_denied'), answer()],
    expect: {
      ...refused(403, 'access_denied'),
      pending: 'consumed',
      oauthError: 'access_denied',
      loginUrl: '/login?returnTo=%2Fhere%3Fx%3D1',
    },
  },
  {
    id: 'D-12',
    title: 'an error without state',
    steps: [
      start(),
      answerWith((answered) => {
        answered.delete('state')
        answered.delete('code')
        answered.set('error', 'access_denied')
      }),
    ],
    expect: unreadable,
  },
  {
    id: 'D-12',
    title: 'an error with an empty state',
    steps: [
      start(),
      answerWith((answered) => {
        answered.set('state', '')
        answered.set('error', 'access_denied')
      }),
    ],
    expect: unreadable,
  },
  {
    id: 'D-13',
    title: 'error and code: an error',
    steps: [start(), answerWith(setTo('error', 'access_denied'))],
    expect: { ...refused(403, 'access_denied'), pending: 'consumed' },
  },
  {
    id: 'D-14',
    title: 'an empty error and a code',
    steps: [start(), answerWith(setTo('error', ''))],
    expect: { ...refused(400, 'invalid_callback'), pending: 'consumed' },
  },
  ...[
    'login_required',
    'interaction_required',
    'consent_required',
    'account_selection_required',
  ].map((name) => ({
    id: 'D-15',
    title: `${name} (prompt=none): no loop`,
    app: { flow: { authorizationParams: { prompt: 'none' } } },
    steps: [start(), refusal(name), answer()],
    expect: {
      ...refused(401, 'login_required'),
      pending: 'consumed',
      oauthError: name,
      headers: { location: null },
    } as const,
  })),
  {
    id: 'D-16',
    title: 'temporarily_unavailable',
    steps: [start(), refusal('temporarily_unavailable'), answer()],
    expect: {
      ...refused(503, 'server_unavailable'),
      pending: 'consumed',
      oauthError: 'temporarily_unavailable',
      retryAfter: 'some',
      loginUrl: '/login?returnTo=%2Fhere%3Fx%3D1',
    },
  },
  {
    id: 'D-16',
    title: 'server_error',
    steps: [start(), refusal('server_error'), answer()],
    expect: {
      ...refused(502, 'authorization_failed'),
      pending: 'consumed',
      oauthError: 'server_error',
    },
  },
  {
    id: 'D-16',
    title: 'an error that is not registered is not repeated',
    steps: [start(), refusal('<b>own_error</b>'), answer()],
    expect: {
      ...refused(502, 'authorization_failed'),
      pending: 'consumed',
      oauthError: undefined,
      message: /^[^<]*$/,
    },
  },
  ...['unauthorized_client', 'invalid_scope', 'invalid_request', 'unsupported_response_type'].map(
    (name) => ({
      id: 'D-16',
      title: `${name}: our own set-up`,
      steps: [start(), refusal(name), answer()],
      expect: {
        ...refused(500, 'client_rejected'),
        pending: 'consumed',
        oauthError: name,
      } as const,
    }),
  ),
  ...['<script>alert(1)</script>', '\r\nSet-Cookie: a=b', 'x'.repeat(10_000)].map(
    (description) => ({
      id: 'D-17',
      title: `error_description ${JSON.stringify(description.slice(0, 20))}`,
      steps: [
        start(),
        refusal('access_denied'),
        answerWith(setTo('error_description', description)),
      ],
      expect: {
        ...refused(403, 'access_denied'),
        pending: 'consumed',
        message: /^The login was refused\.$/,
      } as const,
    }),
  ),
  {
    id: 'D-18',
    title: 'a state of 1 kB is looked up',
    steps: [start(), answerWith(setTo('state', 'x'.repeat(1024)))],
    expect: { ...refused(400, 'login_not_found'), pending: 'kept' },
  },
  ...[1025, 5_000].map((length) => ({
    id: 'D-18',
    title: `a state of ${length} characters is not`,
    steps: [start(), answerWith(setTo('state', 'x'.repeat(length)))],
    expect: unreadable,
  })),
  {
    id: 'D-18',
    title: 'a URL of more than 16 kB',
    steps: [start(), answerWith(setTo('state', 'x'.repeat(17_000)))],
    expect: { status: 431, signedIn: 'as before', tokenRequests: 0, pending: 'kept' },
  },
  {
    id: 'D-19',
    title: 'a code of 8 kB is sent',
    steps: [start(), answerWith(setTo('code', 'x'.repeat(8_192)))],
    expect: {
      ...refused(400, 'code_rejected'),
      tokenRequests: 1,
      pending: 'consumed',
      tokenRequest: { code: /^x{8192}$/ },
    },
  },
  {
    id: 'D-19',
    title: 'a longer one is not',
    steps: [start(), answerWith(setTo('code', 'x'.repeat(8_193)))],
    expect: unreadable,
  },
  ...['iss', 'error'].map((name) => ({
    id: 'D-19',
    title: `nor is ${name} of more than 1 kB looked at`,
    steps: [start(), answerWith(setTo(name, 'x'.repeat(1_025)))],
    expect: unreadable,
  })),
  ...['state', 'code', 'iss', 'error'].flatMap((name) =>
    ['%00', '%ff', '%c3%28', '%0d%0aX:y', '%E2%80%AE'].map((text) => ({
      id: 'D-20',
      title: `${text} in ${name}`,
      steps: [
        start(),
        answerWith((answered) => answered.has(name) || answered.set(name, 'x'), {
          rewrite: (query) => query.replace(new RegExp(`(^|&)${name}=`), `$&${text}`),
        }),
      ],
      expect: unreadable,
    })),
  ),
  {
    id: 'D-20',
    title: 'an escape that is none in state: an unknown one',
    steps: [start(), answer('main', { rewrite: (query) => query.replace('state=', 'state=%zz') })],
    expect: { ...refused(400, 'login_not_found'), pending: 'kept' },
  },
]
