import { type Agent, IncomingMessage } from 'node:http'
import { ConfigurationError } from '../errors.ts'
import { resolveAgent } from './agent.ts'
import { resolveAuthorizationParams } from './authorization-params.ts'
import {
  duration,
  integer,
  invalid,
  isRecord,
  isText,
  oneOf,
  refuseUnknown,
  resolveFlag,
  resolveFunction,
  textList,
} from './checks.ts'
import { resolveClient, type ClientSettings } from './client.ts'
import { resolveEncryptionKeys } from './encryption-keys.ts'
import { expandPreset } from './expand-preset.ts'
import { resolveLock, resolveStore, resolveUserTokens, type UserTokenSettings } from './keeping.ts'
import type { Lock } from './lock.ts'
import type { CommonOptions, PkceFlowOptions, SessionStore } from './options.ts'
import {
  resolveApiOrigins,
  resolveBasePath,
  resolveLanding,
  resolveOrigins,
  resolveRedirectUri,
  resolveRoutes,
  type SettledRoutes,
} from './places.ts'
import type { Dialect } from './preset.ts'
import { resolveScope } from './scope.ts'
import { refuseWithoutSignIn, resolvePostLogout } from './server-logout.ts'
import { resolveIssuer, resolveServer, type ServerMetadata } from './server-metadata.ts'

/** Options with defaults filled in, checked and copied: what the rooms work with. */
export interface Settings extends ClientSettings, UserTokenSettings {
  readonly name: string
  readonly issuer: string | undefined
  readonly server: ServerMetadata
  /** In what the server differs from the standards. */
  readonly dialect: Dialect
  readonly redirectUri: string
  readonly postLogoutRedirectUri: string | undefined
  /** redirectUri's origin: of every URL that we make for the browser. */
  readonly origin: string
  readonly secure: boolean
  readonly routes: SettledRoutes
  readonly basePath: string
  readonly scope: readonly string[]
  readonly authorizationParams: Readonly<Record<string, string>>
  readonly responseMode: 'query' | 'form_post'
  readonly requestProperty: string
  readonly attach: boolean
  readonly afterLogin: string
  readonly afterLogout: string
  readonly returnToOrigins: ReadonlySet<string>
  readonly sessionAtLogin: 'migrate' | 'new' | readonly string[]
  readonly loginTimeout: number
  readonly maxPendingLogins: number
  readonly refreshLeeway: number
  readonly timeout: number
  readonly clockTolerance: number
  readonly store: SessionStore | undefined
  readonly lock: Lock | 'process' | undefined
  /** The first one seals, all open; `undefined`: nothing is sealed. */
  readonly encryptionKeys: readonly Uint8Array[] | undefined
  readonly apiOrigins: ReadonlySet<string>
  readonly agent: Agent | undefined
  readonly onLogin: CommonOptions['onLogin']
}

/** Checks the options and fills in defaults. Throws `configuration` naming the option at fault. */
export function resolveOptions<Property extends string>(
  given: Readonly<PkceFlowOptions<Property>>,
): Settings {
  if (!isRecord(given)) throw new ConfigurationError('pkceFlow() needs an object of options.')
  refuseUnknown(given, optionNames, '')
  const { options, scope: presetScope, dialect } = expandPreset(given)
  const {
    responseMode = 'query',
    requestProperty = 'token',
    attach = true,
    authorizationParams = {},
    afterLogin = '/',
    afterLogout = '/',
    returnToOrigins = [],
    sessionAtLogin = 'migrate',
    loginTimeout = 600_000,
    maxPendingLogins = 25,
    refreshLeeway = 30_000,
    timeout = 5_000,
    clockTolerance = 30_000,
  } = options
  const issuer = resolveIssuer(options.issuer)
  const server = resolveServer(options.server, issuer)
  const { name = defaultName(issuer, server) } = options
  const redirectUri = resolveRedirectUri('redirectUri', options.redirectUri)
  const basePath = resolveBasePath(options.basePath)
  const postLogout = resolvePostLogout(options.postLogoutRedirectUri, redirectUri, basePath)
  const places = {
    origin: redirectUri.origin,
    returnToOrigins: resolveOrigins('returnToOrigins', returnToOrigins),
    basePath,
    routes: resolveRoutes(options.routes, redirectUri.pathname, basePath, postLogout?.path),
  }
  const scope = resolveScope(options.scope, issuer, server, presetScope)
  const userTokens = resolveUserTokens(options)
  refuseWithoutSignIn(
    {
      postLogoutRedirectUri: postLogout,
      'routes.backchannelLogout': places.routes.backchannelLogout,
      'routes.frontchannelLogout': places.routes.frontchannelLogout,
    },
    userTokens.purpose,
    scope,
  )
  return {
    ...places,
    name: resolveName(name),
    issuer,
    server,
    dialect,
    ...resolveClient(options),
    redirectUri: redirectUri.href,
    secure: redirectUri.protocol === 'https:',
    postLogoutRedirectUri: postLogout?.uri,
    scope,
    authorizationParams: resolveAuthorizationParams(authorizationParams),
    responseMode: resolveResponseMode(responseMode, redirectUri),
    requestProperty: resolveProperty(requestProperty),
    attach: resolveFlag('attach', attach),
    afterLogin: resolveLanding('afterLogin', afterLogin, places),
    afterLogout: resolveLanding('afterLogout', afterLogout, places),
    sessionAtLogin: resolveSessionAtLogin(sessionAtLogin),
    loginTimeout: duration('loginTimeout', loginTimeout, 2_000, 86_400_000),
    maxPendingLogins: integer('maxPendingLogins', maxPendingLogins, 1, 50),
    refreshLeeway: duration('refreshLeeway', refreshLeeway, 0, 3_600_000),
    timeout: duration('timeout', timeout, 1_000, 120_000),
    clockTolerance: duration('clockTolerance', clockTolerance, 0, 300_000),
    store: resolveStore(options.store),
    lock: resolveLock(options.lock),
    encryptionKeys: resolveEncryptionKeys(options.encryptionKeys),
    apiOrigins: resolveApiOrigins(options.apiOrigins, issuer, server),
    ...userTokens,
    agent: resolveAgent(options.agent, issuer, server),
    onLogin: resolveFunction('onLogin', options.onLogin),
  }
}

