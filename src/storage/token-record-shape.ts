import { isObject, isText, isTexts, isTime, object, optional } from './stored-values.ts'

/** RFC 6749 appendix A.12: what fits into the header `Authorization`. */
function isAccessToken(value: unknown): boolean {
  return isText(value) && /^[\x20-\x7e]+$/.test(value)
}

/** A JWT whose claims can be read; that they are true was seen before it was stored. */
function isReadableIdToken(value: unknown): boolean {
  if (!isText(value)) return false
  const [, payload = '', signature] = value.split('.')
  if (signature === undefined) return false
  try {
    return isObject(JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')))
  } catch {
    return false // text that is no JSON
  }
}

const tokens = object({
  accessToken: isAccessToken,
  tokenType: isText,
  scope: isTexts,
  asked: optional(isTexts),
  issuedAt: isTime,
  expiresAt: optional(isTime),
  refreshToken: optional((value) => isText(value) && value !== ''),
  idToken: optional(isText),
  refreshExpiresAt: optional(isTime),
})

/** Whether this is a `TokenRecord` as we write it. */
export const isTokenRecord = object({
  tokens: optional(tokens),
  idToken: optional(isReadableIdToken),
  missedAcr: optional(isTexts),
  connectedAt: isTime,
  startedAt: optional(isTime),
  revision: isText,
})
