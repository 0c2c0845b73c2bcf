import { constants, KeyObject, verify } from 'node:crypto'
import type { CryptoKey, JWTVerifyGetKey } from 'jose'
import { JWSInvalid, JWSSignatureVerificationFailed } from 'jose/errors'
import { isCompactJwt } from './compact-jwt.ts'

type JsonObject = Record<string, unknown>

/** A JWT whose signature nobody has looked at. */
export interface ReadJwt {
  header: JsonObject
  claims: JsonObject
}

/** How a signature is checked (RFC 7518 section 3, RFC 8037 section 3.1). */
interface Scheme {
  hash: string | null
  options: { padding?: number; saltLength?: number; dsaEncoding?: 'ieee-p1363' }
}

const { RSA_PKCS1_PADDING, RSA_PKCS1_PSS_PADDING, RSA_PSS_SALTLEN_DIGEST } = constants
const rsa = { padding: RSA_PKCS1_PADDING }
const pss = { padding: RSA_PKCS1_PSS_PADDING, saltLength: RSA_PSS_SALTLEN_DIGEST }
const ecdsa = { dsaEncoding: 'ieee-p1363' } as const

const schemes: Readonly<Record<string, Scheme>> = {
  RS256: { hash: 'sha256', options: rsa },
  RS384: { hash: 'sha384', options: rsa },
  RS512: { hash: 'sha512', options: rsa },
  PS256: { hash: 'sha256', options: pss },
  PS384: { hash: 'sha384', options: pss },
  PS512: { hash: 'sha512', options: pss },
  ES256: { hash: 'sha256', options: ecdsa },
  ES384: { hash: 'sha384', options: ecdsa },
  ES512: { hash: 'sha512', options: ecdsa },
  EdDSA: { hash: null, options: {} },
  Ed25519: { hash: null, options: {} },
}

/** Signatures that anybody can check with a public key; never `none`, never a shared secret. */
export const signatureAlgorithms: readonly string[] = Object.keys(schemes)

/** RFC 7518 sections 3.3 and 3.5. Bits. */
const shortestRsaKey = 2048

/**
 * The claims of a JWT whose signature one of the server's keys confirms (RFC 7515 section 5.2). The
 * keys are jose's; the signature is checked by node:crypto, which takes a third of the CPU time of the
 * way through WebCrypto's threads.
 *
 * Rejects with an error of jose's, or as `findKey` does.
 *
 * @param algorithms those of {@link signatureAlgorithms} that are accepted
 */
export async function verifySignedJwt(
  jwt: string,
  findKey: JWTVerifyGetKey,
  algorithms: readonly string[],
): Promise<JsonObject> {
  const { header, claims } = readJwt(jwt)
  const { alg, crit } = header
  const scheme = typeof alg === 'string' && algorithms.includes(alg) ? schemes[alg] : undefined
  if (scheme === undefined) throw new JWSInvalid('Signed by an algorithm that is not accepted')
  // Section 4.1.11: extensions that have to be understood, and none is here.
  if (crit !== undefined) throw new JWSInvalid('A critical header that nobody knows')
  const [head = '', payload = '', signature = ''] = jwt.split('.')
  const key = (await findKey(
    { ...header, alg: alg as string },
    { payload, signature },
  )) as CryptoKey
  if (!isSignedBy(keyObject(key), scheme, `${head}.${payload}`, signature))
    throw new JWSSignatureVerificationFailed()
  return claims
}

function isSignedBy(key: KeyObject, { hash, options }: Scheme, signed: string, signature: string) {
  const { modulusLength = shortestRsaKey } = key.asymmetricKeyDetails ?? {}
  if (modulusLength < shortestRsaKey) throw new JWSInvalid('Signed by a key that is too short')
  return verify(hash, Buffer.from(signed), { key, ...options }, Buffer.from(signature, 'base64url'))
}

const keyObjects = new WeakMap<CryptoKey, KeyObject>()

/** jose keeps its keys, so these can be kept, too. */
function keyObject(key: CryptoKey): KeyObject {
  const known = keyObjects.get(key) ?? KeyObject.from(key)
  keyObjects.set(key, known)
  return known
}

/** Header and claims of a JWT, as they say. Throws an error of jose's if it is none. */
export function readJwt(jwt: string): ReadJwt {
  if (!isCompactJwt(jwt)) throw new JWSInvalid('No JWT in compact form')
  const [head = '', payload = ''] = jwt.split('.')
  return { header: objectIn(head), claims: objectIn(payload) }
}

/** Bytes that are no UTF-8 mean one thing to one reader and another to the next. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function objectIn(part: string): JsonObject {
  let value: unknown
  try {
    value = JSON.parse(utf8.decode(Buffer.from(part, 'base64url')))
  } catch {
    // What the parser says quotes it.
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as JsonObject
  throw new JWSInvalid('A part that is no JSON object')
}
