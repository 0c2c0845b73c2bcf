import { randomBytes } from 'node:crypto'
import { Agent } from 'node:http'
import { inspect } from 'node:util'
import { expect } from 'chai'
import express, {
  type ErrorRequestHandler,
  type Express,
  type RequestHandler,
  type Router,
} from 'express'
import session, { MemoryStore } from 'express-session'
import { TlsClientAuth } from 'openid-client'
import request from 'supertest'
import { ConfigurationError, type PkceFlow, pkceFlow, type PkceFlowOptions } from '../src/index.ts'
import { createBrowser } from './support/browser.ts'
import { startApp, withoutEndSession, type RunningApp } from './support/app.ts'
import { clock } from './support/clock.ts'

const valid = {
  issuer: 'https://server.example',
  clientId: 'the-client',
  redirectUri: 'https://app.example/callback',
}

const endpoints = {
  authorization_endpoint: 'https://server.example/authorize',
  token_endpoint: 'https://server.example/token',
}

const byHand = { ...valid, issuer: undefined, server: endpoints }

/** What must not turn up in any error. */
const secret = 'S3cr3t-0f-the-client'

const key = randomBytes(32)
const keyText = key.toString('base64url')

/** Makes a flow of options that TypeScript may refuse. */
function makeFlow(options: unknown): Router {
  return pkceFlow(options as PkceFlowOptions)
}

/** The refusal of options, checked as every refusal is; fails if they are accepted. */
function refusal(options: unknown): ConfigurationError {
  let thrown: unknown
  try {
    makeFlow(options)
  } catch (error) {
    thrown = error
  }
  if (thrown === undefined) throw new Error(`${inspect(options)} was accepted`)
  expect(thrown).to.be.instanceOf(ConfigurationError)
  const error = thrown as ConfigurationError
  expect(error.message, 'ends as a sentence does').to.match(/[^.?][.?]$/)
  expect(error).to.include({ code: 'configuration', status: 500, expose: false })
  expect(inspect(error, { depth: Infinity, showHidden: true })).not.to.include(secret)
  return error
}

/** For the option at fault: its refusal names it. */
function refuses(option: string, value: unknown, others: object = {}): ConfigurationError {
  const error = refusal({ ...valid, ...others, [option]: value })
  expect(error.message, inspect(value)).to.match(new RegExp(`"${option}["\\.]`))
  return error
}

