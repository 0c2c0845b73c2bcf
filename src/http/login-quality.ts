import { PkceFlowError } from '../errors.ts'
import { issuedAhead } from '../protocol/id-token.ts'
import type { TokenRecord } from '../storage/token-records.ts'
import { claimsOf } from '../token.ts'

/** How a person must have logged in (RFC 9470). */
export interface LoginQuality {
  /** Milliseconds since the person was asked to prove who it is, at most. */
  maxAge?: number | undefined
  /** Authentication context class references, any of which will do. */
  acrValues?: readonly string[] | undefined
}

/** What a sign-in lacks. */
export interface Shortfall {
  /** Parameters of an authorization request for a login that is good enough. */
  parameters: Readonly<Record<string, string>>
  /** Whether such a login was asked for already, in vain. */
  isHopeless: boolean
}

/**
 * In what a sign-in falls short of `needed`; `undefined` if it is good enough.
 *
 * @param clockTolerance milliseconds
 */
export function shortfallOf(
  { idToken, missedAcr = [] }: Pick<TokenRecord, 'idToken' | 'missedAcr'>,
  needed: LoginQuality,
  clockTolerance: number,
): Shortfall | undefined {
  const { maxAge, acrValues } = needed
  const claims = idToken === undefined ? undefined : claimsOf(idToken)
  const authTime = claims?.auth_time
  const isRecent =
    maxAge === undefined ||
    (typeof authTime === 'number' &&
      authTime <= Date.now() / 1000 + issuedAhead &&
      authTime * 1000 + maxAge + clockTolerance >= Date.now())
  const isRight = acrValues === undefined || acrValues.some((value) => value === claims?.acr)
  if (isRecent && isRight) return undefined
  // Whether a new login is recent is checked when it comes, so only `acr` can be missing again.
  const isHopeless = !isRight && acrValues.every((value) => missedAcr.includes(value))
  return { parameters: parametersFor(needed), isHopeless }
}

/** OpenID Connect Core section 3.1.2.1; `max_age` is in seconds. */
export function parametersFor({ maxAge, acrValues }: LoginQuality): Record<string, string> {
  return {
    ...(maxAge !== undefined && { max_age: String(Math.floor(maxAge / 1000)) }),
    ...(acrValues !== undefined && { acr_values: acrValues.join(' ') }),
  }
}

/** The error for such a sign-in, with what would do (RFC 9470 section 3). */
export function insufficientAuthentication({ parameters }: Shortfall): PkceFlowError {
  const message = 'This needs a login that is more recent, or of another kind. Log in again.'
  const details = { error: 'insufficient_user_authentication', error_description: message }
  const members = Object.entries({ ...details, ...parameters })
  return new PkceFlowError('insufficient_user_authentication', message, {
    challenge: `Bearer ${members.map(([name, value]) => `${name}="${value}"`).join(', ')}`,
  })
}
