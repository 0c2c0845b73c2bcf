import { isDeepStrictEqual } from 'node:util'
import * as client from 'openid-client'
import { ConfigurationError, PkceFlowError } from '../errors.ts'
import type { ServerMetadata } from '../options/server-metadata.ts'
import { resolveClientAuthentication } from './client-authentication.ts'
import { isPassing, jsonObject, unavailable } from './json-response.ts'
import {
  buildKnownServer,
  type AuthorizationServerSettings,
  type KnownServer,
} from './known-server.ts'
import type { Transport } from './transport.ts'
import { flowErrorIn } from './upstream-error.ts'
import { toWebResponse } from './web-response.ts'

/** Metadata are fetched again after an hour, in the background: the ones at hand stay in use. */
const metadataLifetime = 3_600_000

/** Between attempts after a failed discovery: doubling from the first to the last. Milliseconds. */
const firstBackOff = 1_000
const lastBackOff = 30_000

/**
 * Returns a function that gives the server, discovering it when first called. Calls share one
 * discovery. A failed one is remembered for the back-off only, and is answered with
 * `server_unavailable`; metadata that were discovered once stay in use when it fails later.
 */
export function createAuthorizationServer(
  settings: AuthorizationServerSettings,
  transport: Transport,
): () => Promise<KnownServer> {
  const authentication = resolveClientAuthentication(settings)
  const { issuer } = settings

  if (issuer === undefined) {
    const server = Promise.resolve(
      buildKnownServer(settings, authentication, settings.server, transport),
    )
    return () => server
  }

  let known: KnownServer | undefined
  let knownUntil = 0
  let discovering: Promise<KnownServer> | undefined
  let failure: { error: PkceFlowError; backOff: number; until: number } | undefined

  async function discoverNow(from: string): Promise<KnownServer> {
    try {
      const discovered = await discover(from, settings, authentication, transport)
      const completed = complete(discovered, settings.server)
      known = buildKnownServer(settings, authentication, completed, transport, known)
      knownUntil = Date.now() + metadataLifetime
      failure = undefined
      return known
    } catch (thrown) {
      const error = discoveryError(thrown)
      const backOff = failure ? Math.min(failure.backOff * 2, lastBackOff) : firstBackOff
      failure = { error, backOff, until: Date.now() + backOff }
      throw error
    } finally {
      discovering = undefined
    }
  }

  return async function getServer() {
    if (known && Date.now() < knownUntil) return known
    const wait = failure ? failure.until - Date.now() : 0
    if (failure && wait > 0 && wait <= lastBackOff) {
      if (known) return known
      throw new PkceFlowError(
        'server_unavailable',
        'The authorization server was not usable a moment ago and is not asked again yet: ' +
          failure.error.message,
        { retryAfter: Math.ceil(wait / 1000), cause: failure.error },
      )
    }
    discovering ??= discoverNow(issuer)
    if (!known) return discovering
    discovering.catch(() => undefined) // remembered in `failure`; what is known stays in use
    return known
  }
}

function discoveryError(thrown: unknown): PkceFlowError {
  return (
    flowErrorIn(thrown) ??
    new PkceFlowError(
      'invalid_server_response',
      'The authorization server\'s metadata cannot be used. Is the option "issuer" exactly its issuer identifier?',
      { cause: thrown },
    )
  )
}

async function discover(
  issuer: string,
  settings: AuthorizationServerSettings,
  authentication: client.ClientAuth,
  transport: Transport,
): Promise<client.ServerMetadata> {
  let missing = false
  const fetchMetadata: client.CustomFetch = async (url, { headers }) => {
    const response = await transport(new URL(url), { method: 'GET', headers, redirects: 3 })
    missing = response.status === 404 || response.status === 405
    if (isPassing(response)) throw unavailable(response)
    const json = response.status === 200 ? jsonObject(response) : undefined
    if (json === undefined)
      throw new PkceFlowError(
        'invalid_server_response',
        missing
          ? 'The authorization server publishes no metadata (OpenID Connect Discovery, RFC 8414). Give them in the option "server".'
          : "The authorization server's metadata are not a JSON object.",
      )
    return toWebResponse(json)
  }
  const attempt = (algorithm: 'oidc' | 'oauth2') =>
    client.discovery(new URL(issuer), settings.clientId, undefined, authentication, {
      algorithm,
      // oxlint-disable-next-line typescript/no-deprecated -- deprecated as a warning only; the transport refuses http: but for loopback
      execute: [client.allowInsecureRequests],
      [client.customFetch]: fetchMetadata,
    })
  try {
    return (await attempt('oidc')).serverMetadata()
  } catch (error) {
    if (!missing) throw error
    return (await attempt('oauth2')).serverMetadata()
  }
}

/** Members that carry security: by hand they may be added, never changed. */
const securityMembers = [
  'issuer',
  'jwks_uri',
  'code_challenge_methods_supported',
  'id_token_signing_alg_values_supported',
  'authorization_response_iss_parameter_supported',
] as const

function complete(discovered: ServerMetadata, given: ServerMetadata): ServerMetadata {
  for (const member of securityMembers) {
    if (given[member] === undefined || discovered[member] === undefined) continue
    if (!isDeepStrictEqual(given[member], discovered[member]))
      throw new ConfigurationError(
        `Option "server.${member}" differs from what the authorization server publishes. Leave it out.`,
      )
  }
  return { ...discovered, ...given }
}