const wrongValues: Record<keyof Required<PkceFlowOptions>, readonly unknown[]> = {
  issuer: [
    ...['', 5, {}, secret, '/path', 'server.example', 'ftp://server.example'],
    ...['http://server.example', 'http://localhost.example', 'http://127.0.0.1.example'],
    ...['http://0.0.0.0', 'http://[::2]', 'http://192.168.0.1', 'http://10.0.0.1'],
    ...['https://user@server.example', `https://user:${secret}@server.example`],
    ...[`https://server.example/?key=${secret}`, `https://server.example/#${secret}`],
    'https://server.example/.well-known/openid-configuration',
    'https://server.example/.well-known/oauth-authorization-server/tenant',
  ],
  server: [5, 'https://server.example', secret, [], () => endpoints, true],
  clientId: [undefined, '', 5, {}, [secret]],
  clientSecret: [undefined, '', 5, {}, [secret]],
  clientAuth: [
    ...['', 5, {}, 'basic', 'client_secret_jwt', 'private_key_jwt', 'tls_client_auth', secret],
  ],
  redirectUri: [
    ...[undefined, '', 5, {}, secret, 'callback', '/callback', 'app.example/callback'],
    ...['http://app.example/callback', 'http://192.168.0.1/callback', 'myapp:/callback'],
    ...[`https://app.example/callback?key=${secret}`, 'https://app.example/callback?'],
    `https://app.example/callback#${secret}`,
    ...['https://user@app.example/callback', `https://user:${secret}@app.example/callback`],
    ...['https://app.example', 'https://app.example/'],
  ],
  routes: [
    ...[5, secret, '/auth', [], true, false],
    ...[{ login: 5 }, { login: true }, { login: '' }, { login: 'login' }, { login: secret }],
    ...[{ login: '/' }, { login: '/login/' }, { login: '/in?x=1' }, { login: '/in#x' }],
    ...[{ login: '/lóg in' }, { logout: '/a//b' }, { callback: false }, { callback: 'x' }],
    ...[{ login: '/callback' }, { login: '/out', logout: '/out' }, { signIn: '/in' }],
    ...[{ backchannelLogout: '/login' }, { frontchannelLogout: '/callback' }],
    ...['backchannelLogout', 'frontchannelLogout'].flatMap((name) =>
      [5, true, false, '', 'out', '/', '/out/', '/out?x=1', secret].map((path) => ({
        [name]: path,
      })),
    ),
    { backchannelLogout: '/ended', frontchannelLogout: '/ended' },
  ],
  basePath: [5, {}, true, 'app', '/', '/app/', '/app?x=1', '/another', secret],
  scope: [
    ...[5, {}, true, 'read\nwrite', 'read\twrite', 'read"write', 'lésen', ['read write']],
    ...[[''], [5], ['back\\slash']],
  ],
  authorizationParams: [
    ...[5, 'prompt=login', [], { prompt: 5 }, { prompt: undefined }, { prompt: ['login'] }],
    ...[{ max_age: 'soon' }, { max_age: '-1' }, { max_age: '' }],
  ],
  responseMode: [5, '', 'fragment', 'Query', 'form-post', 'query.jwt', secret],
  name: ['', 5, {}, 'two words', `${secret}/`, 'näme', 'x'.repeat(101), '__proto__'],
  requestProperty: [
    ...['', 5, {}, 'two words', '1st', secret, 'constructor', 'toString', '__proto__'],
    ...['session', 'sessionID', 'sessionStore', 'query', 'body', 'headers', 'url', 'app', 'res'],
  ],
  attach: [0, 1, '', 'yes', 'false', secret],
  afterLogin: [
    ...['', 5, {}, secret, 'home', './home', '//evil.example', '/\\evil.example', '\\\\evil'],
    ...['/\t/evil.example', '/a\nb', ' /', 'https://evil.example/', 'https:evil.example'],
    ...['javascript:alert(1)', 'data:,x', '/..//evil.example', '/.//evil.example'],
  ],
  afterLogout: [
    ...['', 5, {}, secret, 'home', '//evil.example', '/\\evil.example', '/\t/evil.example'],
    ...['https://evil.example/', 'javascript:alert(1)', '/..//evil.example'],
  ],
  returnToOrigins: [
    ...['https://other.example', 5, {}, [5], [''], [secret], ['other.example'], ['*'], ['null']],
    ...[['http://other.example'], ['https://other.example/path'], ['https://other.example/?x=1']],
    ...[[`https://user:${secret}@other.example`]],
  ],
  postLogoutRedirectUri: [
    ...['', 5, {}, true, secret, '/logged-out', 'http://app.example/logged-out'],
    ...['https://other.example/logged-out', 'https://app.example:444/logged-out'],
    ...['https://app.example', 'https://app.example/', 'https://app.example/logged-out?'],
    ...[`https://app.example/logged-out?key=${secret}`, `https://app.example/out#${secret}`],
    ...['https://app.example/callback', 'https://app.example/login', 'https://app.example/logout'],
    ...['https://app.example/logout/', `https://user:${secret}@app.example/logged-out`],
  ],
  sessionAtLogin: [5, true, {}, '', 'keep', secret, [5], [''], ['cart', 'cookie']],
  loginTimeout: [0, -1, 1_999, 86_400_001, 2_000.5, NaN, Infinity, '600000', {}, secret],
  maxPendingLogins: [0, -1, 51, 1.5, NaN, Infinity, '25', {}, secret],
  timeout: [0, -1, 120_001, 5_000.5, NaN, Infinity, '5000', {}, secret],
  clockTolerance: [-1, 300_001, 30_000.5, NaN, Infinity, '30000', {}, secret],
  store: [5, secret, {}, [], { get() {} }, { get() {}, set() {} }, MemoryStore],
  encryptionKeys: [
    ...[5, true, secret, {}, [], [5], [{}], [null], [undefined], [''], [secret], keyText],
    ...[randomBytes(32), [randomBytes(31)], [randomBytes(33)], [randomBytes(64)], [[...key]]],
    ...[[key.toString('hex')], [keyText.slice(1)], [`${keyText}A`], [`+/${keyText.slice(2)}`]],
    ...[[`${keyText}==`], [` ${keyText.slice(1)}`], [key.buffer], [new Float64Array(32)]],
    ...[
      [key, key],
      [keyText, key],
      [randomBytes(32), keyText, keyText],
      [keyText, secret],
    ],
  ],
  refreshLeeway: [-1, 3_600_001, 30_000.5, NaN, Infinity, '30000', {}, secret],
  lock: [5, true, secret, {}, [], 'Process', { acquire: true }, () => ({})],
  apiOrigins: [
    ...['https://api.example', 5, {}, [5], [''], [secret], ['api.example'], ['*']],
    ...[['http://api.example'], ['https://api.example/v4'], ['https://api.example/?x=1']],
    ...[[`https://user:${secret}@api.example`]],
  ],
  userId: [5, true, secret, {}, [], 'alice', () => 'alice'],
  tokenStore: [5, true, secret, {}, [], { get() {}, set() {} }, Map, new Map()],
  tokenLifetime: [0, -1, 59_999, 34_560_000_001, 60_000.5, NaN, Infinity, '60000', {}, secret],
  purpose: [5, true, '', secret, {}, 'Login', 'account'],
  agent: [5, true, secret, {}, [], () => ({})],
  onLogin: [5, true, secret, {}, 'function'],
}

const builtOptions = Object.keys(wrongValues)

