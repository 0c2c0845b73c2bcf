import { PkceFlowError } from '../errors.ts'
import { retryAfter } from './json-response.ts'
import { registeredError } from './registered-error.ts'
import type { ServerResponse } from './transport.ts'

/**
 * The token endpoint's no (RFC 6749 section 5.2). What it means is for the grant at hand to say, so
 * this never leaves `protocol/`: its `error` can be anything that a server wrote.
 */
export class TokenRefusal extends Error {
  override name = 'TokenRefusal'
  readonly status: number
  /** As sent. */
  readonly error: string | undefined
  /** Seconds. */
  readonly retryAfter: number | undefined

  constructor(response: ServerResponse, error: string | undefined) {
    super(`The token endpoint answered ${response.status}`)
    this.status = response.status
    this.error = error
    this.retryAfter = retryAfter(response)
  }
}

/** RFC 6749 section 5.2: errors that are about this client, not about the person's grant. */
const clientErrors = new Set([
  'invalid_client',
  'invalid_request',
  'invalid_scope',
  'invalid_target',
  'unauthorized_client',
  'unsupported_grant_type',
])

/** Whether a refusal names this client's own set-up. */
export function isAboutClient({ error }: TokenRefusal): boolean {
  return error !== undefined && clientErrors.has(error)
}

/** The error for a refusal of this client. */
export function clientRejected(
  { status, error }: TokenRefusal,
  endpoint: 'token endpoint' | 'revocation endpoint' = 'token endpoint',
): PkceFlowError {
  return new PkceFlowError(
    'client_rejected',
    `The authorization server refused this client at its ${endpoint}: check client id, client ` +
      'secret, clientAuth and redirectUri against what is registered there.',
    { oauthError: registeredError(error), serverStatus: status },
  )
}

/** The error for an answer that is neither tokens nor an error response. */
export function unusableAnswer({ status }: TokenRefusal): PkceFlowError {
  return new PkceFlowError(
    'invalid_server_response',
    `The authorization server's token endpoint answered ${status}, which no client can use.`,
    { serverStatus: status },
  )
}
