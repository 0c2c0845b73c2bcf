import type { Request } from 'express'
import type { KnownServer } from '../protocol/known-server.ts'
import { revoke } from '../protocol/revocation.ts'
import type { ValidatedTokens } from '../protocol/token-request.ts'
import type { PendingLogin } from '../storage/pending-logins.ts'
import type { TokenRecord } from '../storage/token-records.ts'
import { claimsOf, createToken } from '../token.ts'
import type { Flow } from './flow.ts'
import { loginReference, replaceSession, sessionLifetime } from './session.ts'

/** What a sign-in led to. */
export interface SignIn {
  landing: string
  sessionId: string
  replacedSessionId: string | undefined
}

/** The sign-in that this session had through the flow. */
interface PreviousLogin {
  key: string
  tokens: TokenRecord | undefined
}

/**
 * Signs the person in: a new session with a reference to a new token record. Until the old session
 * is destroyed, at the end, every failure leaves it as it was, deletes what was written and revokes
 * the tokens.
 */
export async function signIn(
  flow: Flow,
  req: Request,
  server: KnownServer,
  tokens: ValidatedTokens,
  login: PendingLogin,
): Promise<SignIn> {
  const { settings } = flow
  const { tokenRecords } = flow.records(req)
  const written: string[] = []
  let undo: (() => Promise<void>) | undefined
  try {
    const previous = await previousLogin(flow, req)
    const person = previous && comparePersons(previous.tokens, tokens)
    const record = toRecord(flow, tokens, person === 'same' ? previous?.tokens : undefined)

    // Nobody, or the same person: what the app kept is theirs.
    const stays = person === undefined || person === 'same'
    const replaced = replaceSession(req, stays ? settings.sessionAtLogin : 'new')
    undo = replaced.restore
    const landing = await landingOf(flow, req, record, login.returnTo)
    const key = await tokenRecords.create(record, sessionLifetime(req))
    written.push(key)
    await replaced.commit(settings.name, key)

    // The new sign-in stands, whatever becomes of the old tokens: their session is gone.
    if (previous !== undefined)
      await leave(flow, req, server, previous, person === 'other').catch(() => undefined)
    return { landing, sessionId: req.sessionID, replacedSessionId: replaced.replacedId }
  } catch (error) {
    void revoke(server, tokens)
    await Promise.allSettled([undo?.(), ...written.map((key) => tokenRecords.forget(key))])
    throw error
  }
}

async function previousLogin(flow: Flow, req: Request): Promise<PreviousLogin | undefined> {
  const key = loginReference(req, flow.settings.name)
  if (key === undefined) return undefined
  const tokens = await flow.records(req).tokenRecords.read(key, sessionLifetime(req))
  return { key, tokens: tokens === 'ended' ? undefined : tokens }
}

/**
 * Whether it is the person of before, by `iss` and `sub`. Without an ID Token, and where the tokens of
 * before are lost, nobody can tell.
 */
function comparePersons(
  previous: TokenRecord | undefined,
  { claims }: ValidatedTokens,
): 'same' | 'other' | 'unknown' {
  if (previous?.idToken === undefined || claims === undefined) return 'unknown'
  const before = claimsOf(previous.idToken)
  return before.iss === claims.iss && before.sub === claims.sub ? 'same' : 'other'
}

function toRecord(
  flow: Flow,
  tokens: ValidatedTokens,
  previous: TokenRecord | undefined,
): Omit<TokenRecord, 'revision'> {
  const { accessToken, tokenType, expiresAt, idToken } = tokens
  return {
    accessToken,
    tokenType,
    // RFC 6749 section 5.1: left out if it is what was asked for.
    scope: tokens.scope ?? flow.settings.scope,
    expiresAt,
    // Many servers give a refresh token at the first consent only.
    refreshToken: tokens.refreshToken ?? previous?.refreshToken,
    idToken,
    connectedAt: Date.now(),
  }
}

async function landingOf(
  flow: Flow,
  req: Request,
  record: Omit<TokenRecord, 'revision'>,
  returnTo: string,
): Promise<string> {
  const { onLogin, afterLogin } = flow.settings
  const chosen = await onLogin?.({ req, token: createToken(record), returnTo })
  if (chosen === undefined) return returnTo
  return flow.placeToReturn(chosen) ?? afterLogin
}

/**
 * Leaves the sign-in before this one: forgotten, unless it certainly was another person's. Revoking
 * the tokens of the same person would end the new grant, too, on some servers.
 */
async function leave(
  flow: Flow,
  req: Request,
  server: KnownServer,
  { key, tokens }: PreviousLogin,
  otherPerson: boolean,
): Promise<void> {
  const { tokenRecords } = flow.records(req)
  if (!otherPerson) {
    await tokenRecords.forget(key)
    return
  }
  if (tokens !== undefined) void revoke(server, { refreshToken: undefined, ...tokens })
  await tokenRecords.end(key, sessionLifetime(req))
}