describe('options', () => {
  describe('a value of the wrong type or out of range is refused, naming the option', () => {
    for (const [option, values] of Object.entries(wrongValues))
      it(`P15: ${option}`, () => {
        for (const value of values) refuses(option, value)
      })

    it('P15: null is no default: TypeScript refuses it, and so does the factory', () => {
      const accepted = builtOptions.filter((option) => {
        try {
          makeFlow({ ...valid, [option]: null })
          return true
        } catch {
          return false
        }
      })
      expect(accepted).to.deep.equal([])
    })

    it('P15: no options at all', () => {
      for (const given of [undefined, null, 5, secret, [], () => valid])
        expect(refusal(given).message).to.match(/pkceFlow\(\) needs an object/)
    })

    it('P15: undefined means the default, but for what is required and clientSecret', () => {
      const unset = Object.fromEntries(builtOptions.map((name) => [name, undefined]))
      delete unset.clientSecret
      expect(() => makeFlow({ ...unset, ...valid })).not.to.throw()
    })
  })

  describe('URLs', () => {
    for (const origin of [
      ...[
        'https://app.example',
        'http://localhost:3000',
        'http://127.0.0.1',
        'http://127.9.9.9:8080',
      ],
      ...['http://[::1]:3000', 'https://192.168.0.1'],
    ])
      it(`P15: ${origin} is accepted for issuer, endpoints and redirectUri`, () => {
        const redirectUri = `${origin}/callback`
        makeFlow({ ...valid, issuer: origin, redirectUri })
        makeFlow({ ...byHand, server: { rootUrl: origin }, redirectUri })
      })

    it('P15: http: elsewhere is refused with the hosts that it is for', () => {
      for (const option of ['issuer', 'redirectUri'])
        expect(refuses(option, 'http://app.example/callback').message).to.match(/https:.*localhost/)
    })

    it('P15: redirectUri must not have an empty fragment either (RFC 6749 section 3.1.2)', () => {
      refuses('redirectUri', 'https://app.example/callback#')
    })

    it('P15: redirectUri goes to the server as it was given, since servers compare the text', async () => {
      for (const redirectUri of [
        ...['https://app.example:443/callback', 'https://APP.example/callback'],
        ...[
          'https://app.example/x/../callback',
          'https://app.example/a b',
          ' https://app.example/c',
        ],
        ...['HTTPS://app.example/callback', 'https://app.example/%63allback'],
      ]) {
        let refused = false
        try {
          makeFlow({ ...byHand, redirectUri })
        } catch {
          refused = true
        }
        if (refused) continue
        const { searchParams } = await authorizationRequest({
          redirectUri,
          routes: { login: '/login', callback: '/callback' },
        })
        expect(searchParams.get('redirect_uri')).to.equal(redirectUri)
      }
    })

    it('P15: redirectUri needs a path of its own, below basePath too', () => {
      refuses('redirectUri', 'https://app.example//')
      refuses('redirectUri', 'https://app.example/app/', { basePath: '/app' })
    })

    it('P15: an address of metadata is no issuer, and the message says so', () => {
      const { message } = refuses(
        'issuer',
        'https://server.example/.well-known/openid-configuration',
      )
      expect(message).to.match(/leave out \/\.well-known/)
    })
  })

  describe('durations are milliseconds', () => {
    for (const option of ['loginTimeout', 'timeout', 'clockTolerance'])
      it(`P15: ${option} of 1 to 999 is refused as "seconds?"`, () => {
        for (const value of [1, 5, 30, 600, 999])
          expect(refuses(option, value).message).to.match(/milliseconds.*seconds\?/)
      })

    it('P15: the ends of each range are in it', () => {
      for (const given of [
        ...[{ loginTimeout: 2_000 }, { loginTimeout: 86_400_000 }, { clockTolerance: 0 }],
        ...[{ clockTolerance: 1_000 }, { clockTolerance: 300_000 }, { timeout: 1_000 }],
        ...[{ timeout: 120_000 }, { maxPendingLogins: 1 }, { maxPendingLogins: 50 }],
      ])
        makeFlow({ ...valid, ...given })
    })
  })

  describe('encryptionKeys', () => {
    it('P15: bytes and base64url text, also with padding, are keys', () => {
      const others = [randomBytes(32), new Uint8Array(randomBytes(32))]
      makeFlow({ ...valid, encryptionKeys: [keyText] })
      makeFlow({ ...valid, encryptionKeys: [`${keyText}=`, ...others] })
    })

    it('P15: a refusal says how to make a key, and shows none', () => {
      const { message } = refuses('encryptionKeys', [key, keyText.slice(1)])
      expect(message).to.match(/32 bytes.*randomBytes\(32\)/)
      for (const wrong of [[keyText, keyText], [`${keyText}A`], [keyText, key]])
        expect(refuses('encryptionKeys', wrong).message).not.to.include(keyText.slice(0, 8))
    })
  })

  describe('names', () => {
    const misspelt = [
      ['redirectUrl', 'redirectUri'],
      ['redirectURI', 'redirectUri'],
      ['redirect_uri', 'redirectUri'],
      ['isuer', 'issuer'],
      ['Issuer', 'issuer'],
      ['clientID', 'clientId'],
      ['client_id', 'clientId'],
      ['client_secret', 'clientSecret'],
      ['clientSecert', 'clientSecret'],
      ['scopes', 'scope'],
      ['loginTimeOut', 'loginTimeout'],
      ['requestproperty', 'requestProperty'],
      ['sesionAtLogin', 'sessionAtLogin'],
      ['onlogin', 'onLogin'],
    ] as const
    for (const [name, meant] of misspelt)
      it(`P15: ${name} is refused, suggesting ${meant}`, () => {
        const { message } = refuses(name, secret)
        expect(message).to.include(`Did you mean "${meant}"?`)
      })

    it('P15: a name like none is refused without a guess', () => {
      const { message } = refuses('colour', 'red')
      expect(message)
        .to.match(/is not an option/)
        .and.not.to.match(/Did you mean/)
    })

    for (const [name, meant] of [
      ['authorizationEndpoint', 'authorization_endpoint'],
      ['token_endpont', 'token_endpoint'],
      ['jwksUri', 'jwks_uri'],
      ['jwks_url', 'jwks_uri'],
      ['revocation_endpoints', 'revocation_endpoint'],
      ['Issuer', 'issuer'],
    ] as const)
      it(`P15: server.${name} is refused, suggesting server.${meant}`, () => {
        const { message } = refusal({ ...byHand, server: { ...endpoints, [name]: secret } })
        expect(message).to.include(`"server.${name}"`)
        expect(message).to.include(`Did you mean "server.${meant}"?`)
      })

    it('P15: beside rootUrl, paths only', () => {
      const server = { rootUrl: 'https://server.example/oauth' }
      for (const wrong of [{ tokenpath: 'token' }, { token_endpoint: endpoints.token_endpoint }])
        expect(refusal({ ...byHand, server: { ...server, ...wrong } }).message).to.match(
          /"server\.token.*is not an option/,
        )
    })

    it('P15: a misspelt route is refused', () => {
      expect(refuses('routes', { logIn: '/in' }).message).to.include('Did you mean "routes.login"?')
    })
  })

  describe('server metadata', () => {
    const wrongMembers: Record<string, readonly unknown[]> = {
      issuer: [5, '', secret, 'http://server.example'],
      authorization_endpoint: [5, secret, 'http://server.example/authorize', '/authorize'],
      token_endpoint: [5, secret, 'http://server.example/token', `https://u:${secret}@s.example/`],
      jwks_uri: [5, '', secret, 'http://server.example/jwks'],
      revocation_endpoint: [5, '', secret, 'http://server.example/revoke'],
      userinfo_endpoint: [5, '', secret, 'http://server.example/userinfo'],
      end_session_endpoint: [5, '', secret, 'http://server.example/logout'],
      code_challenge_methods_supported: ['S256', 5, [], ['plain'], [5], [secret]],
      id_token_signing_alg_values_supported: [
        ...['RS256', 5, [5], [''], ['none'], ['RS256', 'none'], ['HS256'], ['ES256', 'HS384']],
        ['HS512'],
      ],
      authorization_response_iss_parameter_supported: ['true', 1, secret],
    }
    for (const [member, values] of Object.entries(wrongMembers))
      it(`P15: server.${member}`, () => {
        for (const value of values) {
          const server = { ...endpoints, [member]: value }
          for (const issuer of [undefined, valid.issuer]) {
            const { message } = refusal({ ...valid, issuer, server })
            expect(message, inspect(value)).to.include(`"server.${member}"`)
          }
        }
      })

    it('P15: wrong members of server with rootUrl', () => {
      for (const [member, values] of Object.entries({
        rootUrl: [undefined, '', 5, secret, 'http://server.example', 'https://s.example/?x=1'],
        authorizationPath: ['', 5, {}],
        tokenPath: ['', 5, {}],
      }))
        for (const value of values) {
          const server = { rootUrl: 'https://server.example', [member]: value }
          expect(refusal({ ...byHand, server }).message).to.include(`"server.${member}"`)
        }
    })
  })

  describe('combinations', () => {
    const authenticate = TlsClientAuth()
    const wrong: [string, object, RegExp][] = [
      ['neither issuer nor server', { issuer: undefined }, /"issuer" or "server"/],
      ['an empty server', { issuer: undefined, server: {} }, /"server" needs authorization_endp/],
      [
        'a server without token endpoint',
        { issuer: undefined, server: { ...endpoints, token_endpoint: undefined } },
        /"server" needs .*token_endpoint/,
      ],
      [
        'rootUrl beside issuer',
        { server: { rootUrl: 'https://server.example' } },
        /"server\.rootUrl" cannot be beside "issuer"/,
      ],
      [
        'openid without signing keys',
        { issuer: undefined, server: { ...endpoints, issuer: valid.issuer }, scope: 'openid' },
        /"server" needs .*'jwks_uri'/,
      ],
      [
        'openid without issuer identifier',
        {
          issuer: undefined,
          server: { ...endpoints, jwks_uri: 'https://server.example/jwks' },
          scope: ['email', 'openid'],
        },
        /"server" needs 'issuer'/,
      ],
      ['a secret that is not set', { clientSecret: undefined }, /"clientSecret".*environment/],
      [
        'a secret that is not set, beside clientAuth',
        { clientSecret: undefined, clientAuth: authenticate },
        /"clientSecret".*environment/,
      ],
      [
        "a secret with 'none'",
        { clientSecret: secret, clientAuth: 'none' },
        /"clientSecret".*none/,
      ],
      [
        'a secret with a function',
        { clientSecret: secret, clientAuth: authenticate },
        /"clientSecret".*function/,
      ],
      [
        'client_secret_basic without a secret',
        { clientAuth: 'client_secret_basic' },
        /"clientSecret" is needed/,
      ],
      [
        'client_secret_post without a secret',
        { clientAuth: 'client_secret_post' },
        /"clientSecret" is needed/,
      ],
      [
        'form_post over http:',
        { responseMode: 'form_post', redirectUri: 'http://localhost/callback' },
        /"responseMode".*https:/,
      ],
      ['an agent for http: at an https: server', { agent: new Agent() }, /"agent".*https/],
      ['basePath beside the redirectUri', { basePath: '/app' }, /"basePath".*redirectUri/],
    ]
    for (const [what, changes, message] of wrong)
      it(`P15: ${what} is refused`, () => {
        expect(refusal({ ...valid, ...changes }).message).to.match(message)
      })

    for (const name of [
      ...['client_id', 'client_secret', 'code_challenge', 'code_challenge_method', 'nonce'],
      ...['redirect_uri', 'request', 'request_uri', 'response_mode', 'response_type', 'scope'],
      ...['state', 'code_verifier'],
    ])
      it(`P15: authorizationParams.${name} cannot be overridden, and the error says so`, () => {
        const { message } = refuses('authorizationParams', { [name]: secret })
        expect(message)
          .to.include(`"authorizationParams.${name}"`)
          .and.to.match(/overridden/)
      })

    it('P15: an afterLogin that leads in circles is refused, as a returnTo is', () => {
      for (const path of ['/login', '/logout', '/callback', '/login?returnTo=/', '/login/'])
        refuses('afterLogin', path)
    })

    it('P15: requestProperty must not hide a member that requests have', () => {
      for (const member of ['get', 'is', 'accepts', 'on', 'pipe', 'destroy', 'header', 'complete'])
        refuses('requestProperty', member)
    })
  })

  it('P15: no error shows what was put in a wrong place', () => {
    const nested = {
      server: ['issuer', 'authorization_endpoint', 'token_endpoint', 'jwks_uri', 'rootUrl'],
      routes: ['login', 'callback', 'logout', 'backchannelLogout', 'frontchannelLogout'],
      authorizationParams: ['state', 'max_age', 'prompt'],
    }
    const misplaced = [
      ...builtOptions.flatMap((name) => [{ [name]: secret }, { [name]: [secret] }]),
      ...Object.entries(nested).flatMap(([name, members]) =>
        members.map((member) => ({ [name]: { [member]: secret } })),
      ),
    ]
    for (const options of misplaced)
      try {
        makeFlow({ ...valid, ...options })
      } catch (error) {
        expect(inspect(error, { depth: Infinity, showHidden: true })).not.to.include(secret)
      }
  })
})

