import { createHash } from 'node:crypto'
import type { Request } from 'express'
import type { KnownServer } from '../protocol/known-server.ts'
import { revoke } from '../protocol/revocation.ts'
import type { ValidatedTokens } from '../protocol/token-request.ts'
import type { PendingLogin } from '../storage/pending-logins.ts'
import type { TokenRecord } from '../storage/token-records.ts'
import { createToken } from '../token.ts'
import type { Flow } from './flow.ts'
import {
  loginReference,
  replaceSession,
  sessionId,
  sessionLifetime,
  type LoginReference,
} from './session.ts'

/** What a sign-in led to. */
export interface SignIn {
  landing: string
  sessionId: string
  replacedSessionId: string | undefined
}

/** The sign-in that this session had through the flow. */
interface PreviousLogin extends LoginReference {
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
    const person = personOf(tokens)
    // Without an ID Token nobody can tell.
    const samePerson = previous !== undefined && person !== undefined && previous.person === person
    const record = toRecord(flow, tokens, samePerson ? previous.tokens : undefined)

    const keepsData = previous === undefined || samePerson
    const replaced = replaceSession(req, keepsData ? settings.sessionAtLogin : 'new')
    undo = replaced.restore
    const landing = await landingOf(flow, req, record, login.returnTo)
    const key = await tokenRecords.create(record, sessionLifetime(req))
    written.push(key)
    await replaced.commit(settings.name, { key, person })

    // The new sign-in stands, whatever becomes of the old tokens: their session is gone.
    if (previous !== undefined)
      await leave(flow, req, server, previous, person).catch(() => undefined)
    return { landing, sessionId: sessionId(req), replacedSessionId: replaced.replacedId }
  } catch (error) {
    void revoke(server, tokens)
    const discard = (key: string) =>
      // A store that cannot delete may still be able to write.
      tokenRecords.forget(key).catch(() => tokenRecords.end(key, sessionLifetime(req)))
    await Promise.allSettled([undo?.(), ...written.map(discard)])
    throw error
  }
}

async function previousLogin(flow: Flow, req: Request): Promise<PreviousLogin | undefined> {
  const reference = loginReference(req, flow.settings.name)
  if (reference === undefined) return undefined
  const tokens = await flow.records(req).tokenRecords.read(reference.key, sessionLifetime(req))
  return { ...reference, tokens: tokens === 'ended' ? undefined : tokens }
}

/** Fingerprint of who this is: the same for the same `iss` and `sub`. */
function personOf({ claims }: ValidatedTokens): string | undefined {
  if (claims === undefined) return undefined
  const identity = JSON.stringify([claims.iss, claims.sub])
  return createHash('sha256').update(identity).digest('base64url').slice(0, 22)
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
    scope: tokens.scope ?? [...flow.settings.scope],
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
  { key, tokens, person: before }: PreviousLogin,
  person: string | undefined,
): Promise<void> {
  const { tokenRecords } = flow.records(req)
  if (before === undefined || before === person) {
    await tokenRecords.forget(key)
    return
  }
  if (tokens !== undefined) void revoke(server, { refreshToken: undefined, ...tokens })
  await tokenRecords.end(key, sessionLifetime(req))
}
