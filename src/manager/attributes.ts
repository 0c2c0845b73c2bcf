import type { Agent } from 'node:http'
import { ConfigurationError } from '../errors.ts'
import { resolveAgent } from '../options/agent.ts'
import { resolveAuthorizationParams } from '../options/authorization-params.ts'
import { duration, invalid } from '../options/checks.ts'
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

const hooks = [
  'storeUserSecrets',
  'retrieveUserState',
  'retrieveUserCodeVerifier',
  'retrieveUserCodeChallenge',
] as const

/**
 * Reads the attributes of a manager. Throws `configuration` that names all that are missing, or the
 * first that is wrong; always with the name of the class, never with a value.
 */
export function resolveAttributes(manager: object): ManagerSettings {
  const given = manager as Given
  const { name } = manager.constructor
  const missing = missingMembers(given)
  if (missing.length > 0)
    throw new ConfigurationError(
      `${name} lacks ${missing.join(', ')}: give attributes as fields or getters of the class, hooks ` +
        'as methods. Are the environment variables set that they come from?',
    )
  try {
    return settle(given)
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error
    throw new ConfigurationError(`${name}: ${error.message}`)
  }
}

/**
 * A class may have any member, so a misspelt one cannot be refused as an option would be: it shows by
 * the right one being missing. That is why the client secret and the scope have no silent default.
 */
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
    redirectUri: resolveRedirectUri(given.redirectUri).href,
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