/** An app behind a proxy, around one flow that needs no server to start a login. */
function offlineApp(options: object) {
  const app = express()
  app.set('trust proxy', true)
  app.use(session({ secret: 'x', resave: false, saveUninitialized: false }))
  app.use(makeFlow(options))
  app.use(((error: { code: string }, _req, res, _next) => {
    res.status(500).json({ code: error.code })
  }) satisfies ErrorRequestHandler)
  return app
}

function visit(app: Express, path: string) {
  return request(app).get(path).set({ Host: 'app.example', 'X-Forwarded-Proto': 'https' })
}

/** The authorization request that a login with these options makes. */
async function authorizationRequest(options: object, path = '/login'): Promise<URL> {
  const answer = await visit(offlineApp({ ...byHand, ...options }), path)
  expect(answer.headers, answer.text).to.have.property('location')
  return new URL(answer.headers.location!)
}

describe('rootUrl and paths are joined by exactly one slash', () => {
  for (const rootUrl of [
    'https://s.example/oauth',
    'https://s.example/oauth/',
    'https://s.example',
  ])
    for (const authorizationPath of [undefined, 'authorize', '/authorize', '//authorize'])
      it(`P15: ${rootUrl} and ${authorizationPath ?? 'the default'}`, async () => {
        const { origin, pathname } = await authorizationRequest({
          server: { rootUrl, authorizationPath },
        })
        expect(origin + pathname).to.equal(`${rootUrl.replace(/\/$/, '')}/authorize`)
      })

  it('P15: a path of several segments, and with a query of its own (RFC 6749 section 3.1)', async () => {
    const { href } = await authorizationRequest({
      server: { rootUrl: 'https://s.example/oauth//', authorizationPath: 'v2/authorize?tenant=1' },
    })
    expect(href).to.match(/^https:\/\/s\.example\/oauth\/v2\/authorize\?tenant=1&/)
  })
})

