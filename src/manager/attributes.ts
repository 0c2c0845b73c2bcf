import type { Agent } from 'node:http'
import { asPkceFlowError, ConfigurationError } from '../errors.ts'
import { resolveAgent } from '../options/agent.ts'
import { resolveAuthorizationParams } from '../options/authorization-params.ts'
import { duration, invalid, isMisspelling } from '../options/checks.ts'
import { resolveClient, type ClientSettings } from '../options/client.ts'
import { expandPreset } from '../options/expand-preset.ts'
import { resolveRedirectUri } from '../options/places.ts'
import type { Dialect, Preset } from '../options/preset.ts'
import { resolveScope } from '../options/scope.ts'
import {
  resolveIssuer,
  resolveRootUrl,
  resolveServer,
  type ServerMetadata,
  type ServerRootUrl,
} from '../options/server-metadata.ts'

/**
 * What a subclass gives beside `clientId`, `redirectUri` and `scope`: a client secret (or another
 * `clientAuth`), one of `rootUrl`, `issuer` and `server`, and as much of the rest as it needs.
 * Durations: milliseconds.
 */
export interface ManagerAttributes {
  /** Client secret. Needed unless `clientAuth` says that there is none. */
  readonly clientSecret?: string | undefined
  /**
   * How the client authenticates at the token endpoint (RFC 6749 section 2.3), or a client
   * authentication of openid-client. A public client says `'none'`.
   * Default: `'client_secret_basic'`.
   */
  readonly clientAuth?: ClientSettings['clientAuth'] | undefined
  /** The URL that the server's endpoints are below, for example `https://gitlab.com/oauth/`. */
  readonly rootUrl?: string | undefined
  /** Below `rootUrl`. Default: `'authorize'`. */
  readonly authorizationPath?: string | undefined
  /** Below `rootUrl`. Default: `'token'`. */
  readonly tokenPath?: string | undefined
  /** Below `rootUrl`. Default: `'revoke'`. */
  readonly revocationPath?: string | undefined
  /** Issuer identifier: the server's metadata are discovered when they are first needed. */
  readonly issuer?: string | undefined
  /**
   * Metadata by hand, or what completes those that were discovered at `issuer`, or a preset of
   * `express-pkce-flow/presets`, whose parameters and scope are merged under those of the class.
   */
  readonly server?: ServerMetadata | ServerRootUrl | Preset | undefined
  /** More parameters of the authorization request, for example `{ prompt: 'consent' }`. */
  readonly authorizationParams?: Readonly<Record<string, string>> | undefined
  /** Limit for each whole exchange with the authorization server. Default: `5_000`. */
  readonly timeout?: number | undefined
  /** Difference of clocks that is tolerated in ID Tokens. Default: `30_000`. */
  readonly clockTolerance?: number | undefined
  /** For every request to the authorization server: client certificates, own CAs, a proxy. */
  readonly agent?: Agent | undefined
}

/** Attributes with defaults filled in, checked and copied. */
export interface ManagerSettings extends ClientSettings {
  readonly issuer: string | undefined
  readonly server: ServerMetadata
  /** In what the server differs from the standards. */
  readonly dialect: Dialect
  readonly redirectUri: string
  readonly scope: readonly string[]
  readonly authorizationParams: Readonly<Record<string, string>>
  readonly timeout: number
  readonly clockTolerance: number
  readonly agent: Agent | undefined
}

type Given = Readonly<Record<string, unknown>>

const attributes = [
  ...['clientId', 'clientSecret', 'clientAuth', 'redirectUri', 'rootUrl', 'authorizationPath'],
  ...['tokenPath', 'revocationPath', 'issuer', 'server', 'scope', 'authorizationParams'],
  ...['timeout', 'clockTolerance', 'agent'],
]

const hooks = [
  'storeUserSecrets',
  'retrieveUserState',
  'retrieveUserCodeVerifier',
  'retrieveUserCodeChallenge',
] as const

const replaceable = ['checkUserState', 'forgetUserSecrets', 'createState', 'createCodeVerifier']

/**
 * Reads the attributes of a manager. Throws `configuration` that names all that are missing, or the
 * first that is wrong; always with the name of the class, never with a value.
 */
export function resolveAttributes(manager: object): ManagerSettings {
  const name = nameOf(manager)
  const given = read(manager)
  const missing = missingMembers(given)
  const misspelt = misspeltMembers(manager, [...attributes, ...hooks, ...replaceable])
  if (missing.length > 0)
    throw new ConfigurationError(
      `${name} lacks ${missing.join(', ')}: give attributes as fields or getters of the class, hooks ` +
        `as methods. Are the environment variables set that they come from?${misspelt}`,
    )
  if (misspelt !== '') throw new ConfigurationError(`${name} has a misspelt member.${misspelt}`)
  try {
    return settle(given)
  } catch (error) {
    const { message } = asPkceFlowError(error, 'configuration', 'An attribute cannot be read.')
    throw new ConfigurationError(`${name}: ${message}`)
  }
}

