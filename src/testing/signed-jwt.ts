import { constants, createHmac, KeyObject, sign } from 'node:crypto'
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

const ecdsa = { dsaEncoding: 'ieee-p1363' } as const
const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }

const signatureParameters = {
  ES256: ['sha256', ecdsa],
  ES384: ['sha384', ecdsa],
  RS256: ['sha256', {}],
  PS256: ['sha256', pss],
  EdDSA: [null, {}],
} as const satisfies Record<SigningAlgorithm, readonly [hash: string | null, options: object]>

/**
 * Signs with the current key. Not by jose's `SignJWT`: it would refuse most of what is to be spoilt here.
 */
export async function signJwt(
  { claims, header = {}, faults = [], clientSecret = '' }: JwtToSign,
  keys: SigningKeys,
  algorithm: SigningAlgorithm,
): Promise<string> {
  const alg = faults.findLast((fault) => fault.alg)?.alg ?? algorithm
  const signedBy = faults.findLast((fault) => fault.sign)?.sign
  const key = await keys.current(alg)
  let sentHeader: JsonObject = {
    alg: signedBy === 'none' || signedBy === 'HS256' ? signedBy : alg,
    // No published key has anything to do with an unsigned token or a symmetric key.
    ...((signedBy === undefined || signedBy === 'wrong-key') && { kid: key.kid }),
    ...header,
  }
  let sentClaims = claims
  for (const fault of faults) {
    sentClaims = fault.claims?.({ ...sentClaims }) ?? sentClaims
    sentHeader = fault.header?.({ ...sentHeader }) ?? sentHeader
  }
  const signingInput = `${encode(sentHeader)}.${encode(sentClaims)}`
  if (signedBy === 'none') return `${signingInput}.`
  if (signedBy === 'HS256')
    return `${signingInput}.${createHmac('sha256', clientSecret).update(signingInput).digest('base64url')}`
  const signingKey = signedBy === 'wrong-key' ? await keys.foreign(alg) : key
  return `${signingInput}.${signature(signingInput, signingKey)}`
}

function encode(value: JsonObject): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

function signature(input: string, { alg, privateKey }: SigningKey): string {
  const [hash, options] = signatureParameters[alg]
  const key = { key: KeyObject.from(privateKey), ...options }
  return sign(hash, Buffer.from(input), key).toString('base64url')
}
