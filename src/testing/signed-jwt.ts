import { createHmac, webcrypto } from 'node:crypto'
import type { IdTokenFault, JsonObject } from './faults.ts'
import type { SigningAlgorithm, SigningKey, SigningKeys } from './signing-keys.ts'

export interface JwtToSign {
  readonly claims: JsonObject
  /** Over `alg` and `kid`. */
  readonly header?: JsonObject
  /** Spoil claims, header and signature, in their order. */
  readonly faults?: readonly IdTokenFault[]
  /** The key for the fault `HS256`. */
  readonly clientSecret?: string | undefined
}

const signatureParameters = {
  ES256: { name: 'ECDSA', hash: 'SHA-256' },
  ES384: { name: 'ECDSA', hash: 'SHA-384' },
  RS256: { name: 'RSASSA-PKCS1-v1_5' },
  PS256: { name: 'RSA-PSS', saltLength: 32 },
  EdDSA: { name: 'Ed25519' },
} as const satisfies Record<SigningAlgorithm, object>

/**
 * Signs with the current key. Not by jose's `SignJWT`: it would refuse most of what is to be spoilt here.
 */
export async function signJwt(
  { claims, header = {}, faults = [], clientSecret = '' }: JwtToSign,
  keys: SigningKeys,
  algorithm: SigningAlgorithm,
): Promise<string> {
  const alg = faults.findLast((fault) => fault.alg)?.alg ?? algorithm
  const sign = faults.findLast((fault) => fault.sign)?.sign
  const key = await keys.current(alg)
  let sentHeader: JsonObject = {
    alg: sign === 'none' || sign === 'HS256' ? sign : alg,
    // No published key has anything to do with an unsigned token or a symmetric key.
    ...((sign === undefined || sign === 'wrong-key') && { kid: key.kid }),
    ...header,
  }
  let sentClaims = claims
  for (const fault of faults) {
    sentClaims = fault.claims?.({ ...sentClaims }) ?? sentClaims
    sentHeader = fault.header?.({ ...sentHeader }) ?? sentHeader
  }
  const signingInput = `${encode(sentHeader)}.${encode(sentClaims)}`
  if (sign === 'none') return `${signingInput}.`
  if (sign === 'HS256')
    return `${signingInput}.${createHmac('sha256', clientSecret).update(signingInput).digest('base64url')}`
  const signingKey = sign === 'wrong-key' ? await keys.foreign(alg) : key
  return `${signingInput}.${await signature(signingInput, signingKey)}`
}

function encode(value: JsonObject): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

async function signature(input: string, key: SigningKey): Promise<string> {
  const bytes = await webcrypto.subtle.sign(
    signatureParameters[key.alg],
    key.privateKey,
    Buffer.from(input),
  )
  return Buffer.from(bytes).toString('base64url')
}
