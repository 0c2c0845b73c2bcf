import type { CustomFetch, TokenEndpointResponse as UpstreamResponse } from 'openid-client'
import { PkceFlowError, registeredError } from '../errors.ts'
import { isPassing, jsonObject, unavailable } from './json-response.ts'
import type { ServerResponse, Transport } from './transport.ts'
import { toWebResponse } from './web-response.ts'

/** What a token endpoint gave (RFC 6749 section 5.1), in the form that we keep. */
export interface TokenEndpointResponse {
  accessToken: string
  tokenType: 'bearer'
  /** `undefined`: as requested. */
  scope: string[] | undefined
  /** Milliseconds since the epoch; `undefined`: unknown. */
  expiresAt: number | undefined
  refreshToken: string | undefined
  /** Not validated. */
  idToken: string | undefined
}

/** An access token that is said to live for longer is taken to live for this long. Seconds. */
const longestLife = 365 * 24 * 3600

/**
 * The ID Token travels past openid-client under this key: `id-token.ts` validates it, whole, in one
 * place. openid-client would check some claims only, and throw the access token away on failure, so
 * that nobody could revoke it.
 */
const idTokenAside = Symbol('id_token')

type Aside = UpstreamResponse & { [idTokenAside]?: string | undefined }

/**
 * openid-client's `fetch` for the token endpoint. What comes back is a response that openid-client
 * accepts, or a rejection with an error of ours (which it wraps, see `flowErrorIn`).
 */
export function createTokenEndpointFetch(transport: Transport): CustomFetch {
  return async function fetchTokens(url, { headers, body }) {
    const response = await transport(new URL(url), {
      method: 'POST',
      headers,
      body: (body as URLSearchParams).toString(),
    })
    const json = jsonObject(response)
    if (response.status !== 200 || typeof json?.error === 'string') throw refusal(response, json)
    if (json === undefined)
      throw new PkceFlowError(
        'invalid_server_response',
        "The authorization server's token endpoint did not answer with a JSON object.",
      )
    return toWebResponse(usable(json))
  }
}

/**
 * The members that this package uses, made well-formed. The code is spent and an old refresh token
 * rotated by now: a token that can be used is not thrown away because of a malformed member that
 * need not be there at all.
 */
function usable(json: Record<string, unknown>): Aside {
  const { access_token, token_type, scope, refresh_token, id_token } = json
  if (typeof access_token !== 'string' || access_token === '')
    throw new PkceFlowError(
      'invalid_server_response',
      "The authorization server's token endpoint answered without an access token.",
    )
  // openid-client takes DPoP tokens that nobody asked for (RFC 9449 section 5).
  if (typeof token_type === 'string' && token_type.toLowerCase() !== 'bearer')
    throw new PkceFlowError(
      'invalid_server_response',
      'The authorization server issued a type of token that was not asked for.',
    )
  const expiresIn = lifetime(json.expires_in)
  return {
    access_token,
    token_type: 'bearer',
    ...(expiresIn !== undefined && { expires_in: expiresIn }),
    ...(typeof scope === 'string' && { scope }),
    ...(typeof refresh_token === 'string' && refresh_token !== '' && { refresh_token }),
    [idTokenAside]: typeof id_token === 'string' ? id_token : undefined,
  }
}

function lifetime(expiresIn: unknown): number | undefined {
  const seconds =
    typeof expiresIn === 'string' && /^\d+(\.\d+)?$/.test(expiresIn) ? Number(expiresIn) : expiresIn
  if (typeof seconds !== 'number' || !(seconds >= 0)) return undefined
  return Math.min(seconds, longestLife)
}

/** openid-client's result in our form. */
export function toTokenEndpointResponse(response: UpstreamResponse): TokenEndpointResponse {
  const { scope, expires_in } = response
  return {
    accessToken: response.access_token,
    tokenType: 'bearer',
    scope: scope === undefined ? undefined : scope.split(' ').filter(Boolean),
    expiresAt: expires_in === undefined ? undefined : Date.now() + expires_in * 1000,
    refreshToken: response.refresh_token,
    idToken: (response as Aside)[idTokenAside],
  }
}

/** RFC 6749 section 5.2: errors that are about this client, not about the person's code. */
const clientErrors = new Set([
  'invalid_client',
  'invalid_request',
  'invalid_scope',
  'invalid_target',
  'unauthorized_client',
  'unsupported_grant_type',
])

function refusal(
  response: ServerResponse,
  json: Record<string, unknown> | undefined,
): PkceFlowError {
  if (isPassing(response)) return unavailable(response)
  const { status } = response
  const error = typeof json?.error === 'string' ? json.error : undefined
  const details = { oauthError: registeredError(error) }
  if (status === 401 || (error !== undefined && clientErrors.has(error)))
    return new PkceFlowError(
      'client_rejected',
      'The authorization server refused this client at its token endpoint: check client id, client ' +
        'secret, clientAuth and redirectUri against what is registered there.',
      details,
    )
  if (status === 400 || error !== undefined)
    return new PkceFlowError(
      'code_rejected',
      'The authorization server refused the authorization code. Start the login again.',
      details,
    )
  return new PkceFlowError(
    'invalid_server_response',
    `The authorization server's token endpoint answered ${status}, which no client can use.`,
  )
}
