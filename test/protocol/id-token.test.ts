import { createHmac } from 'node:crypto'
import { inspect } from 'node:util'
import { expect } from 'chai'
import {
  createTestAuthorizationServer,
  type IdTokenFault,
  type TestAuthorizationServer,
} from '../../src/testing/index.ts'
import { startApp, type RunningApp } from '../support/app.ts'
import { createBrowser } from '../support/browser.ts'
import { failLogin, home, logIn } from './attempt.ts'

/** Seconds since the epoch, so far from now. */
const inSeconds = (seconds: number) => Math.floor(Date.now() / 1_000) + seconds

/** One claim changed; `undefined` leaves it out. */
const claim = (name: string, value: unknown): IdTokenFault => ({
  claims: (claims) => ({ ...claims, [name]: value }),
})

const header = (name: string, value: unknown): IdTokenFault => ({
  header: (usual) => ({ ...usual, [name]: value }),
})

interface Case {
  step: number | string
  what: string
  fault: IdTokenFault
}

/** Made when the test runs: times count from then. */
type Cases = readonly (Omit<Case, 'fault'> & { fault: () => IdTokenFault })[]

const refused: Cases = [
  { step: 2, what: 'iss of another issuer', fault: () => claim('iss', 'https://other.example') },
  { step: 2, what: 'iss missing', fault: () => claim('iss', undefined) },
  { step: 2, what: 'iss null', fault: () => claim('iss', null) },
  {
    step: 2,
    what: 'iss with a slash more',
    fault: () => ({ claims: (all) => ({ ...all, iss: `${String(all.iss)}/` }) }),
  },
  {
    step: 2,
    what: 'iss as an array',
    fault: () => ({ claims: (all) => ({ ...all, iss: [all.iss] }) }),
  },
  { step: 3, what: 'aud of another client', fault: () => claim('aud', 'another-client') },
  { step: 3, what: 'aud of other clients', fault: () => claim('aud', ['another', 'a-third']) },
  { step: 3, what: 'aud missing', fault: () => claim('aud', undefined) },
  { step: 3, what: 'aud empty', fault: () => claim('aud', []) },
  { step: 3, what: 'aud in other letters', fault: () => claim('aud', 'Test-Client') },
  {
    step: 3,
    what: 'aud with what is no text',
    fault: () => ({
      claims: (c: object) => ({ ...c, azp: 'test-client', aud: ['test-client', 5] }),
    }),
  },
  { step: 3, what: 'aud as an object', fault: () => claim('aud', { 'test-client': true }) },
  {
    step: 4,
    what: 'several audiences without azp',
    fault: () => claim('aud', ['test-client', 'another-client']),
  },
  { step: 5, what: 'azp of another client', fault: () => claim('azp', 'another-client') },
  { step: 5, what: 'azp null', fault: () => claim('azp', null) },
  {
    step: 6,
    what: 'a signature by a key that is not published',
    fault: () => ({ sign: 'wrong-key' }),
  },
  { step: 6, what: 'no signature', fault: () => ({ sign: 'none' }) },
  { step: 7, what: 'alg none in a signed token', fault: () => header('alg', 'none') },
  { step: 7, what: 'alg in other letters', fault: () => header('alg', 'es256') },
  { step: 7, what: 'an alg that is not of the key', fault: () => header('alg', 'RS256') },
  { step: 7, what: 'a critical header that nobody knows', fault: () => header('crit', ['b64']) },
  { step: 8, what: 'a signature by the client secret', fault: () => ({ sign: 'HS256' }) },
  { step: 9, what: 'exp 40 s ago', fault: () => claim('exp', inSeconds(-40)) },
  { step: 9, what: 'exp missing', fault: () => claim('exp', undefined) },
  { step: 9, what: 'exp as text', fault: () => claim('exp', String(inSeconds(300))) },
  { step: 9, what: 'exp null', fault: () => claim('exp', null) },
  { step: 10, what: 'iat missing', fault: () => claim('iat', undefined) },
  { step: 10, what: 'iat as text', fault: () => claim('iat', String(inSeconds(0))) },
  { step: 10, what: 'iat 11 minutes ahead', fault: () => claim('iat', inSeconds(660)) },
  { step: 11, what: 'nonce of another login', fault: () => claim('nonce', 'not-the-one-sent') },
  { step: 11, what: 'nonce missing', fault: () => claim('nonce', undefined) },
  { step: 11, what: 'nonce empty', fault: () => claim('nonce', '') },
  {
    step: 11,
    what: 'nonce with something more',
    fault: () => ({ claims: (all) => ({ ...all, nonce: `${String(all.nonce)}1` }) }),
  },
  {
    step: 11,
    what: 'nonce as an array',
    fault: () => ({ claims: (all) => ({ ...all, nonce: [all.nonce] }) }),
  },
  { step: 'sub', what: 'sub missing (section 2)', fault: () => claim('sub', undefined) },
  { step: 'sub', what: 'sub empty (section 2)', fault: () => claim('sub', '') },
  { step: 'sub', what: 'sub as a number (section 2)', fault: () => claim('sub', 5) },
  { step: 'nbf', what: 'nbf 40 s ahead', fault: () => claim('nbf', inSeconds(40)) },
]

