import { authorizationCodeGrant, skipStateCheck } from 'openid-client'
import { asPkceFlowError, PkceFlowError } from '../errors.ts'
import type { KnownServer } from './known-server.ts'
import { validateIdToken, type IdTokenClaims, type IdTokenExpectations } from './id-token.ts'
import { revoke } from './revocation.ts'
import { toTokenEndpointResponse, type TokenEndpointResponse } from './token-endpoint.ts'
import { flowErrorIn } from './upstream-error.ts'

/** A code to exchange, and what its answer is checked against. */
export interface CodeExchange extends IdTokenExpectations {
  code: string
  codeVerifier: string
  redirectUri: string
  /** Whether `openid` was asked for: an ID Token is then required, and else not looked at. */
  openid: boolean
}

/** Tokens that passed every check. */
export interface ValidatedTokens extends TokenEndpointResponse {
  claims: IdTokenClaims | undefined
}

/**
 * Exchanges an authorization code (RFC 6749 section 4.1.3) and validates what comes back. Tokens
 * that fail are revoked, best effort.
 *
 * Rejects with `code_rejected`, `client_rejected`, `invalid_server_response`, `id_token_invalid`,
 * `server_unavailable` or `server_timeout`.
 */
export async function exchangeCode(
  server: KnownServer,
  exchange: CodeExchange,
): Promise<ValidatedTokens> {
  requireSecrets(exchange)
  const tokens = toTokenEndpointResponse(await requestTokens(server, exchange))
  if (!exchange.openid) return { ...tokens, idToken: undefined, claims: undefined }
  try {
    if (tokens.idToken === undefined)
      throw new PkceFlowError(
        'invalid_server_response',
        'The authorization server gave no ID Token although the scope has "openid".',
      )
    return { ...tokens, claims: await validateIdToken(tokens.idToken, server, exchange) }
  } catch (error) {
    void revoke(server, tokens)
    throw error
  }
}

/**
 * Without a verifier openid-client would leave PKCE out (RFC 7636 section 4.5), and a missing nonce
 * would be the same as a missing one in the ID Token: a record that has lost them is of no use.
 */
function requireSecrets({ code, codeVerifier, nonce, openid }: CodeExchange): void {
  const needed: unknown[] = openid ? [code, codeVerifier, nonce] : [code, codeVerifier]
  if (needed.some((secret) => typeof secret !== 'string' || secret === ''))
    throw new PkceFlowError('login_interrupted', 'This login has lost its secrets. Start it again.')
}

async function requestTokens(server: KnownServer, exchange: CodeExchange) {
  // redirect_uri is derived from this URL: made of our configuration, never of the request's Host.
  const answer = new URL(exchange.redirectUri)
  answer.searchParams.set('code', exchange.code)
  try {
    return await authorizationCodeGrant(server.configuration, answer, {
      pkceCodeVerifier: exchange.codeVerifier,
      // The pending login was found by its state.
      // eslint-disable-next-line @typescript-eslint/no-deprecated -- marked so as a warning
      expectedState: skipStateCheck,
    })
  } catch (error) {
    // Whatever the server does has an error of ours already, so this is about what we sent.
    throw (
      flowErrorIn(error) ??
      asPkceFlowError(
        error,
        'configuration',
        'The token request could not be made. Check the client authentication (option "clientAuth").',
      )
    )
  }
}
