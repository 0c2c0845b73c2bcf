import { createHash } from 'node:crypto'
import type { Request } from 'express'
import { PkceFlowError } from '../errors.ts'
import type { KnownServer } from '../protocol/known-server.ts'
import { revoke } from '../protocol/revocation.ts'
import type { ValidatedTokens } from '../protocol/token-request.ts'
import type { PendingLogin } from '../storage/pending-logins.ts'
import { connectUser } from './connect-user.ts'
import type { Flow } from './flow.ts'
import { landingOf, toRecord } from './new-tokens.ts'
import { notSignedIn } from './no-tokens.ts'
import { userIdOf } from './user-id.ts'

/** The app's user who starts to connect an account. Throws `not_signed_in`. */
export function requireUserToConnect({ settings }: Flow, req: Request): string {
  const id = userIdOf(settings, req)
  if (id !== undefined) return id
  // Somebody may be signed in at another address of this app, whose cookie does not come here.
  throw notSignedIn(` at ${settings.origin}`)
}

/** What a pending login says about a user: enough to recognise. */
export function fingerprintOf(userId: string): string {
  return createHash('sha256').update(userId).digest('base64url').slice(0, 22)
}

/** Throws `user_changed` unless the request is from the user who started. */
export function requireSameUser({ settings }: Flow, req: Request, { user }: PendingLogin): string {
  const id = userIdOf(settings, req)
  if (id !== undefined && fingerprintOf(id) === user) return id
  throw new PkceFlowError(
    'user_changed',
    id === undefined
      ? 'You have logged out of this app since you began to connect this account. Nothing was connected.'
      : 'Another user is signed in to this app than when this began. Nothing was connected.',
  )
}

/** Keeps the tokens for the app's user, and never touches the session. If that fails, revokes them. */
export async function connectAccount(
  flow: Flow,
  req: Request,
  server: KnownServer,
  tokens: ValidatedTokens,
  login: PendingLogin,
): Promise<{ landing: string }> {
  try {
    const id = requireSameUser(flow, req, login)
    const userTokens = flow.userTokens(req)
    if (userTokens === undefined) throw new Error('Tokens that are connected belong to users.')
    const record = toRecord(flow, tokens, login)
    const landing = await landingOf(flow, req, record, login.returnTo)
    const { others } = await connectUser(userTokens, id, record)
    if (others !== undefined) void revoke(server, { refreshToken: undefined, ...others })
    return { landing }
  } catch (error) {
    void revoke(server, tokens)
    throw error
  }
}
