import type { Request } from 'express'
import { claimsOf, createToken, type Claims, type Token } from '../token.ts'
import { isUsable, type CurrentLogin } from './current-login.ts'

/** What is known about a browser's sign-in, without asking the authorization server. */
export interface LoginStatus {
  /** Whether this browser is signed in through the flow. */
  signedIn: boolean
  /** Whether there is an access token that can be used now. */
  connected: boolean
  /** What the token may do, or could until it expired; empty when nobody is signed in. */
  scope: readonly string[]
  /** When the access token ends; absent when unknown. */
  expiresAt?: Date
  /** When the person logged in. */
  connectedAt?: Date
}

/** The usable token of this request's browser. */
export async function readToken(current: CurrentLogin, req: Request): Promise<Token | undefined> {
  const record = await current.read(req)
  return record !== undefined && isUsable(record) ? createToken(record) : undefined
}

/** Claims of the ID Token that this request's browser signed in with. */
export async function readClaims(current: CurrentLogin, req: Request): Promise<Claims | undefined> {
  const idToken = (await current.read(req))?.idToken
  return idToken === undefined ? undefined : claimsOf(idToken)
}

/** What is known about this request's browser. */
export async function readStatus(current: CurrentLogin, req: Request): Promise<LoginStatus> {
  const record = await current.read(req)
  if (record === undefined) return { signedIn: false, connected: false, scope: [] }
  const { scope, expiresAt, connectedAt } = record
  return {
    signedIn: true,
    connected: isUsable(record),
    scope,
    ...(expiresAt !== undefined && { expiresAt: new Date(expiresAt) }),
    connectedAt: new Date(connectedAt),
  }
}
