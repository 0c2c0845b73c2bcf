import { authorizationCodeGrant, skipStateCheck } from 'openid-client'
import { PkceFlowError } from '../errors.ts'
import type { KnownServer } from './known-server.ts'
import { validateIdToken, type IdTokenExpectations } from './id-token.ts'
import { registeredError } from './registered-error.ts'
import type { TokenEndpointResponse } from './token-endpoint.ts'
import {
  requestTokens,
  validateTokens,
  type Identity,
  type ValidatedTokens,
} from './token-grant.ts'
import { clientRejected, isAboutClient, TokenRefusal, unusableAnswer } from './token-refusal.ts'

export type { ValidatedTokens } from './token-grant.ts'

/** A code to exchange, and what its answer is checked against. */
export interface CodeExchange extends IdTokenExpectations {
  code: string
  codeVerifier: string
  redirectUri: string
  /** Whether `openid` was asked for: an ID Token is then required, and else not looked at. */
  openid: boolean
}

/** Sends a request, again perhaps if that can do no harm. */
export type Attempt = <Result>(send: () => Promise<Result>) => Promise<Result>

/**
 * Exchanges an authorization code (RFC 6749 section 4.1.3) and validates what comes back. Tokens
 * that fail are revoked, best effort.
 *
 * Rejects with `code_rejected`, `client_rejected`, `invalid_server_response`, `id_token_invalid`,
 * `server_unavailable` or `server_timeout`.
 *
 * @param attempt sends the token request; by default once
 */
export async function exchangeCode(
  server: KnownServer,
  exchange: CodeExchange,
  attempt: Attempt = (send) => send(),
): Promise<ValidatedTokens> {
  requireSecrets(exchange)
  const tokens = await attempt(() => sendCode(server, exchange))
  return validateTokens(server, tokens, () => identify(server, exchange, tokens))
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

async function sendCode(
  server: KnownServer,
  exchange: CodeExchange,
): Promise<TokenEndpointResponse> {
  // redirect_uri is derived from this URL: made of our configuration, never of the request's Host.
  const answer = new URL(exchange.redirectUri)
  answer.searchParams.set('code', exchange.code)
  try {
    return await requestTokens(() =>
      authorizationCodeGrant(server.configuration, answer, {
        pkceCodeVerifier: exchange.codeVerifier,
        // oxlint-disable-next-line typescript/no-deprecated -- deprecated as a warning only; the pending login was found by its state
        expectedState: skipStateCheck,
      }),
    )
  } catch (error) {
    throw error instanceof TokenRefusal ? refusalOfCode(error) : error
  }
}

function refusalOfCode(refusal: TokenRefusal): PkceFlowError {
  const { status, error } = refusal
  const unnamed = status === 401 && error !== 'invalid_grant'
  if (unnamed || isAboutClient(refusal)) return clientRejected(refusal)
  if (status === 400 || error !== undefined)
    return new PkceFlowError(
      'code_rejected',
      'The authorization server refused the authorization code. Start the login again.',
      { oauthError: registeredError(error), serverStatus: status },
    )
  return unusableAnswer(refusal)
}

async function identify(
  server: KnownServer,
  exchange: CodeExchange,
  { idToken }: TokenEndpointResponse,
): Promise<Identity> {
  if (!exchange.openid) return { idToken: undefined, claims: undefined }
  if (idToken === undefined)
    throw new PkceFlowError(
      'invalid_server_response',
      'The authorization server gave no ID Token although the scope has "openid".',
    )
  return { idToken, claims: await validateIdToken(idToken, server, exchange) }
}
