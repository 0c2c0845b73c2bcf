import { PkceFlowError } from '../errors.ts'
import type {
  FoundRecord,
  HeldRecord,
  IssuedTokens,
  NewTokenRecord,
  TokenRecord,
} from '../storage/token-records.ts'
import { claimsOf } from '../token.ts'
import type { UserTokens } from './flow.ts'
import { personOf } from './person.ts'

/** What a login brought. */
export type ConnectedRecord = NewTokenRecord & { tokens: IssuedTokens }

/** Tokens that were put in the place of others. */
export interface Replacement {
  /** What was there, if it certainly was another account's. */
  others: IssuedTokens | undefined
  /** Puts back what was there. */
  putBack: () => Promise<unknown>
}

/** Keeps the tokens of a login for a user of the app, in the place of those from before. */
export async function connectUser(
  { tokenRecords, keyOf, lifetimeOf }: UserTokens,
  userId: string,
  record: ConnectedRecord,
): Promise<Replacement> {
  const key = keyOf(userId)
  const { before, now } = await tokenRecords.change(key, async (held) => {
    // A second time, if the lock was lost on the way.
    for (let attempts = 0; attempts < 2; attempts += 1) {
      const found = await held.read()
      const same = typeof found === 'object' && isSamePerson(found, record) ? found : undefined
      const next = withRefreshToken(record, same)
      const written = await held
        .replace(found, next, lifetimeOf(next.tokens))
        .catch((error: unknown) => writtenAfterAll(held, found, record, error))
      if (typeof written === 'object' && written.tokens?.accessToken === record.tokens.accessToken)
        return { before: found, now: written }
    }
    throw new PkceFlowError('lock_unavailable', 'The tokens of this user are being changed.', {
      retryAfter: 1,
    })
  })
  const isOther =
    typeof before === 'object' && before.idToken !== undefined && !isSamePerson(before, record)
  const others = isOther && record.idToken !== undefined ? before.tokens : undefined
  return {
    others,
    async putBack() {
      // A record without tokens would say that this user was connected.
      const [next, tokens] =
        typeof before === 'object' ? [before, before.tokens] : (['ended'] as const)
      await tokenRecords.change(key, (held) => held.replace(now, next, lifetimeOf(tokens)))
    },
  }
}

/**
 * A write that failed may be there all the same, or be soon, with tokens that are revoked now: what was
 * there before is put after it.
 */
async function writtenAfterAll(
  held: HeldRecord,
  before: FoundRecord,
  { tokens }: ConnectedRecord,
  error: unknown,
): Promise<TokenRecord> {
  const now = await held.read()
  if (typeof now === 'object' && now.tokens?.accessToken === tokens.accessToken) return now
  await held.replace(before, before ?? 'ended', undefined)
  throw error
}

/** Many servers give a refresh token at the first consent only: the one from before stays. */
export function withRefreshToken(
  record: ConnectedRecord,
  before: TokenRecord | undefined,
): ConnectedRecord {
  const { tokens } = record
  if (tokens.refreshToken !== undefined || before?.tokens?.refreshToken === undefined) return record
  const { refreshToken, refreshExpiresAt } = before.tokens
  return { ...record, tokens: { ...tokens, refreshToken, refreshExpiresAt } }
}

/** Without ID Tokens nobody can tell, and tokens of two people must not be mixed. */
function isSamePerson(found: FoundRecord, { idToken }: NewTokenRecord): boolean {
  if (typeof found !== 'object' || found.idToken === undefined || idToken === undefined)
    return false
  return personOf(claimsOf(found.idToken)) === personOf(claimsOf(idToken))
}