const signingIn = {
  server: { ...endpoints, issuer: 'https://s.example', jwks_uri: 'https://s.example/jwks' },
  scope: 'openid',
}

describe('what is about the authorization server’s session', () => {
  const options: [string, object][] = [
    ['postLogoutRedirectUri', { postLogoutRedirectUri: 'https://app.example/logged-out' }],
    ['routes.backchannelLogout', { routes: { backchannelLogout: '/ended' } }],
    ['routes.frontchannelLogout', { routes: { frontchannelLogout: '/framed' } }],
  ]
  for (const [name, option] of options) {
    it(`P15: ${name} needs the scope openid`, () => {
      expect(refusal({ ...byHand, ...option }).message).to.include(`"${name}" needs 'openid'`)
      expect(() => makeFlow({ ...byHand, ...signingIn, ...option })).not.to.throw()
    })

    it(`P15: ${name} is refused with purpose 'connect'`, () => {
      const connect = { ...valid, purpose: 'connect', userId: () => 'alice' }
      expect(refusal({ ...connect, ...option }).message).to.include(`"${name}" does nothing`)
    })
  }

  it('P15: postLogoutRedirectUri is below basePath', () => {
    const at = { redirectUri: 'https://app.example/base/callback', basePath: '/base' }
    refuses('postLogoutRedirectUri', 'https://app.example/logged-out', at)
    refuses('postLogoutRedirectUri', 'https://app.example/baseless', at)
  })

  it('P15: afterLogout, too, must not lead in circles', () => {
    const postLogoutRedirectUri = 'https://app.example/logged-out'
    refuses('afterLogout', '/logged-out', { postLogoutRedirectUri })
  })

  it("P15: logout({ atServer }) must be true or false, and not true with purpose 'connect'", () => {
    for (const atServer of [null, 0, 'no'])
      expect(() => pkceFlow(valid).logout({ atServer } as never)).to.throw(
        ConfigurationError,
        /logout: "atServer"/,
      )
    const connect = pkceFlow({ ...valid, purpose: 'connect', userId: () => 'alice' })
    expect(() => connect.logout({ atServer: true })).to.throw(ConfigurationError, /"atServer"/)
    connect.logout({ atServer: false })
  })
})

