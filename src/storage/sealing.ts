import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  type KeyObject,
  randomBytes,
} from 'node:crypto'

/** Encrypts what is stored, so that it can be read and changed by nobody without the keys. */
export interface Sealing {
  /** `content` as text that {@link Sealing.open} makes an equal object of, with the same binding. */
  seal(content: object, binding: SealBinding): string
  /** What was sealed; `undefined` for anything else, or with another key or binding. */
  open(sealed: unknown, binding: SealBinding): object | undefined
}

/** What sealed content belongs to: moved elsewhere, it does not open. */
export interface SealBinding {
  kind: string
  /** Fingerprint that covers the flow's name and client id. */
  flow: string
  /** Key in the store. */
  key: string
  /** Milliseconds since the epoch: who can write to the store cannot make a record live longer. */
  expiresAt: number
}

/** Bound as well, and the context of derived keys. */
const format = 'express-pkce-flow 1'

const algorithm = 'aes-256-gcm'
const saltLength = 16
const ivLength = 12
const tagLength = 16
const headLength = saltLength + ivLength + tagLength

/** Records that one derived key seals, and derived keys that are kept at hand. */
const mostRecords = 2 ** 24
const mostKeys = 1_000

/**
 * AES-256-GCM, under keys which HMAC-SHA256 derives from one of `keys` and a random salt, another one
 * for each process and again after many records: a random 96-bit iv alone would limit a key to 2^32
 * records (NIST SP 800-38D section 8.3). By node:crypto, which does it at once: the asynchronous
 * WebCrypto takes several times as long for a record of this size.
 *
 * @param keys 32 bytes each; the first one seals, all open
 */
export function createSealing(keys: readonly Uint8Array[]): Sealing {
  const secrets = keys.map((key) => createSecretKey(key))
  const [current] = secrets
  if (current === undefined) throw new Error('Sealing needs a key.')
  const derivedKey = createDerivation()
  let salt = randomBytes(saltLength)
  let sealed = 0
  return {
    seal(content, binding) {
      sealed += 1
      if (sealed % mostRecords === 0) salt = randomBytes(saltLength)
      const iv = randomBytes(ivLength)
      const cipher = createCipheriv(algorithm, derivedKey(current, salt), iv)
      cipher.setAAD(bound(binding))
      const text = cipher.update(JSON.stringify(content), 'utf8')
      cipher.final() // adds nothing in this mode, and ends it
      return Buffer.concat([salt, iv, cipher.getAuthTag(), text]).toString('base64url')
    },
    open(text, binding) {
      if (typeof text !== 'string') return undefined
      const bytes = Buffer.from(text, 'base64url')
      if (bytes.length < headLength) return undefined
      const data = bound(binding)
      for (const key of secrets) {
        const content = opened(bytes, derivedKey(key, bytes.subarray(0, saltLength)), data)
        if (content !== undefined) return content
      }
      return undefined
    },
  }
}

function opened(bytes: Buffer, key: Buffer, data: Buffer): object | undefined {
  const iv = bytes.subarray(saltLength, saltLength + ivLength)
  // Without its length, Node takes shorter tags, which are easier to forge.
  const decipher = createDecipheriv(algorithm, key, iv, { authTagLength: tagLength })
  decipher.setAAD(data)
  decipher.setAuthTag(bytes.subarray(saltLength + ivLength, headLength))
  const text = decipher.update(bytes.subarray(headLength), undefined, 'utf8')
  try {
    decipher.final()
  } catch {
    return undefined // all that this can mean: sealed with another key or binding, or changed
  }
  return JSON.parse(text) as object
}

/** Derives keys, and keeps them: what one process has sealed is read many times. */
function createDerivation(): (key: KeyObject, salt: Buffer) => Buffer {
  const derived = new Map<KeyObject, Map<string, Buffer>>()
  return function derivedKey(key, salt) {
    const known = derived.get(key) ?? new Map<string, Buffer>()
    derived.set(key, known)
    const name = salt.toString('latin1')
    const found = known.get(name)
    if (found !== undefined) return found
    const fresh = createHmac('sha256', key).update(format).update(salt).digest()
    if (known.size >= mostKeys) known.clear() // who writes to the store can make up any number of salts
    known.set(name, fresh)
    return fresh
  }
}

/** JSON, so that no part can take over characters of the next. */
function bound({ kind, flow, key, expiresAt }: SealBinding): Buffer {
  return Buffer.from(JSON.stringify([format, kind, flow, key, expiresAt]))
}
