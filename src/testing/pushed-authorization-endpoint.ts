import { errorAnswer, jsonAnswer } from './answer.ts'
import { findError } from './authorization-endpoint.ts'
import { authenticateClient } from './client-authentication.ts'
import type { Endpoint } from './context.ts'
import { pushedRequestLifetime } from './pushed-requests.ts'

/** Authorization requests in, references to them out (RFC 9126). */
export const pushedAuthorizationEndpoint: Endpoint = async function push(request, faults, context) {
  if (request.method !== 'POST')
    return errorAnswer('invalid_request', 'Authorization requests are pushed by POST', 405)
  for (const name of ['state', 'nonce']) context.keepSecret(request.body.get(name))
  const authentication = await authenticateClient(request, context)
  if ('refusal' in authentication) return authentication.refusal
  const { client } = authentication
  const parameters = new URLSearchParams(request.body)
  for (const name of ['client_secret', 'client_assertion', 'client_assertion_type'])
    parameters.delete(name)
  const error = findError(parameters)
  if (error) return errorAnswer(...error)
  const requestUri = context.pushedRequests.add(client.clientId, parameters)
  let response: unknown = { request_uri: requestUri, expires_in: pushedRequestLifetime / 1000 }
  for (const fault of faults)
    if (fault.pushedResponse) response = fault.pushedResponse({ ...(response as object) })
  return jsonAnswer(response, 201)
}
