import { errorAnswer, jsonAnswer } from './answer.ts'
import type { Endpoint } from './context.ts'
import type { JsonObject } from './faults.ts'

/** Claims of the person an access token is for (OpenID Connect Core section 5.3); any scope will do. */
export const userinfoEndpoint: Endpoint = function userinfo(request, faults, context) {
  const token = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1]
  const found = context.grants.findAccessToken(token ?? '')
  if (!found)
    return errorAnswer('invalid_token', 'The access token is missing, expired or revoked', 401, {
      // RFC 6750 section 3.1: no error code for a request without any token.
      'www-authenticate': token === undefined ? 'Bearer' : 'Bearer error="invalid_token"',
    })
  const user = context.settings.users.find(({ sub }) => sub === found.grant.sub)
  let claims: unknown = { ...user, sub: found.grant.sub }
  for (const fault of faults)
    if (fault.userinfo) claims = fault.userinfo({ ...(claims as JsonObject) })
  return jsonAnswer(claims)
}