describe('routes', () => {
  const cases: [string, object, Record<string, string>][] = [
    [
      '/callback has its siblings',
      { redirectUri: 'https://app.example/callback' },
      { login: '/login', callback: '/callback', logout: '/logout' },
    ],
    [
      '/oauth/gitlab/callback has its siblings',
      { redirectUri: 'https://app.example/oauth/gitlab/callback' },
      {
        login: '/oauth/gitlab/login',
        callback: '/oauth/gitlab/callback',
        logout: '/oauth/gitlab/logout',
      },
    ],
    [
      'a slash at the end of redirectUri',
      { redirectUri: 'https://app.example/auth/return/' },
      { login: '/auth/login', callback: '/auth/return', logout: '/auth/logout' },
    ],
    [
      'named ones',
      { routes: { login: '/sign-in', logout: '/sign-out' } },
      { login: '/sign-in', callback: '/callback', logout: '/sign-out' },
    ],
    ['login left out', { routes: { login: false } }, { callback: '/callback', logout: '/logout' }],
    ['logout left out', { routes: { logout: false } }, { callback: '/callback', login: '/login' }],
    [
      'basePath is taken off',
      { redirectUri: 'https://app.example/base/callback', basePath: '/base' },
      { login: '/login', callback: '/callback', logout: '/logout' },
    ],
    [
      'those of the server’s logouts',
      {
        ...signingIn,
        postLogoutRedirectUri: 'https://app.example/base/logged-out/',
        redirectUri: 'https://app.example/base/callback',
        basePath: '/base',
        routes: { backchannelLogout: '/ended', frontchannelLogout: '/framed' },
      },
      {
        ...{ login: '/login', callback: '/callback', logout: '/logout' },
        ...{ postLogout: '/logged-out', backchannel: '/ended', frontchannel: '/framed' },
      },
    ],
    [
      'a callback route behind a proxy that rewrites paths',
      { redirectUri: 'https://app.example/public/return', routes: { callback: '/inner/return' } },
      { login: '/inner/login', callback: '/inner/return', logout: '/inner/logout' },
    ],
  ]
  for (const [what, options, expected] of cases)
    it(`P15: ${what}`, async () => {
      const app = offlineApp({ ...byHand, ...options })
      // Only our own routes answer 405.
      const isRoute = async (path: string) => (await request(app).patch(path)).status === 405
      const candidates = new Set([
        ...Object.values(expected),
        ...['/login', '/callback', '/logout', '/oauth/login', '/sign-in', '/base/login'],
      ])
      const found = []
      for (const path of candidates) if (await isRoute(path)) found.push(path)
      expect(found).to.have.members(Object.values(expected))
      for (const path of Object.values(expected)) expect(await isRoute(`${path}/`)).to.equal(true)
    })
})

describe('defaults', () => {
  let app: RunningApp | undefined

  afterEach(async () => {
    clock.release()
    await app?.close()
  })

  it("P15: scope is 'openid' with issuer, response mode the query, nothing else is asked", async () => {
    app = await startApp()
    const answer = await createBrowser().request(app.url('/login'))
    const { searchParams } = new URL(answer.headers.location!)
    expect(searchParams.get('scope')).to.equal('openid')
    expect([...searchParams.keys()]).to.have.members([
      ...['response_type', 'client_id', 'redirect_uri', 'scope', 'state', 'nonce'],
      ...['code_challenge', 'code_challenge_method'],
    ])
  })

  it('P15: without issuer there is no scope, and no nonce', async () => {
    const { searchParams } = await authorizationRequest({})
    expect(searchParams.has('scope')).to.equal(false)
    expect(searchParams.has('nonce')).to.equal(false)
  })

  for (const [given, expected] of [
    ['read  write ', 'read write'],
    [['read', 'write', 'read'], 'read write'],
    ['', null],
    [[], null],
  ] as const)
    it(`P15: scope ${JSON.stringify(given)} is sent as ${JSON.stringify(expected)}`, async () => {
      const { searchParams } = await authorizationRequest({ scope: given })
      expect(searchParams.get('scope')).to.equal(expected)
    })

  it('P15: a login can be pending for 10 minutes, 25 at a time', async () => {
    clock.stop()
    app = await startApp()
    const browser = createBrowser()
    for (let started = 0; started < 26; started += 1) {
      const { headers } = await browser.request(app.url('/login'))
      const set = headers['set-cookie'] ?? []
      expect(set.filter((cookie) => cookie.includes('Max-Age=600;'))).to.have.length(1)
      expect(set.filter((cookie) => cookie.includes('Max-Age=0;'))).to.have.length(
        started < 25 ? 0 : 1,
      )
    }
  })

  it('P15: name is the server’s host, afterLogin and afterLogout "/", requestProperty "token"', async () => {
    app = await startApp({ serverOptions: withoutEndSession })
    const browser = createBrowser()
    expect((await browser.open(app.url('/login'))).url).to.equal(app.url('/'))
    const page = await browser.open(app.url('/public'))
    expect(JSON.parse(page.body)).to.deep.equal({ token: app.server.issued[0]!.accessToken })
    expect((await browser.open(app.url('/logout'))).url).to.equal(app.url('/'))
    await browser.open(app.url('/callback?state=x&code=y'))
    expect(app.errors).to.have.length(1)
    expect(app.errors[0]).to.include({ flow: new URL(app.server.issuer).host })
  })
})

