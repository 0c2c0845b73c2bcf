import { refreshTokenGrant } from 'openid-client'
import { asPkceFlowError } from '../errors.ts'
import type { KnownServer } from './known-server.ts'
import { ended, refreshRefusal, type FailedRefresh } from './refresh-refusal.ts'
import { identifyRefreshed, type RefreshedLogin } from './refreshed-id-token.ts'
import type { TokenEndpointResponse } from './token-endpoint.ts'
import { requestTokens, validateTokens, type ValidatedTokens } from './token-grant.ts'
import { TokenRefusal } from './token-refusal.ts'

/** Tokens to refresh, and what the answer is checked against. */
export interface TokenRefresh extends RefreshedLogin {
  refreshToken: string
  /** When `refreshToken` ends, if known. Milliseconds since the epoch. */
  refreshExpiresAt?: number | undefined
  /** What was granted before, if that is known. */
  scope: readonly string[] | undefined
}

/** Tokens with everything that holds from now on, or why there are none. */
export type RefreshOutcome = { status: 'refreshed'; tokens: RefreshedTokens } | FailedRefresh

/** What did not come anew is as it was before. */
export interface RefreshedTokens extends ValidatedTokens {
  refreshToken: string
}

/**
 * Sends a refresh token (RFC 6749 section 6), once, and validates what comes back. Tokens that fail
 * are revoked, best effort; the refresh token that was sent is not.
 *
 * Never rejects. Codes of a failure's error: `reauthorization_required`, `id_token_invalid`,
 * `invalid_server_response`, `client_rejected`, `server_unavailable`, `server_timeout`,
 * `configuration`. The code does not say whether it is definitive: its `status` does.
 */
export async function refreshTokens(
  server: KnownServer,
  refresh: TokenRefresh,
): Promise<RefreshOutcome> {
  const { refreshToken } = refresh
  if (typeof refreshToken !== 'string' || refreshToken === '')
    return { status: 'definitive', error: ended() }

  let received: TokenEndpointResponse
  try {
    received = await requestTokens(() => refreshTokenGrant(server.configuration, refreshToken))
  } catch (error) {
    return error instanceof TokenRefusal ? refreshRefusal(error) : failed('passing', error)
  }
  try {
    const identify = () => identifyRefreshed(server, received.idToken, refresh)
    const tokens = await validateTokens(server, received, identify)
    return { status: 'refreshed', tokens: { ...tokens, ...whatStays(refresh, tokens) } }
  } catch (error) {
    return failed('definitive', error)
  }
}

function failed(status: FailedRefresh['status'], error: unknown): FailedRefresh {
  const message = 'The tokens could not be refreshed.'
  return { status, error: asPkceFlowError(error, 'invalid_server_response', message) }
}

/** RFC 6749 section 6: a refresh token and a scope that are left out are the ones from before. */
function whatStays(
  before: TokenRefresh,
  { scope, refreshToken, refreshExpiresAt }: ValidatedTokens,
) {
  const isKept = refreshToken === undefined || refreshToken === before.refreshToken
  return {
    scope: scope ?? (before.scope && [...before.scope]),
    refreshToken: refreshToken ?? before.refreshToken,
    refreshExpiresAt: refreshExpiresAt ?? (isKept ? before.refreshExpiresAt : undefined),
  }
}
