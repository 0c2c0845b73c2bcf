import { constants, generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import { expect } from 'chai'
import { createLocalJWKSet, decodeJwt, jwtVerify, type JWK } from 'jose'
import { startApp, type RunningApp } from '../support/app.ts'
import { failLogin, home, logIn } from './attempt.ts'

/** How a key signs, as node:crypto wants it. */
interface Signing {
  hash: string | null
  options?: object
}

/** Two that take turns: making one takes a while. */
const rsaPairs = [2048, 2048].map((modulusLength) => generateKeyPairSync('rsa', { modulusLength }))
const rsa = () => rsaPairs.reverse()[0]!
const shortRsa = () => generateKeyPairSync('rsa', { modulusLength: 1024 })
const curve = (namedCurve: string) => () => generateKeyPairSync('ec', { namedCurve })
const ed25519 = () => generateKeyPairSync('ed25519')
const pss = (saltLength: number) => ({ padding: constants.RSA_PKCS1_PSS_PADDING, saltLength })
const ieee = { dsaEncoding: 'ieee-p1363' }

type Pair = () => { publicKey: KeyObject; privateKey: KeyObject }

const algorithms: [alg: string, pair: Pair, signing: Signing][] = [
  ['RS256', rsa, { hash: 'sha256' }],
  ['RS384', rsa, { hash: 'sha384' }],
  ['RS512', rsa, { hash: 'sha512' }],
  ['PS256', rsa, { hash: 'sha256', options: pss(32) }],
  ['PS384', rsa, { hash: 'sha384', options: pss(48) }],
  ['PS512', rsa, { hash: 'sha512', options: pss(64) }],
  ['ES256', curve('P-256'), { hash: 'sha256', options: ieee }],
  ['ES384', curve('P-384'), { hash: 'sha384', options: ieee }],
  ['ES512', curve('P-521'), { hash: 'sha512', options: ieee }],
  ['EdDSA', ed25519, { hash: null }],
  ['Ed25519', ed25519, { hash: null }],
]

/** The same, signed otherwise than `alg` says. */
const wrong: [what: string, alg: string, pair: Pair, signing: Signing][] = [
  ['an RSA key of 1024 bits', 'RS256', shortRsa, { hash: 'sha256' }],
  ['an RSA key of 1024 bits, PSS', 'PS256', shortRsa, { hash: 'sha256', options: pss(32) }],
  ['RS256 by another hash', 'RS256', rsa, { hash: 'sha512' }],
  ['RS256 by PSS', 'RS256', rsa, { hash: 'sha256', options: pss(32) }],
  ['PS256 by PKCS #1 1.5', 'PS256', rsa, { hash: 'sha256' }],
  ['PS256 with a salt of another length', 'PS256', rsa, { hash: 'sha256', options: pss(20) }],
  ['ES256 in DER', 'ES256', curve('P-256'), { hash: 'sha256' }],
  ['ES256 by another curve', 'ES256', curve('P-384'), { hash: 'sha256', options: ieee }],
  ['ES256K', 'ES256K', curve('secp256k1'), { hash: 'sha256', options: ieee }],
  ['RS1', 'RS1', rsa, { hash: 'sha1' }],
]

const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')

describe('signatures of JWTs (RFC 7515 section 5.2, RFC 7518 section 3, RFC 8037)', () => {
  let app: RunningApp

  beforeEach(async () => {
    // A server that does not say what it signs by.
    const metadata = { id_token_signing_alg_values_supported: undefined }
    app = await startApp({ serverOptions: { metadata } })
  })
  afterEach(() => app.close())

  /** From now on ID Tokens are signed so; what was sent and published last. */
  function signBy(
    alg: string,
    { publicKey, privateKey }: ReturnType<Pair>,
    signing: Signing,
    spell = (part: string, _name: 'header' | 'payload' | 'signature') => part,
  ) {
    const keys: JWK[] = [publicKey.export({ format: 'jwk' })]
    const sent = { idToken: '', keys }
    app.server.misbehave('jwks', { keySet: () => ({ keys }) })
    app.server.misbehave('token', {
      tokenResponse(all) {
        const payload = encode(decodeJwt(String(all.id_token)))
        const input = `${spell(encode({ alg }), 'header')}.${spell(payload, 'payload')}`
        const key = { key: privateKey, ...signing.options }
        const signature = sign(signing.hash, Buffer.from(input), key).toString('base64url')
        sent.idToken = `${input}.${spell(signature, 'signature')}`
        return { ...all, id_token: sent.idToken }
      },
    })
    return sent
  }

  for (const [alg, pair, signing] of algorithms)
    it(`${alg}: is accepted, as jose does`, async () => {
      const sent = signBy(alg, pair(), signing)
      expect((await home(app, await logIn(app))).sub).to.equal('alice')
      await jwtVerify(sent.idToken, createLocalJWKSet({ keys: sent.keys }))
    })

  for (const [alg, pair, signing] of algorithms)
    it(`${alg}: by another key is refused`, async () => {
      const sent = signBy(alg, pair(), signing)
      sent.keys.splice(0, 1, pair().publicKey.export({ format: 'jwk' }) as JWK)
      await failLogin(app, 'id_token_invalid')
    })

  async function refuseAsJoseDoes(sent: ReturnType<typeof signBy>) {
    await failLogin(app, 'id_token_invalid')
    const judged = jwtVerify(sent.idToken, createLocalJWKSet({ keys: sent.keys }))
    expect(
      await judged.then(
        () => 'accepted',
        () => 'refused',
      ),
    ).to.equal('refused')
  }

  for (const [what, alg, pair, signing] of wrong)
    it(`${what} is refused, as jose does`, () => refuseAsJoseDoes(signBy(alg, pair(), signing)))

  // RFC 4648 section 4: the last quantum has two characters at least. Decoders pass over one alone.
  for (const part of ['header', 'payload', 'signature'] as const)
    it(`a ${part} of a length that no base64url has is refused, as jose does`, () => {
      const overlong = (text: string, name: string) => {
        if (name !== part) return text
        const bytes = Buffer.from(text, 'base64url').toString('latin1')
        const whole = bytes.padEnd(3 * Math.ceil(bytes.length / 3))
        return `${Buffer.from(whole, 'latin1').toString('base64url')}A`
      }
      return refuseAsJoseDoes(
        signBy('ES384', curve('P-384')(), { hash: 'sha384', options: ieee }, overlong),
      )
    })
})
