import { errors, jwtVerify, type JWTPayload } from 'jose'
import { PkceFlowError } from '../errors.ts'
import type { KnownServer } from './known-server.ts'

/** Claims of a validated ID Token (OpenID Connect Core section 2). */
export type IdTokenClaims = JWTPayload & { iss: string; sub: string; exp: number; iat: number }

/** What an ID Token is checked against. */
export interface IdTokenExpectations {
  clientId: string
  /** Sent in the authorization request. */
  nonce: string
  /** `max_age` of the authorization request, in seconds. */
  maxAge: number | undefined
  /** Milliseconds. */
  clockTolerance: number
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

/** `iat` may be this far ahead of our clock. Seconds. */
const issuedAhead = 600

/**
 * Validates an ID Token (OpenID Connect Core section 3.1.3.7), its signature always included.
 *
 * Rejects with `id_token_invalid`, or as the transport does if the signing keys cannot be had.
 */
export async function validateIdToken(
  idToken: string,
  server: KnownServer,
  expected: IdTokenExpectations,
): Promise<IdTokenClaims> {
  const claims = await verify(idToken, server, expected)
  const { nonce, azp, aud, iat, auth_time: authTime } = claims
  const tolerance = expected.clockTolerance / 1000
  const now = Date.now() / 1000

  if (nonce !== expected.nonce) throw invalid('nonce')
  // Steps 4 and 5: a token for several audiences says which of them asked for it.
  if (Array.isArray(aud) && aud.length > 1 && azp === undefined) throw invalid('azp')
  if (azp !== undefined && azp !== expected.clientId) throw invalid('azp')
  if (iat > now + issuedAhead) throw invalid('iat')
  if (typeof claims.sub !== 'string' || claims.sub === '') throw invalid('sub')
  if (expected.maxAge !== undefined) {
    if (typeof authTime !== 'number') throw invalid('auth_time')
    if (authTime + expected.maxAge < now - tolerance) throw invalid('auth_time')
  }
  return claims
}

async function verify(
  idToken: string,
  { keys, metadata }: KnownServer,
  { clientId, clockTolerance }: IdTokenExpectations,
): Promise<IdTokenClaims> {
  const { issuer } = metadata
  if (keys === undefined || issuer === undefined)
    throw new PkceFlowError(
      'configuration',
      'With the scope "openid" ID Tokens have to be checked, and the authorization server publishes ' +
        'no jwks_uri or issuer. Give them in the option "server", or leave "openid" out.',
    )
  const attempt = () =>
    jwtVerify<IdTokenClaims>(idToken, keys.find, {
      issuer,
      audience: clientId,
      algorithms: announced(metadata),
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
function announced(metadata: KnownServer['metadata']): string[] {
  const named: unknown = metadata.id_token_signing_alg_values_supported
  return Array.isArray(named) ? algorithms.filter((name) => named.includes(name)) : algorithms
}

/** An unknown key, or a known name for another key. */
function mayBeRotation(error: unknown): boolean {
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
  return claim === undefined
    ? new PkceFlowError(
        'id_token_invalid',
        "The authorization server's ID Token has no signature that its published keys confirm.",
        { cause: error },
      )
    : invalid(claim)
}

function invalid(claim: string): PkceFlowError {
  return new PkceFlowError(
    'id_token_invalid',
    `The authorization server's ID Token is not valid for this login: its claim "${claim}" is missing or wrong.`,
  )
}
