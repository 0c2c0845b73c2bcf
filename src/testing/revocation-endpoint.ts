import { errorAnswer } from './answer.ts'
import { authenticateClient } from './client-authentication.ts'
import type { Endpoint } from './context.ts'

/** Ends a token; 200 also for an unknown one (RFC 7009 section 2.2). */
export const revocationEndpoint: Endpoint = async function revoke(request, _faults, context) {
  if (request.method !== 'POST')
    return errorAnswer('invalid_request', 'The revocation endpoint takes POST', 405)
  const authentication = await authenticateClient(request, context)
  if ('refusal' in authentication) return authentication.refusal
  const token = request.body.get('token')
  if (!token) return errorAnswer('invalid_request', 'token is missing')
  context.grants.revoke(token, authentication.client.clientId)
  return { status: 200, headers: { 'cache-control': 'no-store' }, body: '' }
}
