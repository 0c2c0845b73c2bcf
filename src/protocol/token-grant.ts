import type { TokenEndpointResponse as UpstreamResponse } from 'openid-client'
import { asPkceFlowError, PkceFlowError } from '../errors.ts'
import type { IdTokenClaims } from './id-token.ts'
import type { KnownServer } from './known-server.ts'
import { revoke } from './revocation.ts'
import { toTokenEndpointResponse, type TokenEndpointResponse } from './token-endpoint.ts'
import { TokenRefusal } from './token-refusal.ts'
import { errorInside, flowErrorIn } from './upstream-error.ts'

/** Who tokens are for: both members, or neither. */
export interface Identity {
  idToken: string | undefined
  /** Of `idToken`. */
  claims: IdTokenClaims | undefined
}

/** Tokens that passed every check. */
export interface ValidatedTokens extends TokenEndpointResponse, Identity {
  tokenType: 'bearer'
}

/**
 * Sends a token request by openid-client. Rejects with a {@link TokenRefusal}, or with
 * `invalid_server_response`, `server_unavailable`, `server_timeout` or `configuration`.
 */
export async function requestTokens(
  send: () => Promise<UpstreamResponse>,
): Promise<TokenEndpointResponse> {
  try {
    return toTokenEndpointResponse(await send())
  } catch (error) {
    // Whatever the server does has an error of ours already, so the last is about what we sent.
    throw (
      errorInside(error, TokenRefusal) ??
      flowErrorIn(error) ??
      asPkceFlowError(
        error,
        'configuration',
        'The token request could not be made. Check the client authentication (option "clientAuth").',
      )
    )
  }
}

/**
 * Checks tokens that have come. Those that fail are revoked, best effort. Rejects with
 * `invalid_server_response` or as `identify` does.
 */
export async function validateTokens(
  server: KnownServer,
  tokens: TokenEndpointResponse,
  identify: () => Promise<Identity>,
): Promise<ValidatedTokens> {
  try {
    // openid-client takes DPoP tokens that nobody asked for (RFC 9449 section 5).
    if (tokens.tokenType !== 'bearer')
      throw new PkceFlowError(
        'invalid_server_response',
        'The authorization server issued a type of token that was not asked for.',
      )
    return { ...tokens, tokenType: 'bearer', ...(await identify()) }
  } catch (error) {
    void revoke(server, tokens)
    throw error
  }
}
