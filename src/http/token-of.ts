import type { FoundRecord } from '../storage/token-records.ts'
import { createToken, type Token } from '../token.ts'
import { isUsable } from './token-life.ts'

/** The token that handlers see of what was found, if it can be used. */
export function tokenOf(found: FoundRecord): Token | undefined {
  if (typeof found !== 'object' || !isUsable(found.tokens)) return undefined
  const { idToken: loginIdToken } = found
  const { accessToken, scope, expiresAt, idToken = loginIdToken } = found.tokens
  return createToken({ accessToken, scope, expiresAt, idToken, loginIdToken })
}