/** What a manager's class is called, in messages. */
export function nameOf(manager: object): string {
  return manager.constructor.name || 'PkceFlowManager'
}

/** All at once and each once: a getter may give something else every time. */
function read(manager: object): Given {
  return Object.fromEntries(
    [...attributes, ...hooks].map((name) => {
      try {
        return [name, (manager as Given)[name]]
      } catch (cause) {
        const message = `${nameOf(manager)}: the getter of "${name}" failed.`
        throw new ConfigurationError(message, { cause })
      }
    }),
  )
}

/**
 * A class may have any member, so an unknown one cannot be refused as an option would be: only one
 * that looks like a known one does, where that one is not there. A plural is a name of its own.
 */
function misspeltMembers(manager: object, known: readonly string[]): string {
  const own = ownMembers(manager)
  return [...own]
    .filter((name) => !known.includes(name))
    .map((name) => [
      name,
      known.find((each) => !own.has(each) && name !== `${each}s` && isMisspelling(each, name)),
    ])
    .map(([name, meant]) => (meant === undefined ? '' : ` Is "${name}" meant to be "${meant}"?`))
    .join('')
}

/** Names of the members of an object and of its classes, but for those of the base class. */
function ownMembers(manager: object): Set<string> {
  const names = new Set<string>()
  for (let each = manager; isSubclassed(each); each = Object.getPrototypeOf(each) as object)
    for (const name of Object.getOwnPropertyNames(each)) names.add(name)
  return names
}

/** Whether the base class is still further up: its prototype is the one below `Object.prototype`. */
function isSubclassed(each: object): boolean {
  return Object.getPrototypeOf(Object.getPrototypeOf(each)) !== null
}

/** The client secret and the scope have no silent default: they may come from variables not set. */
function missingMembers(given: Given): string[] {
  const isMissing = (name: string) => given[name] == null || given[name] === ''
  const { clientAuth } = given
  const needsSecret = clientAuth !== 'none' && typeof clientAuth !== 'function'
  const missing = ['clientId', ...(needsSecret ? ['clientSecret'] : []), 'redirectUri'].filter(
    isMissing,
  )
  if (['rootUrl', 'issuer', 'server'].every(isMissing))
    missing.push('rootUrl (or issuer, or server)')
  if (given.scope == null) missing.push("scope ('' for none)")
  return [...missing, ...hooks.filter((name) => typeof given[name] !== 'function')]
}

function settle(given: Given): ManagerSettings {
  const { clientId, clientSecret, timeout, clockTolerance } = given
  const { options, scope: presetScope, dialect } = expandPreset(readExpandable(given))
  const { clientAuth, authorizationParams } = options
  const client = { clientId, clientAuth, ...(clientSecret != null && { clientSecret }) }
  const { issuer, server } = resolveWhere(given, options)
  return {
    ...resolveClient(client),
    issuer,
    server,
    dialect,
    redirectUri: resolveRedirectUri('redirectUri', given.redirectUri).href,
    scope: resolveScope(given.scope, issuer, server, presetScope),
    authorizationParams: resolveAuthorizationParams(authorizationParams ?? {}),
    timeout: duration('timeout', timeout ?? 5_000, 1_000, 120_000),
    clockTolerance: duration('clockTolerance', clockTolerance ?? 30_000, 0, 300_000),
    agent: resolveAgent(given.agent ?? undefined, issuer, server),
  }
}

/** What a preset can say, too. One by one: attributes can be getters, which no spread copies. */
function readExpandable({ server, issuer, clientSecret, clientAuth, authorizationParams }: Given) {
  return {
    server: server ?? undefined,
    issuer: issuer || undefined,
    clientSecret: clientSecret ?? undefined,
    clientAuth,
    authorizationParams: authorizationParams ?? undefined,
  }
}

function resolveWhere(given: Given, expanded: Given): Pick<ManagerSettings, 'issuer' | 'server'> {
  const { rootUrl, authorizationPath, tokenPath, revocationPath } = given
  if (!rootUrl) {
    const issuer = resolveIssuer(expanded.issuer)
    return { issuer, server: resolveServer(expanded.server, issuer) }
  }
  for (const other of ['issuer', 'server'])
    if (given[other]) throw invalid('rootUrl', `cannot be beside "${other}"`)
  const below = { rootUrl, authorizationPath, tokenPath, revocationPath }
  return { issuer: undefined, server: resolveRootUrl(below, '') }
}
