import { isErrorCode } from '../errors.ts'
import {
  type Check,
  isFlag,
  isObject,
  isText,
  isTexts,
  isTime,
  object,
  optional,
} from './stored-values.ts'

const outcomes: Readonly<Record<string, Check>> = {
  taken: object({ at: isTime }),
  done: object({
    at: isTime,
    landing: isText,
    sessionId: optional(isText),
    replacedSessionId: optional(isText),
  }),
  failed: object({
    code: isErrorCode,
    message: isText,
    oauthError: optional(isText),
    retryAfter: optional((value) => isTime(value) && value >= 0),
  }),
}

function isOutcome(value: unknown): boolean {
  const { status } = isObject(value) ? value : {}
  const shape = isText(status) && Object.hasOwn(outcomes, status) ? outcomes[status] : undefined
  return shape?.(value) === true
}

const answer = object({ code: optional(isText), error: optional(isText), iss: optional(isText) })

/** Whether this is a `PendingLogin` as we write it. */
export const isPendingLogin = object({
  codeVerifier: isText,
  nonce: isText,
  returnTo: isText,
  startedAt: isTime,
  host: isText,
  inSession: isFlag,
  user: optional(isText),
  isSilent: optional(isFlag),
  scope: optional(isTexts),
  maxAge: optional((value) => typeof value === 'number' && value >= 0),
  acrValues: optional(isTexts),
  secretHash: isText,
  answer: optional(answer),
  outcome: optional(isOutcome),
})
