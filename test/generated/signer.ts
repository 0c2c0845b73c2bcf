import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto'

/** A key of the authorization server. */
export interface Signer {
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
  /** Public half as it is published. */
  readonly jwk: Readonly<Record<string, unknown>>
  /** A compact JWS of these texts, whatever they are. */
  sign(header: string | Buffer, payload: string | Buffer): string
}

/** Makes a P-256 key for ES256. */
export function createSigner(kid: string): Signer {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return {
    privateKey,
    publicKey,
    jwk: { ...publicKey.export({ format: 'jwk' }), kid, alg: 'ES256', use: 'sig' },
    sign(header, payload) {
      const input = `${base64url(header)}.${base64url(payload)}`
      return `${input}.${signatureOf(privateKey, input)}`
    },
  }
}

export function base64url(text: string | Buffer): string {
  return Buffer.from(text).toString('base64url')
}

/** ES256 (RFC 7518 section 3.4). */
export function signatureOf(key: KeyObject, input: string): string {
  const options = { key, dsaEncoding: 'ieee-p1363' as const }
  return sign('sha256', Buffer.from(input), options).toString('base64url')
}