const optionNames = Object.keys({
  issuer: 0,
  server: 0,
  clientId: 0,
  clientSecret: 0,
  clientAuth: 0,
  redirectUri: 0,
  routes: 0,
  basePath: 0,
  scope: 0,
  authorizationParams: 0,
  responseMode: 0,
  name: 0,
  requestProperty: 0,
  attach: 0,
  afterLogin: 0,
  afterLogout: 0,
  returnToOrigins: 0,
  postLogoutRedirectUri: 0,
  purpose: 0,
  sessionAtLogin: 0,
  loginTimeout: 0,
  maxPendingLogins: 0,
  refreshLeeway: 0,
  timeout: 0,
  clockTolerance: 0,
  store: 0,
  lock: 0,
  encryptionKeys: 0,
  apiOrigins: 0,
  agent: 0,
  onLogin: 0,
  userId: 0,
  tokenStore: 0,
  tokenLifetime: 0,
} satisfies Record<keyof Required<PkceFlowOptions>, 0>)

/** Names of `Request` and `IncomingMessage` that a token must not hide. */
const takenProperties = new Set(
  (
    'accepts acceptsCharsets acceptsEncodings acceptsLanguages app baseUrl body complete cookies ' +
    'files fresh get header headers host hostname httpVersion ip ips method next ' +
    'is log originalUrl param params path protocol query range rawHeaders res route secure session sessionID sessionStore ' +
    'signedCookies socket stale subdomains url xhr'
  ).split(' '),
)

function resolveResponseMode(value: unknown, redirectUri: URL): Settings['responseMode'] {
  const responseMode = oneOf('responseMode', value, ['query', 'form_post'])
  if (responseMode === 'form_post' && redirectUri.protocol !== 'https:')
    throw invalid(
      'responseMode',
      "'form_post' needs an https: redirectUri: its cookie has to be sent cross-site",
    )
  return responseMode
}

function defaultName(issuer: string | undefined, server: ServerMetadata): string {
  return new URL(issuer ?? server.issuer ?? String(server.authorization_endpoint)).host
}

function resolveName(value: unknown): string {
  if (!isText(value) || !/^[\w.:[\]-]{1,100}$/.test(value) || value === '__proto__')
    throw invalid('name', 'must be 1 to 100 letters, digits, dots, colons or hyphens')
  return value
}

function resolveProperty(value: unknown): string {
  if (!isText(value) || !/^[A-Za-z_$][\w$]*$/.test(value) || value in Object.prototype)
    throw invalid('requestProperty', 'must be an identifier')
  if (takenProperties.has(value) || value in IncomingMessage.prototype)
    throw invalid('requestProperty', "is a member that Express's request has already")
  return value
}

function resolveSessionAtLogin(value: unknown): Settings['sessionAtLogin'] {
  if (!Array.isArray(value)) return oneOf('sessionAtLogin', value, ['migrate', 'new'])
  const keys = textList('sessionAtLogin', value)
  if (keys.includes('cookie'))
    throw invalid('sessionAtLogin', "cannot keep 'cookie': the new session has its own")
  return keys
}