describe('the caller’s object', () => {
  function deepFreeze<T extends object>(value: T): T {
    for (const member of Object.values(value))
      if (typeof member === 'object' && member !== null) deepFreeze(member as object)
    return Object.freeze(value)
  }

  const all = () => ({
    ...byHand,
    server: { ...endpoints, code_challenge_methods_supported: ['S256'] },
    scope: ['read'],
    authorizationParams: { prompt: 'consent' },
    routes: { login: '/sign-in' },
    returnToOrigins: ['https://other.example'],
    sessionAtLogin: ['cart'],
  })

  it('P15: is not written to', async () => {
    await authorizationRequest(deepFreeze(all()), '/sign-in')
  })

  it('P15: is not kept: what is changed afterwards has no effect', async () => {
    const options = all()
    const app = offlineApp(options)
    options.scope.push('everything')
    options.authorizationParams.prompt = 'none'
    options.server.authorization_endpoint = 'https://evil.example/'
    options.routes.login = '/elsewhere'
    options.redirectUri = 'https://evil.example/'
    options.returnToOrigins.push('https://evil.example')
    const { headers } = await visit(app, '/sign-in')
    const url = new URL(headers.location!)
    expect(url.origin).to.equal('https://server.example')
    expect(Object.fromEntries(url.searchParams)).to.include({
      scope: 'read',
      prompt: 'consent',
      redirect_uri: 'https://app.example/callback',
    })
  })
})

describe('arguments of the members', () => {
  type Call = (flow: PkceFlow) => unknown
  const wrong: [string, Call, RegExp][] = [
    ['requireToken(null)', (flow) => flow.requireToken(null as never), /requireToken/],
    ['requireToken("auto")', (flow) => flow.requireToken('auto' as never), /requireToken/],
    [
      'requireToken({ scopes })',
      (flow) => flow.requireToken({ scopes: 'read' } as never),
      /requireToken\.scopes/,
    ],
    [
      'requireToken({ unauthenticatd })',
      (flow) => flow.requireToken({ unauthenticatd: 'next' } as never),
      /Did you mean "requireToken\.unauthenticated"/,
    ],
    [
      "requireToken({ unauthenticated: 'json' })",
      (flow) => flow.requireToken({ unauthenticated: secret } as never),
      /requireToken: "unauthenticated" must be 'auto'/,
    ],
    [
      'requireToken(handler, handler)',
      (flow) => (flow.requireToken as (...all: unknown[]) => unknown)(noHandler, noHandler),
      /requireToken/,
    ],
    [
      'requireLogin({ claim })',
      (flow) => flow.requireLogin({ claim: () => true } as never),
      /Did you mean "requireLogin\.claims"/,
    ],
    [
      'requireLogin({ claims: object })',
      (flow) => flow.requireLogin({ claims: { admin: true } } as never),
      /requireLogin: "claims" must be a function/,
    ],
    [
      "requireLogin({ unauthenticated: '' })",
      (flow) => flow.requireLogin({ unauthenticated: '' } as never),
      /requireLogin: "unauthenticated"/,
    ],
    ['requireLogin(handler)', (flow) => flow.requireLogin(noHandler as never), /requireLogin/],
    ['login({ returnto })', (flow) => flow.login({ returnto: '/' } as never), /login\.returnTo/],
    [
      'login({ authorizationParams: { state } })',
      (flow) => flow.login({ authorizationParams: { state: secret } }),
      /"authorizationParams\.state".*overridden/,
    ],
    [
      'login({ authorizationParams: text })',
      (flow) => flow.login({ authorizationParams: secret } as never),
      /"authorizationParams"/,
    ],
    [
      'login({ authorizationParams: null })',
      (flow) => flow.login({ authorizationParams: null } as never),
      /"authorizationParams"/,
    ],
    ['logout({ atserver })', (flow) => flow.logout({ atserver: false } as never), /logout\.atserv/],
    ['logout(5)', (flow) => flow.logout(5 as never), /logout/],
  ]
  for (const [what, call, message] of wrong)
    it(`P15: ${what} throws at once`, () => {
      const flow = pkceFlow(valid)
      expect(() => call(flow))
        .to.throw(ConfigurationError, message)
        .which.satisfies((error: unknown) => !inspect(error, { depth: Infinity }).includes(secret))
    })

  for (const member of ['login', 'logout'] as const)
    for (const returnTo of [
      ...['//evil.example', '/\\evil.example', 'https://evil.example/', 'javascript:alert(1)', ''],
      ...['home', '/\t/evil.example', '/..//evil.example', '/login', '/logout', '/callback', 5],
      ...[['/'], `/${'x'.repeat(2_048)}`],
    ])
      it(`P15: ${member}({ returnTo: ${inspect(returnTo).slice(0, 40)} }) throws at once`, () => {
        const flow = pkceFlow(valid)
        expect(() => flow[member]({ returnTo } as never)).to.throw(
          ConfigurationError,
          new RegExp(`${member}: "returnTo"`),
        )
      })

  it('P15: a path and a URL of one of returnToOrigins are accepted', () => {
    const flow = pkceFlow({ ...valid, returnToOrigins: ['https://other.example'] })
    for (const returnTo of ['/', '/a?b#c', 'https://other.example/a', 'https://app.example/a']) {
      flow.login({ returnTo })
      flow.logout({ returnTo })
    }
  })

  for (const member of ['requireToken', 'requireLogin', 'login', 'logout'] as const)
    it(`P15: ${member} without its () is an error of the first request, with the remedy`, async () => {
      const app = await startApp({
        routes: (routes, flow) => {
          const { [member]: forgotten } = flow as unknown as Record<string, RequestHandler>
          routes.get('/page', forgotten!)
        },
      })
      try {
        const { status } = await createBrowser().request(app.url('/page'))
        expect(status).to.equal(500)
        expect(app.errors[0]).to.be.instanceOf(ConfigurationError)
        expect((app.errors[0] as Error).message).to.include(`${member}()`)
      } finally {
        await app.close()
      }
    })

  for (const member of ['token', 'claims', 'status'] as const)
    it(`P15: ${member} without the request rejects`, async () => {
      const flow = pkceFlow(valid)
      for (const given of [undefined, null, {}, secret]) {
        const error: unknown = await flow[member](given as never).catch((thrown: unknown) => thrown)
        expect(error).to.be.instanceOf(ConfigurationError)
        expect((error as Error).message).to.include(`${member}(req)`)
      }
    })
})

