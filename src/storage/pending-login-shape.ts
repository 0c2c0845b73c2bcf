import { isErrorCode } from '../errors.ts'
import { hasShape, isFlag, isObject, isText, isTexts, isTime, optional } from './stored-values.ts'

const outcomes: Readonly<Record<string, Parameters<typeof hasShape>[1]>> = {
  taken: { at: isTime },
  done: {
    at: isTime,
    landing: isText,
    sessionId: optional(isText),
    replacedSessionId: optional(isText),
  },
  failed: {
    code: isErrorCode,
    message: isText,
    oauthError: optional(isText),
    retryAfter: optional((value) => isTime(value) && value >= 0),
  },
}

function isOutcome(value: unknown): boolean {
  const { status } = isObject(value) ? value : {}
  const shape = isText(status) && Object.hasOwn(outcomes, status) ? outcomes[status] : undefined
  return shape !== undefined && hasShape(value, shape)
}

const answer = { code: optional(isText), error: optional(isText), iss: optional(isText) }

const login = {
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
  answer: optional((value) => hasShape(value, answer)),
  outcome: optional(isOutcome),
}

/** Whether this is a `PendingLogin` as we write it. */
export function isPendingLogin(value: unknown): boolean {
  return hasShape(value, login)
}