const accepted: Cases = [
  { step: 3, what: 'aud as an array of this client', fault: () => claim('aud', ['test-client']) },
  {
    step: 5,
    what: 'several audiences with azp of this client',
    fault: () => ({
      claims: (all) => ({ ...all, aud: ['test-client', 'another'], azp: 'test-client' }),
    }),
  },
  { step: 5, what: 'azp of this client', fault: () => claim('azp', 'test-client') },
  { step: 6, what: 'no key id, while there is one key', fault: () => ({ sign: 'no-kid' }) },
  { step: 7, what: 'a type in the header', fault: () => header('typ', 'JWT') },
  {
    step: 9,
    what: 'exp 20 s ago, within the tolerance',
    fault: () => claim('exp', inSeconds(-20)),
  },
  { step: 10, what: 'iat 9 minutes ahead', fault: () => claim('iat', inSeconds(540)) },
  { step: 10, what: 'iat a year ago', fault: () => claim('iat', inSeconds(-31_536_000)) },
  {
    step: 'nbf',
    what: 'nbf 20 s ahead, within the tolerance',
    fault: () => claim('nbf', inSeconds(20)),
  },
  { step: 'claims', what: 'claims that nobody knows', fault: () => claim('groups', [{ a: 1 }]) },
]

describe('ID Token validation (OpenID Connect Core 1.0 section 3.1.3.7)', () => {
  let server: TestAuthorizationServer
  let app: RunningApp

  beforeEach(async () => {
    server = await createTestAuthorizationServer()
    app = await startApp({ server })
  })

  afterEach(async () => {
    await app.close()
    await server.close()
  })

  /** The login fails, nobody is signed in, the tokens are revoked and the error shows nothing. */
  async function expectRefusal(fault: IdTokenFault) {
    server.misbehave('token', { idToken: fault })
    const error = await failLogin(app, 'id_token_invalid')
    expect(error).to.include({ status: 502, expose: false })
    await server.received('revocation', 2)
    expect(server.issued[0]).to.include({ active: false, refreshable: false })
    const shown = inspect(error, { depth: Infinity, showHidden: true, getters: true })
    for (const secret of server.secrets) expect(shown).not.to.include(secret)
    return error
  }

  for (const { step, what, fault } of refused)
    it(`step ${step}: ${what} fails, signs nobody in and revokes the tokens`, async () => {
      await expectRefusal(fault())
    })

  for (const { step, what, fault } of accepted)
    it(`step ${step}: ${what} is accepted`, async () => {
      server.misbehave('token', { idToken: fault() })
      expect((await home(app, await logIn(app))).sub).to.equal('alice')
    })

  it('section 10.1.1: only what is signed with another key makes the keys be fetched again', async () => {
    await logIn(app)
    for (const fault of [claim('aud', 'another-client'), claim('exp', inSeconds(-3_600))]) {
      const stop = server.misbehave('token', { idToken: fault })
      await failLogin(app, 'id_token_invalid')
      stop()
    }
    expect(server.count('jwks')).to.equal(1)
  })

  describe('step 6: what is no signed token', () => {
    const spoil: [string, (token: string) => string][] = [
      ['another claim under the old signature', (token) => withClaims(token, { sub: 'bob' })],
      ['a signature cut short', (token) => token.slice(0, -4)],
      ['an empty signature', (token) => token.slice(0, token.lastIndexOf('.') + 1)],
      ['two parts', (token) => token.slice(0, token.lastIndexOf('.'))],
      ['an encrypted token', (token) => `${token}.x.y`],
      ['no token', () => 'not-a-token'],
      ['a header that is no JSON', (token) => `x${token}`],
      ['an empty text', () => ''],
      [
        'HS256 with something public as the secret',
        (token) => {
          const [, payload = ''] = token.split('.')
          const input = `${encode({ alg: 'HS256' })}.${payload}`
          const key = JSON.stringify(server.metadata.jwks_uri)
          return `${input}.${createHmac('sha256', key).update(input).digest('base64url')}`
        },
      ],
    ]
    for (const [what, change] of spoil)
      it(`${what}: nobody is signed in`, async () => {
        server.misbehave('token', {
          tokenResponse: (all) => ({ ...all, id_token: change(String(all.id_token)) }),
        })
        const browserError = await failLogin(app, 'id_token_invalid')
        expect(inspect(browserError, { depth: Infinity })).not.to.include('eyJ')
      })

    it('claims that are no object: nobody is signed in', async () => {
      for (const claims of [[], 'text', 5] as unknown[]) {
        const stop = server.misbehave('token', { idToken: { claims: () => claims as never } })
        await failLogin(app, 'id_token_invalid')
        stop()
      }
    })

    for (const [what, keySet] of [
      ['no keys', () => ({ keys: [] })],
      ['keys for encryption', (set: { keys: object[] }) => use(set, { use: 'enc' })],
      ['keys of another algorithm', (set: { keys: object[] }) => use(set, { alg: 'ES384' })],
    ] as const)
      it(`${what} published: nobody is signed in`, async () => {
        server.misbehave('jwks', { keySet })
        await failLogin(app, 'id_token_invalid')
      })

    for (const keySet of [null, [], 'text', {}, { keys: 'x' }, { keys: [null] }, { keys: [5] }])
      it(`${JSON.stringify(keySet)} published instead of keys: nobody is signed in`, async () => {
        server.misbehave('jwks', { keySet: () => keySet })
        await failLogin(app, 'invalid_server_response')
      })

    it('one bad key beside the good one does no harm', async () => {
      server.misbehave('jwks', {
        keySet: ({ keys }) => ({ keys: [{ kty: 'XX', kid: 'x' }, { kty: 'EC' }, ...keys] }),
      })
      await logIn(app)
    })
  })

  describe('step 7: algorithms', () => {
    for (const signingAlgorithm of ['RS256', 'PS256', 'ES384', 'EdDSA'] as const)
      it(`${signingAlgorithm} is accepted`, async () => {
        const other = await startApp({ serverOptions: { signingAlgorithm } })
        try {
          await logIn(other)
        } finally {
          await other.close()
        }
      })

    it('none is refused even if the server announces it', async () => {
      const metadata = { id_token_signing_alg_values_supported: ['ES256', 'none', 'HS256'] }
      const careless = await startApp({ serverOptions: { metadata } })
      try {
        for (const sign of ['none', 'HS256'] as const) {
          const stop = careless.server.misbehave('token', { idToken: { sign } })
          await failLogin(careless, 'id_token_invalid')
          stop()
        }
      } finally {
        await careless.close()
      }
    })

    it('one that the server’s metadata do not list is refused', async () => {
      await expectRefusal({ alg: 'ES384' })
    })

    it('one that the metadata by hand do not list is refused', async () => {
      const { authorization_endpoint, token_endpoint, jwks_uri, issuer } = server.metadata
      const strict = await startApp({
        server,
        flow: {
          issuer: undefined,
          scope: 'openid',
          server: {
            ...{ authorization_endpoint, token_endpoint, jwks_uri, issuer },
            id_token_signing_alg_values_supported: ['RS256'],
          },
        },
      })
      try {
        await failLogin(strict, 'id_token_invalid')
      } finally {
        await strict.close()
      }
    })
  })

  it('no keys to check them with: configuration, which says what to do', async () => {
    const other = await startApp({ serverOptions: { metadata: { jwks_uri: undefined } } })
    try {
      await failLogin(other, 'configuration')
      expect((other.errors[0] as Error).message).to.match(
        /^With the scope "openid" .* publishes no jwks_uri or issuer\. Give them .* leave "openid" out\.$/,
      )
    } finally {
      await other.close()
    }
  })

  describe('clockTolerance', () => {
    for (const [clockTolerance, age, code] of [
      [0, 2, 'id_token_invalid'],
      [60_000, 50, undefined],
      [60_000, 70, 'id_token_invalid'],
    ] as const)
      it(`${clockTolerance} ms: exp ${age} s ago is ${code ?? 'accepted'}`, async () => {
        const other = await startApp({ server, flow: { clockTolerance } })
        try {
          server.misbehave('token', { idToken: claim('exp', inSeconds(-age)) })
          if (code === undefined) await logIn(other)
          else await failLogin(other, code)
        } finally {
          await other.close()
        }
      })
  })

  describe('step 13: max_age', () => {
    async function startAsking() {
      return startApp({ server, flow: { authorizationParams: { max_age: '60' } } })
    }

    for (const [what, value, isAccepted] of [
      ['auth_time now', () => inSeconds(0), true],
      ['auth_time 80 s ago, within the tolerance', () => inSeconds(-80), true],
      ['auth_time 100 s ago', () => inSeconds(-100), false],
      ['auth_time missing', () => undefined, false],
      ['auth_time as text', () => String(inSeconds(0)), false],
    ] as const)
      it(`${what} is ${isAccepted ? 'accepted' : 'refused'}`, async () => {
        const asking = await startAsking()
        try {
          server.misbehave('token', { idToken: claim('auth_time', value()) })
          if (isAccepted) await logIn(asking)
          else await failLogin(asking, 'id_token_invalid')
          expect((await server.received('authorization')).query.get('max_age')).to.equal('60')
        } finally {
          await asking.close()
        }
      })

    it('nobody looks at auth_time when max_age was not asked for', async () => {
      server.misbehave('token', { idToken: claim('auth_time', undefined) })
      await logIn(app)
    })
  })
})

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

