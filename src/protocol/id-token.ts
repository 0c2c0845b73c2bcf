import * as errors from 'jose/errors'
import { PkceFlowError } from '../errors.ts'
import type { KnownServer } from './known-server.ts'
import { wrongClaim } from './registered-claims.ts'
import { signatureAlgorithms, verifySignedJwt } from './signed-jwt.ts'

/** Claims of a validated ID Token (OpenID Connect Core section 2). */
export interface IdTokenClaims extends Record<string, unknown> {
  iss: string
  sub: string
  aud: string | string[]
  exp: number
  iat: number
}

/** What every ID Token for this client is checked against. */
export interface IdTokenReader {
  clientId: string
  /** Milliseconds. */
  clockTolerance: number
}

/** What the ID Token of a login is checked against. */
export interface IdTokenExpectations extends IdTokenReader {
  /** Sent in the authorization request. */
  nonce: string
  /** `max_age` of the authorization request, in seconds. */
  maxAge: number | undefined
}

/** `iat` and `auth_time` may be this far ahead of our clock. Seconds. */
export const issuedAhead = 600

/**
 * Validates the ID Token of a login (OpenID Connect Core section 3.1.3.7), its signature always
 * included.
 *
 * Rejects with `id_token_invalid`, or as the transport does if the signing keys cannot be had.
 */
export async function validateIdToken(
  idToken: string,
  server: KnownServer,
  expected: IdTokenExpectations,
): Promise<IdTokenClaims> {
  const claims = await verifyIdToken(idToken, server, expected)
  const { nonce, auth_time: authTime } = claims
  if (nonce !== expected.nonce) throw invalidClaim('nonce')
  if (expected.maxAge !== undefined) {
    const tolerance = expected.clockTolerance / 1000
    if (typeof authTime !== 'number') throw invalidClaim('auth_time')
    if (authTime + expected.maxAge < Date.now() / 1000 - tolerance) throw invalidClaim('auth_time')
    // One that has not come yet, such as one in milliseconds, would be recent for ever.
    if (authTime > Date.now() / 1000 + issuedAhead) throw invalidClaim('auth_time')
  }
  return claims
}

/**
 * Checks what holds for every ID Token, that of a login and that of a refresh: signature, `iss`,
 * `aud`, `azp`, `exp`, `iat`, and that there is a `sub`. Rejects as {@link validateIdToken} does.
 */
export async function verifyIdToken(
  idToken: string,
  server: KnownServer,
  reader: IdTokenReader,
): Promise<IdTokenClaims> {
  const claims = await verifySignature(idToken, server)
  for (const name of ['sub', 'exp', 'iat']) if (claims[name] === undefined) throw invalidClaim(name)
  const { clientId: audience, clockTolerance } = reader
  const issuer = server.metadata.issuer as string // or there would be no signature to verify
  const wrong = wrongClaim(claims, { issuer, audience, clockTolerance })
  if (wrong !== undefined) throw invalidClaim(wrong)
  const { azp, aud, iat, sub } = claims as IdTokenClaims
  // Steps 4 and 5: a token for several audiences says which of them asked for it.
  if (Array.isArray(aud) && aud.length > 1 && azp === undefined) throw invalidClaim('azp')
  if (azp !== undefined && azp !== reader.clientId) throw invalidClaim('azp')
  if (iat > Date.now() / 1000 + issuedAhead) throw invalidClaim('iat')
  if (typeof sub !== 'string' || sub === '') throw invalidClaim('sub')
  return claims as IdTokenClaims
}

async function verifySignature(
  idToken: string,
  { keys, metadata }: KnownServer,
): Promise<Record<string, unknown>> {
  if (keys === undefined || metadata.issuer === undefined)
    throw new PkceFlowError(
      'configuration',
      'With the scope "openid" ID Tokens have to be checked, and the authorization server publishes ' +
        'no jwks_uri or issuer. Give them in the option "server", or leave "openid" out.',
    )
  const attempt = () => verifySignedJwt(idToken, keys.find, acceptedAlgorithms(metadata))
  const generation = keys.generation()
  try {
    return await attempt()
  } catch (error) {
    if (!mayBeRotation(error)) throw refused(error)
  }
  // OpenID Connect Core section 10.1.1: the keys were rotated since we fetched them. The code is
  // spent by now, so this login has no other chance.
  try {
    if (keys.generation() === generation) await keys.refetch()
    return await attempt()
  } catch (error) {
    throw refused(error)
  }
}

/** Step 7: those that the server says it uses, if it says so. */
export function acceptedAlgorithms(metadata: KnownServer['metadata']): readonly string[] {
  const named: unknown = metadata.id_token_signing_alg_values_supported
  return Array.isArray(named)
    ? signatureAlgorithms.filter((name) => named.includes(name))
    : signatureAlgorithms
}

/** An unknown key, or a known name for another key. */
export function mayBeRotation(error: unknown): boolean {
  return (
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWSSignatureVerificationFailed
  )
}

function refused(error: unknown): PkceFlowError {
  if (error instanceof PkceFlowError) return error
  if (error instanceof errors.JWKSInvalid)
    return new PkceFlowError(
      'invalid_server_response',
      "The authorization server's signing keys (jwks_uri) are not a JWK Set.",
    )
  return notSigned(error)
}

/** The error for what is no JWT, or is not signed by the server. */
export function notSigned(cause: unknown): PkceFlowError {
  return new PkceFlowError(
    'id_token_invalid',
    "The authorization server's ID Token has no signature that its published keys confirm.",
    { cause },
  )
}

/** The error for a claim that is missing or wrong. */
export function invalidClaim(claim: string): PkceFlowError {
  return new PkceFlowError(
    'id_token_invalid',
    `The authorization server's ID Token is not valid for this login: its claim "${claim}" is missing or wrong.`,
  )
}
