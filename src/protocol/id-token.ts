import type { JWTPayload } from 'jose'
import * as errors from 'jose/errors'
import { jwtVerify } from 'jose/jwt/verify'
import { PkceFlowError } from '../errors.ts'
import { isAudience, isCompactJwt } from './compact-jwt.ts'
import type { KnownServer } from './known-server.ts'

/** Claims of a validated ID Token (OpenID Connect Core section 2). */
export type IdTokenClaims = JWTPayload & { iss: string; sub: string; exp: number; iat: number }

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

/** Signatures that anybody can check with a public key; never `none`, never a shared secret. */
const algorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
]

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
  const claims = await verifySignature(idToken, server, reader)
  const { azp, aud, iat, sub } = claims
  if (!isAudience(aud)) throw invalidClaim('aud')
  // Steps 4 and 5: a token for several audiences says which of them asked for it.
  if (Array.isArray(aud) && aud.length > 1 && azp === undefined) throw invalidClaim('azp')
  if (azp !== undefined && azp !== reader.clientId) throw invalidClaim('azp')
  if (iat > Date.now() / 1000 + issuedAhead) throw invalidClaim('iat')
  if (typeof sub !== 'string' || sub === '') throw invalidClaim('sub')
  return claims
}

async function verifySignature(
  idToken: string,
  { keys, metadata }: KnownServer,
  { clientId, clockTolerance }: IdTokenReader,
): Promise<IdTokenClaims> {
  const { issuer } = metadata
  if (keys === undefined || issuer === undefined)
    throw new PkceFlowError(
      'configuration',
      'With the scope "openid" ID Tokens have to be checked, and the authorization server publishes ' +
        'no jwks_uri or issuer. Give them in the option "server", or leave "openid" out.',
    )
  if (!isCompactJwt(idToken)) throw notSigned(undefined)
  const attempt = () =>
    jwtVerify<IdTokenClaims>(idToken, keys.find, {
      issuer,
      audience: clientId,
      algorithms: acceptedAlgorithms(metadata),
      requiredClaims: ['sub', 'exp', 'iat'],
      clockTolerance: clockTolerance / 1000,
    })
  const generation = keys.generation()
  try {
    return (await attempt()).payload
  } catch (error) {
    if (!mayBeRotation(error)) throw refused(error)
  }
  // OpenID Connect Core section 10.1.1: the keys were rotated since we fetched them. The code is
  // spent by now, so this login has no other chance.
  try {
    if (keys.generation() === generation) await keys.refetch()
    return (await attempt()).payload
  } catch (error) {
    throw refused(error)
  }
}

/** Step 7: those that the server says it uses, if it says so. */
export function acceptedAlgorithms(metadata: KnownServer['metadata']): string[] {
  const named: unknown = metadata.id_token_signing_alg_values_supported
  return Array.isArray(named) ? algorithms.filter((name) => named.includes(name)) : algorithms
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
  const claim =
    error instanceof errors.JWTClaimValidationFailed || error instanceof errors.JWTExpired
      ? error.claim
      : undefined
  return claim === undefined ? notSigned(error) : invalidClaim(claim)
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
