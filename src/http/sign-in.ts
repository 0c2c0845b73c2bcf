import type { Request } from 'express'
import type { KnownServer } from '../protocol/known-server.ts'
import { revoke } from '../protocol/revocation.ts'
import type { ValidatedTokens } from '../protocol/token-request.ts'
import { PkceFlowError } from '../errors.ts'
import type { PendingLogin } from '../storage/pending-logins.ts'
import type {
  IssuedTokens,
  NewTokenRecord,
  TokenRecord,
  TokenRecords,
} from '../storage/token-records.ts'
import { connectUser, withRefreshToken, type ConnectedRecord } from './connect-user.ts'
import { endOtherSignIns, revokeEnded } from './end-sign-ins.ts'
import type { Flow } from './flow.ts'
import { landingOf, toRecord } from './new-tokens.ts'
import { personOf } from './person.ts'
import {
  loginReference,
  replaceSession,
  sessionId,
  sessionLifetime,
  type LoginReference,
} from './session.ts'
import { userIdOf } from './user-id.ts'

/** What a sign-in led to. */
export interface SignIn {
  landing: string
  sessionId: string
  replacedSessionId: string | undefined
}

/** The sign-in that this session had through the flow. */
interface PreviousLogin extends LoginReference {
  found: TokenRecord | undefined
  /** Whether it was ended on purpose, and this session with it, though nobody had noticed. */
  hasEnded: boolean
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
  const { tokenRecords, serverEndings } = flow.records(req)
  const undo: (() => Promise<unknown>)[] = []
  try {
    const previous = await previousLogin(flow, req)
    const person = personOf(tokens.claims)
    // Without an ID Token nobody can tell.
    const samePerson = previous !== undefined && person !== undefined && previous.person === person
    const record = toRecord(flow, tokens, login)

    const keepsData = previous === undefined || (samePerson && !previous.hasEnded)
    const replaced = replaceSession(req, keepsData ? settings.sessionAtLogin : 'new')
    undo.push(replaced.restore)
    const landing = await landingOf(flow, req, record, login.returnTo)

    let kept: NewTokenRecord
    let others: IssuedTokens | undefined
    const userTokens = flow.userTokens(req)
    if (userTokens === undefined)
      kept = samePerson ? await keepRefreshToken(tokenRecords, record, previous) : record
    else {
      // The user's tokens are kept elsewhere: the session's record says who is signed in.
      kept = { ...record, tokens: undefined }
      const replacement = await connectUser(userTokens, requireUser(flow, req), record)
      undo.push(replacement.putBack)
      others = replacement.others
    }
    const serverSession = await serverEndings?.note(req, tokens.claims)
    const key = await tokenRecords.create(kept, sessionLifetime(req))
    undo.push(() =>
      // A store that cannot delete may still be able to write.
      tokenRecords.forget(key).catch(() => tokenRecords.end(key, sessionLifetime(req))),
    )
    await replaced.commit(settings.name, { key, person, serverSession })

    // The new sign-in stands, whatever becomes of the old tokens: their session is gone.
    if (others !== undefined) void revoke(server, { refreshToken: undefined, ...others })
    if (previous !== undefined)
      await leave(flow, req, server, previous, person).catch(() => undefined)
    return { landing, sessionId: sessionId(req), replacedSessionId: replaced.replacedId }
  } catch (error) {
    void revoke(server, tokens)
    await Promise.allSettled(undo.map((step) => step()))
    throw error
  }
}

/** Waits for a refresh that is under way: it may spend the refresh token that is to be kept. */
async function keepRefreshToken(
  tokenRecords: TokenRecords,
  record: ConnectedRecord,
  { key, found }: PreviousLogin,
): Promise<ConnectedRecord> {
  if (record.tokens.refreshToken !== undefined || found?.tokens?.refreshToken === undefined)
    return record
  const now = await tokenRecords.change(key, (held) => held.read())
  return withRefreshToken(record, typeof now === 'object' ? now : undefined)
}

async function previousLogin(flow: Flow, req: Request): Promise<PreviousLogin | undefined> {
  const reference = loginReference(req, flow.settings.name)
  if (reference === undefined) return undefined
  const found = await flow.signInConnection(req, reference).read()
  const hasEnded = found === 'ended'
  // As wherever it is noticed: what was signed in here through other flows goes with it.
  if (hasEnded) for (const other of await endOtherSignIns(flow, req)) void revokeEnded(other)
  return { ...reference, found: hasEnded ? undefined : found, hasEnded }
}

/** The app's user after `onLogin`, which the app signed in by then. */
function requireUser({ settings }: Flow, req: Request): string {
  const id = userIdOf(settings, req)
  if (id !== undefined) return id
  throw new PkceFlowError(
    'user_id_invalid',
    'The option "userId" gave nobody after a login: sign the person in to your app in "onLogin", ' +
      'for example by req.session.userId.',
  )
}

/**
 * Leaves the sign-in before this one: forgotten, unless it certainly was another person's. Revoking
 * the tokens of the same person would end the new grant, too, on some servers.
 */
async function leave(
  flow: Flow,
  req: Request,
  server: KnownServer,
  { key, found, person: before }: PreviousLogin,
  person: string | undefined,
): Promise<void> {
  const { tokenRecords } = flow.records(req)
  if (before === undefined || before === person) {
    // The marker of one that was ended stays: the session before may have been brought back by a
    // request that was under way, and may be again.
    if (found !== undefined) await tokenRecords.forget(key)
    return
  }
  const ended = await tokenRecords.end(key, sessionLifetime(req))
  if (ended?.tokens !== undefined) void revoke(server, { refreshToken: undefined, ...ended.tokens })
}
