import { buildAuthorizationUrlWithPAR } from 'openid-client'
import { asPkceFlowError, PkceFlowError } from '../errors.ts'
import {
  authorizationParameters,
  authorizationUrl,
  buildAuthorizationUrl,
  type AuthorizationRequest,
} from './authorization-request.ts'
import type { KnownServer } from './known-server.ts'
import { registeredError } from './registered-error.ts'
import { isAboutClient, TokenRefusal } from './token-refusal.ts'
import { errorInside, flowErrorIn } from './upstream-error.ts'

/**
 * The URL at the authorization endpoint for this request. Where the server requires it, the request
 * is pushed before (RFC 9126), and the browser carries a reference to it and nothing else; once more
 * without `login_hint` if it is refused with one.
 *
 * Rejects with `client_rejected`, `invalid_server_response`, `server_unavailable`, `server_timeout` or
 * `configuration`.
 */
export async function prepareAuthorizationUrl(
  server: KnownServer,
  request: AuthorizationRequest,
): Promise<string> {
  if (server.metadata.require_pushed_authorization_requests !== true)
    return buildAuthorizationUrl(server, request)
  try {
    const parameters = authorizationParameters(server, request)
    const pushed = await buildAuthorizationUrlWithPAR(server.configuration, parameters)
    const request_uri = pushed.searchParams.get('request_uri') ?? ''
    return authorizationUrl(server, { client_id: request.clientId, request_uri })
  } catch (error) {
    const refusal = errorInside(error, TokenRefusal)
    const { login_hint: hint, ...parameters } = request.parameters
    // Anybody's link can bring one that means nothing there: a hint that is refused is no hint.
    if (hint !== undefined && refusal?.status === 400)
      return prepareAuthorizationUrl(server, { ...request, parameters })
    throw refusal === undefined ? (flowErrorIn(error) ?? notMade(error)) : refused(refusal)
  }
}

function refused(refusal: TokenRefusal): PkceFlowError {
  const { status, error } = refusal
  const details = { oauthError: registeredError(error), serverStatus: status }
  if (status === 400 || status === 401 || isAboutClient(refusal))
    return new PkceFlowError(
      'client_rejected',
      'The authorization server refused a pushed authorization request of this client: check client ' +
        'id, client secret, clientAuth, redirectUri, scope and authorizationParams against what is ' +
        'registered there.',
      details,
    )
  return new PkceFlowError(
    'invalid_server_response',
    `The authorization server answered a pushed authorization request with ${status}.`,
    details,
  )
}

/** Whatever the server does has an error of ours already, so this is about what we sent. */
function notMade(error: unknown): PkceFlowError {
  return asPkceFlowError(
    error,
    'configuration',
    'The pushed authorization request could not be made. Check the client authentication (option "clientAuth").',
  )
}
