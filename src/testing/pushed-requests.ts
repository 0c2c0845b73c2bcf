import type { TestClock } from './clock.ts'
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

/** Milliseconds. */
export const pushedRequestLifetime = 60_000

export function createPushedRequests(clock: TestClock): PushedRequests {
  const requests = new Map<string, PushedRequest>()
  return {
    add(clientId, parameters) {
      const requestUri = `urn:ietf:params:oauth:request_uri:${randomToken()}`
      requests.set(requestUri, {
        clientId,
        parameters,
        expiresAt: clock.now() + pushedRequestLifetime,
      })
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
