import { PkceFlowError } from '../errors.ts'
import { registeredError } from './registered-error.ts'
import {
  clientRejected,
  isAboutClient,
  unusableAnswer,
  type TokenRefusal,
} from './token-refusal.ts'

/** A refresh that brought no tokens. */
export interface FailedRefresh {
  /**
   * - `definitive`: the refresh token has ended, or what came cannot be trusted.
   * - `unreadable`: refused without a reason that anybody could read, by a firewall perhaps; the
   *   refresh token has ended only if this goes on (three in a row, over ten minutes).
   * - `passing`: this says nothing about the refresh token. `error.retryAfter` is when to try again.
   */
  status: 'definitive' | 'unreadable' | 'passing'
  error: PkceFlowError
}

/** Statuses with which something on the way refuses, too; 200 is how some servers send errors. */
const ambiguousStatuses = new Set([200, 400, 401, 403])

/** What a refusal of a refresh means (RFC 6749 section 5.2). */
export function refreshRefusal(refusal: TokenRefusal): FailedRefresh {
  const { status, error = '' } = refusal
  if (error === 'invalid_grant' || (error === '' && status === 400))
    return { status: 'definitive', error: ended(refusal) }
  if (isAboutClient(refusal)) return { status: 'passing', error: clientRejected(refusal) }
  if (error === 'temporarily_unavailable' || error === 'server_error')
    return { status: 'passing', error: notNow(refusal) }
  // A 200 without an error is a page or an empty object: something on the way, or a bad day.
  if (ambiguousStatuses.has(status) && !(status === 200 && error === ''))
    return { status: 'unreadable', error: notNow(refusal) }
  return { status: 'passing', error: unusableAnswer(refusal) }
}

/** The error for a refresh token that is of no use any more. */
export function ended(refusal?: TokenRefusal): PkceFlowError {
  return new PkceFlowError(
    'reauthorization_required',
    'The refresh token has ended: the person has to log in again.',
    { oauthError: registeredError(refusal?.error), serverStatus: refusal?.status },
  )
}

function notNow({ status, error, retryAfter = 1 }: TokenRefusal): PkceFlowError {
  return new PkceFlowError(
    'server_unavailable',
    `The authorization server's token endpoint answered ${status} without tokens; try again in a moment.`,
    { retryAfter, oauthError: registeredError(error), serverStatus: status },
  )
}
