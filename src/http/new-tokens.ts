import type { Request } from 'express'
import type { ValidatedTokens } from '../protocol/token-request.ts'
import type { PendingLogin } from '../storage/pending-logins.ts'
import { createToken } from '../token.ts'
import type { ConnectedRecord } from './connect-user.ts'
import type { Flow } from './flow.ts'
import { issuedTokens } from './issued-tokens.ts'

/** What is kept of the tokens that a login brought. */
export function toRecord(
  flow: Flow,
  tokens: ValidatedTokens,
  { scope: asked = flow.settings.scope, acrValues, startedAt }: PendingLogin,
): ConnectedRecord {
  const issued = issuedTokens(tokens, asked)
  const refused = asked.some((scope) => !issued.scope.includes(scope))
  const missed = acrValues?.every((value) => value !== tokens.claims?.acr)
  return {
    tokens: { ...issued, ...(refused && { asked }) },
    idToken: tokens.idToken,
    ...(missed && { missedAcr: acrValues }),
    connectedAt: Date.now(),
    startedAt,
  }
}

/** Where the login leads, which the app can change. */
export async function landingOf(
  flow: Flow,
  req: Request,
  { tokens, idToken }: ConnectedRecord,
  returnTo: string,
): Promise<string> {
  const { onLogin, afterLogin } = flow.settings
  const token = createToken({ ...tokens, idToken, loginIdToken: idToken })
  const chosen = await onLogin?.({ req, token, returnTo })
  if (chosen === undefined) return returnTo
  return flow.placeToReturn(chosen) ?? afterLogin
}
