import { setTimeout as delay } from 'node:timers/promises'
import type { KnownServer } from '../protocol/known-server.ts'
import { revoke } from '../protocol/revocation.ts'
import type {
  FoundRecord,
  HeldRecord,
  IssuedTokens,
  NewTokenRecord,
  TokenRecord,
} from '../storage/token-records.ts'

/** How long a result that cannot be stored is kept in memory and tried again. Milliseconds. */
const storingTime = 60_000
const firstPause = 100
const lastPause = 2_000

/**
 * Stores what a refresh brought. If that fails, whoever waits goes on with it from memory, and it is
 * tried again for a while: the old refresh token may be worth nothing by now.
 */
export async function storeRefreshed(
  held: HeldRecord,
  before: TokenRecord,
  next: NewTokenRecord,
  lifetime: number | undefined,
  goOn: (record: TokenRecord) => void,
): Promise<FoundRecord> {
  const until = performance.now() + storingTime
  for (let pause = firstPause; ; pause = Math.min(pause * 2, lastPause)) {
    try {
      return await held.replace(before, next, lifetime)
    } catch (error) {
      goOn({ ...next, revision: before.revision })
      if (performance.now() > until) throw error
      await delay(pause)
    }
  }
}

/**
 * Revokes what a refresh brought and is not kept, `kept` being the tokens that the record has instead.
 * Theirs is the same grant, which a revoked refresh token would end: only the access token goes then.
 */
export async function revokeUnlessKept(
  server: KnownServer,
  { tokens }: NewTokenRecord,
  kept: IssuedTokens | undefined,
): Promise<void> {
  if (tokens === undefined || tokens.accessToken === kept?.accessToken) return
  const refreshToken = kept === undefined ? tokens.refreshToken : undefined
  await revoke(server, { ...tokens, refreshToken })
}
