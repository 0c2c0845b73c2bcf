import { PkceFlowError } from '../errors.ts'
import type { ServerResponse } from './transport.ts'

/** The body as a JSON object whatever its content type says, or `undefined` if it is none. */
export function jsonObject({ body }: ServerResponse): Record<string, unknown> | undefined {
  try {
    const parsed: unknown = JSON.parse(body.toString('utf8'))
    return isObject(parsed) ? parsed : undefined
  } catch {
    return undefined // what a server sends instead of JSON is nothing that an error could tell
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Seconds of the header `Retry-After` (RFC 9110 section 10.2.3), between 1 and an hour. */
export function retryAfter({ headers }: ServerResponse): number | undefined {
  const value = headers['retry-after']
  if (value === undefined) return undefined
  const seconds = /^\d{1,9}$/.test(value)
    ? Number(value)
    : Math.ceil((Date.parse(value) - Date.now()) / 1000)
  return Number.isNaN(seconds) ? undefined : Math.min(Math.max(seconds, 1), 3600)
}

/** A status that says: not now (P10). It ends no login. */
export function isPassing({ status }: ServerResponse): boolean {
  return status === 429 || status >= 500
}

/** The error for a response with such a status. */
export function unavailable(response: ServerResponse): PkceFlowError {
  return new PkceFlowError(
    'server_unavailable',
    `The authorization server answered ${response.status}; try again in a moment.`,
    { retryAfter: retryAfter(response) ?? 1, serverStatus: response.status },
  )
}
