import * as client from 'openid-client'
import { PkceFlowError } from '../errors.ts'
import type { Dialect } from '../options/preset.ts'
import type { ServerMetadata } from '../options/server-metadata.ts'
import { isSecureOrLoopback } from '../secure-url.ts'
import type { ClientSettings } from '../options/client.ts'
import { createPushedRequestFetch } from './pushed-authorization-endpoint.ts'
import { createRevocationFetch } from './revocation-endpoint.ts'
import { createSigningKeys, type SigningKeys } from './signing-keys.ts'
import { createTokenEndpointFetch } from './token-endpoint.ts'
import type { Transport } from './transport.ts'

/** An authorization server whose metadata are known, and this client of it. */
export interface KnownServer {
  readonly metadata: ServerMetadata & { authorization_endpoint: string; token_endpoint: string }
  /** openid-client's view of the server and of this client. */
  readonly configuration: client.Configuration
  /** `undefined` for a server without `jwks_uri`. */
  readonly keys: SigningKeys | undefined
  /** The way to its other endpoints. */
  readonly transport: Transport
  /** In what it differs from the standards. */
  readonly dialect: Dialect
}

/** What is needed to know an authorization server. */
export interface AuthorizationServerSettings extends ClientSettings {
  /** Issuer identifier to discover from, or `undefined` if `server` says all. */
  issuer: string | undefined
  /** Metadata by hand. */
  server: ServerMetadata
  /** Milliseconds. */
  timeout: number
  /** In what the server differs from the standards. Default: in nothing. */
  dialect?: Dialect | undefined
}

const withoutS256 =
  'The authorization server announces PKCE without S256 (RFC 7636), the only method that is safe.'

/** Whether metadata could not be taken into use for want of S256; also while that is remembered. */
export function isWithoutS256({ message, cause }: PkceFlowError): boolean {
  return message === withoutS256 || (cause instanceof Error && cause.message === withoutS256)
}

/** Takes metadata into use. Throws `invalid_server_response` if they cannot be. */
export function buildKnownServer(
  settings: AuthorizationServerSettings,
  authentication: client.ClientAuth,
  metadata: ServerMetadata,
  transport: Transport,
  before?: KnownServer,
): KnownServer {
  const { revocation_endpoint } = metadata
  const jwksUri = keySetUrl(metadata)
  const { dialect = {} } = settings
  const authorization_endpoint = endpoint(metadata, 'authorization_endpoint')
  const token_endpoint = endpoint(metadata, 'token_endpoint')
  const methods: unknown = metadata.code_challenge_methods_supported
  if (methods != null && !(Array.isArray(methods) && methods.includes('S256')))
    throw new PkceFlowError('invalid_server_response', withoutS256)
  const pushed_authorization_request_endpoint =
    metadata.require_pushed_authorization_requests === true
      ? endpoint(metadata, 'pushed_authorization_request_endpoint')
      : undefined
  const configuration = new client.Configuration(
    {
      // What it is used for; all else is checked here, and what a server publishes may be anything.
      token_endpoint,
      ...(pushed_authorization_request_endpoint !== undefined && {
        pushed_authorization_request_endpoint,
        // Its own query is for the browser.
        authorization_endpoint: authorization_endpoint.replace(/\?.*/, ''),
      }),
      ...(typeof revocation_endpoint === 'string' && { revocation_endpoint }),
      // A plain OAuth 2.0 server need not have one; openid-client wants some.
      issuer: metadata.issuer ?? new URL(token_endpoint).origin,
    },
    settings.clientId,
    undefined,
    authentication,
  )
  const fetchTokens = createTokenEndpointFetch(transport, dialect)
  const fetchRevocation = createRevocationFetch(transport)
  const tokenUrl = new URL(token_endpoint).href
  const fetchPushedRequest = createPushedRequestFetch(transport)
  configuration[client.customFetch] = (url, options) => {
    if (url === tokenUrl) return fetchTokens(url, options)
    const isPushed = url === pushed_authorization_request_endpoint
    return (isPushed ? fetchPushedRequest : fetchRevocation)(url, options)
  }
  // oxlint-disable-next-line typescript/no-deprecated -- deprecated as a warning only; the transport refuses http: but for loopback
  client.allowInsecureRequests(configuration)
  configuration.timeout = 0 // the transport has a limit of its own
  const keys =
    before && before.metadata.jwks_uri === metadata.jwks_uri
      ? before.keys
      : jwksUri && createSigningKeys(jwksUri, transport)
  return {
    metadata: { ...metadata, authorization_endpoint, token_endpoint },
    configuration,
    keys: keys || undefined,
    transport,
    dialect,
  }
}

function endpoint(
  metadata: ServerMetadata,
  name: 'authorization_endpoint' | 'token_endpoint' | 'pushed_authorization_request_endpoint',
): string {
  const value: unknown = metadata[name]
  const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : undefined
  // RFC 6749 sections 3.1 and 3.2: no fragment, not even an empty one, which `hash` does not show and
  // which would swallow the query.
  if (url !== undefined && isSecureOrLoopback(url) && !url.href.includes('#')) return url.href
  throw new PkceFlowError(
    'invalid_server_response',
    `The authorization server publishes no ${name} with an https: URL. Give it in the option "server".`,
  )
}

function keySetUrl({ jwks_uri }: ServerMetadata): string | undefined {
  const value: unknown = jwks_uri
  if (!value) return undefined
  if (typeof value === 'string' && URL.canParse(value)) return value
  throw new PkceFlowError(
    'invalid_server_response',
    'The authorization server publishes a jwks_uri that is no URL. Give it in the option "server".',
  )
}
