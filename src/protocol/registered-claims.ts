/** What the registered claims of every JWT for this client are checked against. */
export interface ClaimExpectations {
  issuer: string
  audience: string
  /** How far our clock may be from the server's. Milliseconds. */
  clockTolerance: number
}

/**
 * The first of `iss`, `aud`, `exp`, `nbf` and `iat` (RFC 7519 section 4.1) that is wrong, or, of the
 * first two, missing; `undefined` if there is none. An `iat` need only be a time: what is too old or too
 * new depends on what the token is for.
 */
export function wrongClaim(
  { iss, aud, exp, nbf, iat }: Readonly<Record<string, unknown>>,
  { issuer, audience, clockTolerance }: ClaimExpectations,
): string | undefined {
  const now = Math.floor(Date.now() / 1000)
  const tolerance = clockTolerance / 1000
  if (iss !== issuer) return 'iss'
  if (!isAudience(aud) || ![aud].flat().includes(audience)) return 'aud'
  if (exp !== undefined && !(isSeconds(exp) && exp > now - tolerance)) return 'exp'
  if (nbf !== undefined && !(isSeconds(nbf) && nbf <= now + tolerance)) return 'nbf'
  if (iat !== undefined && !isSeconds(iat)) return 'iat'
  return undefined
}

/** Since the epoch. */
function isSeconds(value: unknown): value is number {
  return typeof value === 'number'
}

/** Whether the claim `aud` is text, or a list of nothing but texts (RFC 7519 section 4.1.3). */
function isAudience(aud: unknown): boolean {
  return [aud].flat().every((each) => typeof each === 'string')
}
