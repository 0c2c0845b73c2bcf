import type { Request } from 'express'
import type { FoundRecord } from '../storage/token-records.ts'
import { claimsOf, type Claims } from '../token.ts'
import type { CurrentLogin } from './current-login.ts'
import { canRefresh, isUsable } from './token-life.ts'

/** What is known about tokens, without asking the authorization server. */
export interface ConnectionStatus {
  /** Whether there is an access token that can be used now, or one to get it with. */
  connected: boolean
  /** What the tokens may do, or could until they expired; empty when there are none. */
  scope: readonly string[]
  /** When the access token ends; absent when unknown. */
  expiresAt?: Date
  /** When the person logged in to give them. */
  connectedAt?: Date
}

/** What is known about a browser's sign-in, without asking the authorization server. */
export interface LoginStatus extends ConnectionStatus {
  /** Whether this browser is signed in through the flow, or its user has connected an account. */
  signedIn: boolean
}

/** Claims of the ID Token that this request's browser signed in with, or its user connected. */
export async function readClaims(current: CurrentLogin, req: Request): Promise<Claims | undefined> {
  const idToken = (await current.identity(req))?.idToken
  return idToken === undefined ? undefined : claimsOf(idToken)
}

/** What is known about this request's browser, and about its tokens. */
export async function readStatus(current: CurrentLogin, req: Request): Promise<LoginStatus> {
  const connection = await current.connection(req)
  const [identity, found] = await Promise.all([current.identity(req), connection?.read()])
  return { signedIn: identity !== undefined, ...connectionStatus(found) }
}

/** What is known about tokens, of whoever they are. */
export function connectionStatus(found: FoundRecord): ConnectionStatus {
  if (typeof found !== 'object') return { connected: false, scope: [] }
  const { tokens, connectedAt } = found
  return {
    connected: isUsable(tokens) || canRefresh(tokens),
    scope: tokens?.scope ?? [],
    ...(tokens?.expiresAt !== undefined && { expiresAt: new Date(tokens.expiresAt) }),
    connectedAt: new Date(connectedAt),
  }
}
