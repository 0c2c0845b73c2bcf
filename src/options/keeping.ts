import type { Request } from 'express'
import { duration, invalid, isRecord, oneOf, resolveFunction } from './checks.ts'
import type { Lock } from './lock.ts'
import type { PkceFlowOptions, SessionStore, TokenStore } from './options.ts'

// Where records are kept, and what keeps processes from changing one at the same time.

/** Tokens that are kept per user. */
export interface UserTokenSettings {
  readonly purpose: 'login' | 'connect'
  readonly userId: ((req: Request) => unknown) | undefined
  readonly tokenStore: TokenStore | undefined
  readonly tokenLifetime: number
}

export function resolveStore(value: unknown): SessionStore | undefined {
  if (value === undefined) return undefined
  const has = (name: string) => typeof (value as Record<string, unknown>)[name] === 'function'
  if (!isRecord(value) || !['get', 'set', 'destroy'].every(has))
    throw invalid('store', 'must be an express-session store, with get, set and destroy')
  return value as unknown as SessionStore
}

export function resolveLock(value: unknown): Lock | 'process' | undefined {
  if (value === undefined || value === 'process') return value
  if (!isRecord(value) || typeof value.acquire !== 'function')
    throw invalid('lock', "must be redisLock(…), postgresLock(…), a Lock of your own, or 'process'")
  return value as unknown as Lock
}

export function resolveUserTokens({
  purpose = 'login',
  userId,
  tokenStore,
  tokenLifetime,
  sessionAtLogin,
}: PkceFlowOptions<string>): UserTokenSettings {
  if (tokenStore !== undefined) requireTokenStore(tokenStore)
  oneOf('purpose', purpose, ['login', 'connect'])
  if (purpose === 'connect') {
    if (userId === undefined)
      throw invalid('userId', "is needed with purpose 'connect': whose account is it?")
    if (sessionAtLogin !== undefined)
      throw invalid('sessionAtLogin', "does nothing with purpose 'connect': no session is made")
  } else if (tokenStore !== undefined && userId === undefined)
    throw invalid('tokenStore', 'needs the option "userId"')
  else if (tokenStore === undefined && userId !== undefined)
    throw invalid(
      'userId',
      'needs the option "tokenStore", where the tokens of users are kept, or purpose: \'connect\'',
    )
  if (tokenStore === undefined && tokenLifetime !== undefined)
    throw invalid('tokenLifetime', 'needs the option "tokenStore"')
  return {
    purpose,
    userId: resolveFunction('userId', userId),
    tokenStore,
    tokenLifetime: duration(
      'tokenLifetime',
      tokenLifetime ?? 2_592_000_000,
      60_000,
      34_560_000_000,
    ),
  }
}

function requireTokenStore(value: unknown): void {
  const has = (name: string) => typeof (value as never)[name] === 'function'
  if (isRecord(value) && has('get') && has('set') && (has('delete') || has('destroy'))) return
  throw invalid(
    'tokenStore',
    'must have get, set and delete as a Keyv has, or be an express-session store',
  )
}
