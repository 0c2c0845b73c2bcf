import { createHmac, generateKeyPairSync, sign, verify, type KeyObject } from 'node:crypto'
import fc from 'fast-check'
import {
  deformed,
  edited,
  spoilings,
  textOf,
  type Delivery,
  type Member,
  type Spoiling,
} from './documents.ts'
import { base64url, createSigner, signatureOf, type Signer } from './signer.ts'

/** How a JWT differs from a valid one. */
export interface Forgery {
  /** Of the claims; whatever they are, they are signed unless the signature says otherwise. */
  claims: Spoiling
  header: Spoiling
  signature: (typeof signatures)[number]
  form: (typeof forms)[number]
}

const signatures = [
  ...['true', 'none', 'HS256 by the public key', 'HS256 by the client secret', 'truncated'],
  ...['empty', 'another key', 'another curve', 'RS256', 'one bit', 'DER', 'twice as long'],
] as const

const forms = [
  ...['as it is', 'padded', 'other last bits', 'standard alphabet', 'spaces', 'line ends'],
  ...['two parts', 'four parts', 'five parts', 'nested', 'empty', 'huge', 'JSON', 'quotes'],
  ...['other payload', 'NUL'],
] as const

const usual = <T>(value: T, others: readonly T[]) =>
  fc.oneof(
    { weight: 12, arbitrary: fc.constant<T>(value) },
    { weight: 3, arbitrary: fc.constantFrom(...others) },
  )

/** Forgeries of a JWT with these claims, a good part of which leave it valid. */
export function forgeries(
  claims: readonly string[],
  claimTexts: readonly string[],
): fc.Arbitrary<Forgery> {
  const deliveries = usual<Delivery['bytes']>('as it is', [
    ...(['byte order mark', 'truncated', 'more after it', 'in an array', 'null', 'empty'] as const),
    ...(['UTF-16', 'invalid UTF-8', 'NUL after it', 'text', 'spaces', 'HTML'] as const),
  ]).map((bytes) => ({ status: 200, headers: {}, bytes }))
  const headerTexts = [
    ...['"none"', '"None"', '"HS256"', '"ES384"', '"RS256"', '"ES256"', '"es256"', '["ES256"]'],
    ...['"key-1"', '["key-1"]', '"key-2"', '"../key-1"', '["exp"]', '["b64"]', '[]', 'true'],
    ...['"JWT"', '"at+jwt"', '"logout+jwt"', '"application/logout+jwt"', '"https://evil.invalid/"'],
  ]
  return fc.record({
    claims: spoilings(claims, claimTexts, deliveries),
    header: fc.oneof(
      { weight: 3, arbitrary: fc.constant(untouched) },
      { weight: 1, arbitrary: spoilings(headerNames, headerTexts, deliveries) },
    ),
    signature: usual('true', signatures),
    form: usual('as it is', forms),
  })
}

const untouched: Spoiling = {
  edits: [],
  delivery: { status: 200, headers: {}, bytes: 'as it is' },
}

const headerNames = ['alg', 'kid', 'typ', 'crit', 'b64', 'jku', 'jwk', 'x5u', 'exp', 'cty']

const otherKey = createSigner('key-1').privateKey
const otherCurve = generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey
const rsaKey = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey

/** Writes the JWT, each part as the forgery has it. */
export function forge(
  { claims, header, signature, form }: Forgery,
  claimMembers: readonly Member[],
  headerMembers: readonly Member[],
  signer: Signer,
  secret: string,
): string {
  const payload = deformed(textOf(edited(claimMembers, claims.edits)), claims.delivery.bytes)
  const head = deformed(textOf(edited(headerMembers, header.edits)), header.delivery.bytes)
  const spelt = spell(form)
  const input = `${spelt(base64url(headFor(signature, head)))}.${spelt(base64url(payload))}`
  return shaped(form, input, spelt(signed(signature, input, signer, secret)))
}

/** A header that names the algorithm that was used. */
function headFor(signature: Forgery['signature'], head: string | Buffer): string | Buffer {
  const alg = /^(none|HS256|RS256)/.exec(signature)?.[1]
  return alg === undefined ? head : head.toString().replace('"ES256"', `"${alg}"`)
}

