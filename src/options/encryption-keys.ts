import { types } from 'node:util'
import { invalid } from './checks.ts'

/** AES-256 takes keys of so many bytes. */
const keyLength = 32

/** Copies of the keys, so that a caller may clear its own. */
export function resolveEncryptionKeys(value: unknown): readonly Uint8Array[] | undefined {
  if (value === undefined) return undefined
  if (!Array.isArray(value) || value.length === 0)
    throw invalid('encryptionKeys', 'must be an array of at least one key')
  const keys = Array.from(value, resolveKey)
  if (new Set(keys.map((key) => key.toString('hex'))).size < keys.length)
    throw invalid('encryptionKeys', 'must not have the same key twice')
  return keys
}

function resolveKey(value: unknown): Buffer {
  if (types.isUint8Array(value) && value.length === keyLength) return Buffer.from(value)
  // 43 characters hold 256 bits; some programs add the padding that RFC 4648 section 5 allows.
  if (typeof value === 'string' && /^[\w-]{43}=?$/.test(value))
    return Buffer.from(value, 'base64url')
  throw invalid(
    'encryptionKeys',
    `must have keys of ${keyLength} bytes, each a Uint8Array or base64url text of 43 characters; ` +
      `make one by crypto.randomBytes(${keyLength}).toString('base64url')`,
  )
}
