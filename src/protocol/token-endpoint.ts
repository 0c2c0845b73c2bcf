import type { CustomFetch, TokenEndpointResponse as UpstreamResponse } from 'openid-client'
import { PkceFlowError } from '../errors.ts'
import type { Dialect } from '../options/preset.ts'
import { isPassing, unavailable } from './json-response.ts'
import { errorIn, grantedScope, readAnswer, tokenTypeIn, writeRequest } from './token-dialect.ts'
import { TokenRefusal } from './token-refusal.ts'
import type { Transport } from './transport.ts'
import { toWebResponse } from './web-response.ts'

/** What a token endpoint gave (RFC 6749 section 5.1), in the form that we keep. */
export interface TokenEndpointResponse {
  accessToken: string
  /** In lower case; `bearer` if the server did not say. Not validated. */
  tokenType: string
  /** `undefined`: as requested. */
  scope: string[] | undefined
  /** Milliseconds since the epoch; `undefined`: unknown. */
  expiresAt: number | undefined
  /** Milliseconds since the epoch: when this response came. */
  issuedAt: number
  refreshToken: string | undefined
  /** When the refresh token ends. Milliseconds since the epoch; `undefined`: unknown. */
  refreshExpiresAt: number | undefined
  /** Not validated. */
  idToken: string | undefined
}

/** An access token that is said to live for longer is taken to live for this long. Seconds. */
const longestLife = 365 * 24 * 3600

/**
 * What openid-client must not look at travels past it under this key. It would check some claims of
 * an ID Token only, and throw the access token away on failure, so that nobody could revoke it; the
 * same with a token type.
 */
const aside = Symbol('aside')

interface Aside {
  tokenType: string
  idToken: string | undefined
  /** Seconds. */
  refreshExpiresIn: number | undefined
}

type WithAside = UpstreamResponse & { [aside]?: Aside }

/**
 * openid-client's `fetch` for the token endpoint. What comes back is a response that openid-client
 * accepts, or a rejection with an error of ours (which it wraps, see `flowErrorIn`).
 */
export function createTokenEndpointFetch(transport: Transport, dialect: Dialect): CustomFetch {
  return async function fetchTokens(url, { headers, body }) {
    const response = await transport(new URL(url), {
      method: 'POST',
      ...writeRequest(headers, body as URLSearchParams, dialect),
    })
    const json = readAnswer(response, dialect)
    if (isPassing(response)) throw unavailable(response)
    const error = json && errorIn(json, dialect)
    if (response.status !== 200 || error !== undefined) throw new TokenRefusal(response, error)
    if (json === undefined)
      throw new PkceFlowError(
        'invalid_server_response',
        "The authorization server's token endpoint did not answer with a JSON object.",
      )
    return toWebResponse(usable(json, dialect))
  }
}

/**
 * The members that this package uses, made well-formed. The code is spent and an old refresh token
 * rotated by now: a token that can be used is not thrown away because of a malformed member that
 * need not be there at all.
 */
function usable(json: Record<string, unknown>, dialect: Dialect): WithAside {
  const { access_token, refresh_token, id_token } = json
  if (typeof access_token !== 'string' || !isSendable(access_token))
    throw new PkceFlowError(
      'invalid_server_response',
      "The authorization server's token endpoint answered without an access token.",
    )
  const expiresIn = lifetime(json.expires_in)
  const scope = grantedScope(json, dialect)
  return {
    access_token,
    token_type: 'bearer',
    ...(expiresIn !== undefined && { expires_in: expiresIn }),
    ...(scope !== undefined && { scope }),
    ...(typeof refresh_token === 'string' && refresh_token !== '' && { refresh_token }),
    [aside]: {
      tokenType: tokenTypeIn(json, dialect),
      idToken: typeof id_token === 'string' ? id_token : undefined,
      refreshExpiresIn: refreshLifetime(json),
    },
  }
}

/**
 * RFC 6749 appendix A.12. Any other text fits into no header, and those that try to put it there
 * show it in their error.
 */
function isSendable(accessToken: string): boolean {
  return /^[\x20-\x7e]+$/.test(accessToken)
}

/** A number of seconds, as a number or as digits; `undefined` for what is none. */
function secondsIn(value: unknown): number | undefined {
  const seconds = typeof value === 'string' && /^\d+(\.\d+)?$/.test(value) ? Number(value) : value
  return typeof seconds === 'number' && seconds >= 0 ? seconds : undefined
}

function lifetime(expiresIn: unknown): number | undefined {
  const seconds = secondsIn(expiresIn)
  return seconds === undefined ? undefined : Math.min(seconds, longestLife)
}

/**
 * Seconds that the refresh token lives. No standard names it; these are the two names in use. 0 is
 * how Keycloak says that it does not end by itself, and more than a year is as good.
 */
function refreshLifetime(json: Record<string, unknown>): number | undefined {
  const { refresh_expires_in, refresh_token_expires_in } = json
  const seconds = secondsIn(refresh_expires_in) ?? secondsIn(refresh_token_expires_in) ?? 0
  return seconds > 0 && seconds <= longestLife ? seconds : undefined
}

/** openid-client's result in our form. */
export function toTokenEndpointResponse(response: UpstreamResponse): TokenEndpointResponse {
  const { scope, expires_in } = response
  const { tokenType, idToken, refreshExpiresIn } = (response as WithAside)[aside] as Aside
  const issuedAt = Date.now()
  const after = (seconds: number | undefined) =>
    seconds === undefined ? undefined : issuedAt + seconds * 1000
  return {
    accessToken: response.access_token,
    tokenType,
    scope: scope === undefined ? undefined : scope.split(' ').filter(Boolean),
    expiresAt: after(expires_in),
    issuedAt,
    refreshToken: response.refresh_token,
    refreshExpiresAt: after(refreshExpiresIn),
    idToken,
  }
}