function signed(how: Forgery['signature'], input: string, signer: Signer, secret: string): string {
  const mine = () => signatureOf(signer.privateKey, input)
  const bytes = Buffer.from(input)
  switch (how) {
    case 'true':
      return mine()
    case 'none':
    case 'empty':
      return ''
    case 'HS256 by the public key':
      return hmac(signer.publicKey.export({ format: 'pem', type: 'spki' }), input)
    case 'HS256 by the client secret':
      return hmac(secret, input)
    case 'truncated':
      return mine().slice(0, 40)
    case 'another key':
      return signatureOf(otherKey, input)
    case 'another curve':
      return signatureOf(otherCurve, input)
    case 'RS256':
      return sign('sha256', bytes, rsaKey).toString('base64url')
    case 'one bit': {
      const spoilt = Buffer.from(mine(), 'base64url')
      spoilt[7]! ^= 1
      return spoilt.toString('base64url')
    }
    case 'DER':
      return sign('sha256', bytes, signer.privateKey).toString('base64url')
    case 'twice as long':
      return mine() + mine()
  }
}

function hmac(key: string | Buffer, input: string): string {
  return createHmac('sha256', key).update(input).digest('base64url')
}

/** Other spellings of base64url, none of which a JWT may use. */
function spell(form: Forgery['form']): (part: string) => string {
  switch (form) {
    case 'padded':
      return (part) => `${part}=`
    case 'standard alphabet':
      return (part) => part.replaceAll('-', '+').replaceAll('_', '/')
    case 'spaces':
      return (part) => `${part.slice(0, 5)} ${part.slice(5)}`
    case 'line ends':
      return (part) => `${part}\r\n`
    default:
      return (part) => part
  }
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

function shaped(form: Forgery['form'], input: string, signature: string): string {
  const jwt = `${input}.${signature}`
  switch (form) {
    case 'other last bits': {
      const last = alphabet.indexOf(jwt.at(-1) ?? '')
      return jwt.slice(0, -1) + (alphabet[last ^ 1] ?? '')
    }
    case 'two parts':
      return input
    case 'four parts':
      return `${jwt}.${signature}`
    case 'five parts':
      return `${input}.${jwt}`
    case 'nested':
      return `${base64url('{"alg":"ES256","cty":"JWT"}')}.${base64url(jwt)}.${signature}`
    case 'empty':
      return ''
    case 'huge':
      return `${input}.${'A'.repeat(60_000)}`
    case 'JSON': {
      const [header = '', payload = ''] = input.split('.')
      return JSON.stringify({ payload, protected: header, signature })
    }
    case 'quotes':
      return `"${jwt}"`
    case 'other payload':
      return `${input}AA.${signature}`
    case 'NUL':
      return `${jwt}\0`
    default:
      return jwt
  }
}

/**
 * What RFC 7515 section 5.2 and RFC 7519 section 7.2 let a client read of a JWT that is to be signed
 * with ES256 by the key with the id `kid`: its claims; `undefined` if it is none. Not by the libraries
 * that the package uses.
 */
export function readJwt(
  jwt: string,
  key: KeyObject,
  kid: string,
): { header: Json; claims: Json } | undefined {
  const match = /^([\w-]+)\.([\w-]+)\.([\w-]+)$/.exec(jwt)
  if (match === null || jwt.endsWith('\n')) return undefined
  const [, head = '', payload = '', signature = ''] = match
  const header = readObject(head)
  const claims = readObject(payload)
  if (header === undefined || claims === undefined) return undefined
  if (header.alg !== 'ES256') return undefined
  if (Object.hasOwn(header, 'kid') && header.kid !== kid) return undefined
  // No extension is understood; b64 (RFC 7797) says so in crit.
  if (Object.hasOwn(header, 'crit')) return undefined
  const bytes = Buffer.from(signature, 'base64url')
  const options = { key, dsaEncoding: 'ieee-p1363' as const }
  if (bytes.length !== 64 || signature.length % 4 === 1) return undefined
  if (!verify('sha256', Buffer.from(`${head}.${payload}`), options, bytes)) return undefined
  return { header, claims }
}

type Json = Record<string, unknown>

/** UTF-8 of a JSON object, of whose members with one name the last counts. */
function readObject(part: string): Json | undefined {
  const bytes = Buffer.from(part, 'base64url')
  if (part.length % 4 === 1) return undefined
  const text = bytes.toString('utf8')
  if (!Buffer.from(text).equals(bytes)) return undefined
  try {
    const value: unknown = JSON.parse(text)
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    return isObject ? (value as Json) : undefined
  } catch {
    return undefined
  }
}
