import { tokenRevocation } from 'openid-client'
import { asPkceFlowError, ConfigurationError, PkceFlowError } from '../errors.ts'
import type { KnownServer } from './known-server.ts'
import { registeredError } from './registered-error.ts'
import { clientRejected, isAboutClient, TokenRefusal } from './token-refusal.ts'
import { errorInside, flowErrorIn } from './upstream-error.ts'

/** Tokens that are to be revoked. */
export interface RevocableTokens {
  accessToken: string
  refreshToken?: string | undefined
}

/** `revoked`: the server confirmed all. `unreachable`: it did not answer, as far as it was asked. */
export type RevocationOutcome = 'revoked' | 'not revoked' | 'unreachable'

/**
 * Revokes tokens (RFC 7009), best effort: the refresh token first, as most servers end the whole
 * grant with it. Resolves to whether the server confirmed all; never rejects. A server without a
 * revocation endpoint confirms nothing.
 */
export async function revoke(server: KnownServer, tokens: RevocableTokens): Promise<boolean> {
  return (await tryToRevoke(server, tokens)) === 'revoked'
}

/** The same, and says whether the server is there at all. */
export async function tryToRevoke(
  server: KnownServer,
  { refreshToken, accessToken }: RevocableTokens,
): Promise<RevocationOutcome> {
  if (server.metadata.revocation_endpoint === undefined) return 'not revoked'
  const first =
    refreshToken === undefined ? undefined : await failureOf(server, refreshToken, 'refresh_token')
  // Somebody waits for this, and has waited for `timeout` already.
  if (first?.code === 'server_timeout') return 'unreachable'
  const second = await failureOf(server, accessToken, 'access_token')
  return outcomeOf(first ?? second)
}

/** A token that is not revoked lives on until it expires: nothing that the caller could mend. */
async function failureOf(
  server: KnownServer,
  token: string,
  hint: string,
): Promise<PkceFlowError | undefined> {
  try {
    await revokeToken(server, token, { token_type_hint: hint })
    return undefined
  } catch (error) {
    return error as PkceFlowError
  }
}

function outcomeOf(failure: PkceFlowError | undefined): RevocationOutcome {
  if (failure === undefined) return 'revoked'
  const { code } = failure
  return code === 'server_unavailable' || code === 'server_timeout' ? 'unreachable' : 'not revoked'
}

/**
 * Revokes one token (RFC 7009 section 2.1). An unknown or expired one is none any more: that is no
 * error.
 *
 * Rejects with `configuration` if there is no revocation endpoint, `client_rejected`,
 * `invalid_server_response`, `server_unavailable` or `server_timeout`.
 */
export async function revokeToken(
  { metadata, configuration }: KnownServer,
  token: string,
  parameters: Record<string, string> = {},
): Promise<void> {
  if (metadata.revocation_endpoint === undefined)
    throw new ConfigurationError(
      'The authorization server publishes no revocation_endpoint. Give it in the option "server", or let tokens expire.',
    )
  try {
    await tokenRevocation(configuration, token, parameters)
  } catch (error) {
    const refusal = errorInside(error, TokenRefusal)
    throw refusal === undefined
      ? (flowErrorIn(error) ??
          asPkceFlowError(
            error,
            'configuration',
            'The revocation request could not be made. Check revocation_endpoint and the client authentication.',
          ))
      : refused(refusal)
  }
}

function refused(refusal: TokenRefusal): PkceFlowError {
  const { status, error } = refusal
  if (status === 401 || isAboutClient(refusal))
    return clientRejected(refusal, 'revocation endpoint')
  return new PkceFlowError(
    'invalid_server_response',
    `The authorization server's revocation endpoint answered ${status}.`,
    { oauthError: registeredError(error), serverStatus: status },
  )
}