function noHandler() {
  return undefined
}

describe('two flows in one app', () => {
  const other = {
    ...byHand,
    name: 'other',
    redirectUri: 'https://app.example/other/callback',
    requestProperty: 'other',
  }
  const first = { ...byHand, name: 'first' }
  const byIssuer = { issuer: valid.issuer, server: undefined, scope: 'openid' }
  const leaves = { ...byIssuer, routes: { frontchannelLogout: '/left' } }

  /** The error of the first request to an app with two flows. */
  async function clash(changes: object, firstChanges = {}) {
    const app = express()
    const errors: unknown[] = []
    app.use(session({ secret: 'x', resave: false, saveUninitialized: false }))
    app.use(makeFlow({ ...first, ...firstChanges }))
    app.use(makeFlow({ ...other, ...changes }))
    app.get('/', (_req, res) => {
      res.end('fine')
    })
    app.use(((error: unknown, _req, res, _next) => {
      errors.push(error)
      res.status(500).end()
    }) satisfies ErrorRequestHandler)
    await request(app).get('/')
    await request(app).get('/')
    return errors as ConfigurationError[]
  }

  it('P15: that have nothing in common are fine', async () => {
    expect(await clash({})).to.deep.equal([])
  })

  const clashes: [string, object, RegExp, object?][] = [
    ['the same name', { name: 'first' }, /"first" and "first".*"name"/],
    [
      'the same routes',
      { redirectUri: valid.redirectUri },
      /"first" and "other".*\/(login|callback|logout)/,
    ],
    ['one route in common', { routes: { logout: '/logout' } }, /"first" and "other".*\/logout/],
    ['one in common, after one that neither has', leaves, /"first" and "other".*\/left/, leaves],
    [
      'the same request property',
      { requestProperty: undefined },
      /"first" and "other".*req\.token.*"requestProperty"/,
    ],
  ]
  for (const [what, changes, message, firstChanges] of clashes)
    it(`P15: with ${what} are an error of every request, with both names`, async () => {
      const errors = await clash(changes, firstChanges)
      expect(errors).to.have.length(2)
      for (const error of errors) {
        expect(error).to.be.instanceOf(ConfigurationError)
        expect(error.message).to.match(message)
      }
    })

  it('P15: may have one request property if one of them does not attach', async () => {
    expect(await clash({ requestProperty: undefined, attach: false })).to.deep.equal([])
  })

  it('P15: of two apps have nothing to do with each other', async () => {
    for (const app of [offlineApp(first), offlineApp(first)])
      expect((await visit(app, '/login')).headers.location).to.match(/^https:\/\/server\.example/)
  })
})

describe('a router that never sees the callback', () => {
  for (const [mount, redirectUri] of [
    ['/auth', 'https://app.example/callback'],
    ['/auth', 'https://app.example/authentication/callback'],
    ['/a/b', 'https://app.example/a/callback'],
  ] as const)
    it(`P15: mounted at ${mount} with ${redirectUri}: callback_misplaced with both paths`, async () => {
      const app = await startApp({ mount, flow: { redirectUri } })
      try {
        await createBrowser().request(app.url(`${mount}/login`))
        expect(app.errors[0]).to.include({ code: 'callback_misplaced', status: 500 })
        expect((app.errors[0] as Error).message)
          .to.include(mount)
          .and.to.include(new URL(redirectUri).pathname)
      } finally {
        await app.close()
      }
    })

  it('P15: mounted above it, in any letter case, all is well', async () => {
    const app = await startApp({
      mount: '/Auth',
      flow: { redirectUri: 'https://app.example/auth/callback' },
    })
    try {
      await createBrowser().request(app.url('/auth/x'))
      expect(app.errors).to.deep.equal([])
    } finally {
      await app.close()
    }
  })
})
