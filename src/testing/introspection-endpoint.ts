import { errorAnswer, jsonAnswer } from './answer.ts'
import { authenticateClient } from './client-authentication.ts'
import type { Endpoint } from './context.ts'

/** What a token is worth (RFC 7662): to any client that can prove who it is, about any token. */
export const introspectionEndpoint: Endpoint = async function introspect(
  request,
  _faults,
  context,
) {
  if (request.method !== 'POST')
    return errorAnswer('invalid_request', 'The introspection endpoint takes POST', 405)
  const authentication = await authenticateClient(request, context)
  if ('refusal' in authentication) return authentication.refusal
  const token = request.body.get('token')
  if (!token) return errorAnswer('invalid_request', 'token is missing')
  const access = context.grants.findAccessToken(token)
  const found = access ?? context.grants.describeRefreshToken(token)
  // RFC 7662 section 2.2: nothing more about a token that is not active, not even why.
  if (!found) return jsonAnswer({ active: false })
  const { grant, scope, issuedAt, expiresAt } = found
  return jsonAnswer({
    active: true,
    iss: context.issuer,
    sub: grant.sub,
    client_id: grant.clientId,
    scope,
    iat: Math.floor(issuedAt / 1000),
    exp: expiresAt === undefined ? undefined : Math.floor(expiresAt / 1000),
    token_type: access && 'Bearer',
  })
}