function withClaims(token: string, changes: object): string {
  const [head = '', payload = '', signature = ''] = token.split('.')
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object
  return `${head}.${encode({ ...claims, ...changes })}.${signature}`
}

function use({ keys }: { keys: object[] }, members: object) {
  return { keys: keys.map((key) => ({ ...key, ...members })) }
}

describe('the form of an ID Token (RFC 7515 sections 5.2 and 7.1, RFC 7519 section 7.2)', () => {
  const forms: Record<string, (idToken: string) => string> = {
    'a line end after a part': (idToken) => idToken.replace('.', '\n.'),
    'a space in its signature': (idToken) => idToken.replace(/(.{10})$/, ' $1'),
    padding: (idToken) => `${idToken}==`,
    'the other alphabet of base64': (idToken) => idToken.replace(/[\w-]+$/, (part) => `${part}+/`),
  }
  for (const [what, change] of Object.entries(forms))
    it(`${what}: id_token_invalid, nobody is signed in`, async () => {
      const app = await startApp()
      try {
        app.server.misbehave('token', {
          tokenResponse: (response) => ({
            ...response,
            id_token: change(response.id_token as string),
          }),
        })
        const page = await createBrowser().open(app.url('/login'))
        expect(page.status).to.equal(502)
        expect((app.errors.at(-1) as { code: string }).code).to.equal('id_token_invalid')
      } finally {
        await app.close()
      }
    })
})
