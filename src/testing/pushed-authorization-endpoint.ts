import { errorAnswer, jsonAnswer } from './answer.ts'
import { findError } from './authorization-endpoint.ts'
import { authenticateClient } from './client-authentication.ts'
import type { TestClock } from './clock.ts'
import type { Endpoint } from './context.ts'
import { randomToken } from './grants.ts'

/** An authorization request that was pushed. */
interface PushedRequest {
  readonly clientId: string
  readonly parameters: URLSearchParams
  readonly expiresAt: number
}

/** Authorization requests that wait for their browsers. */
export interface PushedRequests {
  /** Resolves to the reference. */
  add(clientId: string, parameters: URLSearchParams): string
  /** The request behind a reference, once, for its client. */
  take(requestUri: string, clientId: string | null): URLSearchParams | undefined
}

const lifetime = 60_000

export function createPushedRequests(clock: TestClock): PushedRequests {
  const requests = new Map<string, PushedRequest>()
  return {
    add(clientId, parameters) {
      const requestUri = `urn:ietf:params:oauth:request_uri:${randomToken()}`
      requests.set(requestUri, { clientId, parameters, expiresAt: clock.now() + lifetime })
      return requestUri
    },
    take(requestUri, clientId) {
      const request = requests.get(requestUri)
      requests.delete(requestUri)
      const isGood = request?.clientId === clientId && (request?.expiresAt ?? 0) > clock.now()
      return isGood ? request?.parameters : undefined
    },
  }
}

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
  let response: unknown = { request_uri: requestUri, expires_in: lifetime / 1000 }
  for (const fault of faults)
    if (fault.pushedResponse) response = fault.pushedResponse({ ...(response as object) })
  return jsonAnswer(response, 201)
}
