import type { Fault, IdTokenFault, JsonObject } from '../faults.ts'
import { named, type NamedMisbehaviour } from './named-misbehaviour.ts'

type Outcome = NamedMisbehaviour['outcome']

const spoilt = (
  summary: string,
  idToken: IdTokenFault,
  outcome: Outcome = 'id_token_invalid',
): NamedMisbehaviour => named('login', outcome, `The ID Token ${summary}.`, 'token', { idToken })

const claiming = (
  summary: string,
  members: (usual: JsonObject) => JsonObject,
  outcome?: Outcome,
): NamedMisbehaviour =>
  spoilt(summary, { claims: (usual) => ({ ...usual, ...members(usual) }) }, outcome)

/** Seconds from when the token was made. */
const moved =
  (name: string, seconds: number) =>
  ({ iat }: JsonObject): JsonObject => ({ [name]: Number(iat) + seconds })

const year = 365 * 24 * 3_600

/** What can be wrong with an ID Token. */
export const idTokens = {
  'id-token-alg-none': spoilt('is unsigned, `alg: none`', { sign: 'none' }),
  'id-token-wrong-key': spoilt('has the key id of a published key, and the signature of another', {
    sign: 'wrong-key',
  }),
  'id-token-hs256': spoilt('is signed by the client secret', { sign: 'HS256' }),
  'id-token-without-kid': spoilt('has no key id', { sign: 'no-kid' }, 'accepted'),
  'id-token-wrong-signature': named(
    'login',
    'id_token_invalid',
    'The ID Token was changed after it was signed.',
    'token',
    {
      tokenResponse(usual) {
        const [header, payload = '', signature] = String(usual.id_token).split('.')
        const claims = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as JsonObject
        const changed = Buffer.from(JSON.stringify({ ...claims, sub: 'mallory' }))
        return { ...usual, id_token: [header, changed.toString('base64url'), signature].join('.') }
      },
    },
  ),
  'id-token-no-jwt': named('login', 'id_token_invalid', 'The ID Token is no JWT.', 'token', {
    tokenResponse: (usual) => ({ ...usual, id_token: 'a.b.c' }),
  }),
  'id-token-wrong-iss': claiming('has another `iss`', () => ({ iss: 'https://other.example' })),
  'id-token-wrong-aud': claiming('has another `aud`', () => ({ aud: 'another-client' })),
  'id-token-several-aud': claiming('has a second `aud` and no `azp`', ({ aud }) => ({
    aud: [aud, 'another-client'],
  })),
  'id-token-wrong-azp': claiming('has another `azp`', () => ({ azp: 'another-client' })),
  'id-token-wrong-nonce': claiming('has another `nonce`', () => ({ nonce: 'another' })),
  'id-token-without-nonce': claiming('has no `nonce`', () => ({ nonce: undefined })),
  'id-token-without-sub': claiming('has no `sub`', () => ({ sub: undefined })),
  'id-token-without-exp': claiming('has no `exp`', () => ({ exp: undefined })),
  'id-token-without-iat': claiming('has no `iat`', () => ({ iat: undefined })),
  'id-token-expired': claiming('expired an hour ago', moved('exp', -3_600)),
  'id-token-clock-behind': claiming('expired 25 seconds ago', moved('exp', -25), 'accepted'),
  'id-token-clock-far-behind': claiming('expired 45 seconds ago', moved('exp', -45)),
  'id-token-from-the-future': claiming('was made in an hour', moved('iat', 3_600)),
  'id-token-old': claiming('was made a year ago', moved('iat', -year), 'accepted'),
} as const satisfies Record<string, NamedMisbehaviour>

const keys = (summary: string, outcome: Outcome, fault: Fault<'jwks'>): NamedMisbehaviour =>
  named('login', outcome, summary, 'jwks', fault)

/** What can be wrong with keys, metadata and userinfo. */
export const documents = {
  'keys-rotated': named(
    'login',
    'accepted',
    'The keys are replaced just before the ID Token is signed.',
    'token',
    { rotateKeys: {} },
  ),
  'keys-rotated-under-old-ids': named(
    'login',
    'accepted',
    'The keys are replaced just before the ID Token is signed, and keep their key ids.',
    'token',
    { rotateKeys: { keepKid: true } },
  ),
  'jwks-empty': keys('The key set is empty.', 'id_token_invalid', { keySet: () => ({ keys: [] }) }),
  'jwks-no-key-set': keys('The key set is none.', 'invalid_server_response', {
    keySet: () => ({ keys: 7 }),
  }),
  'discovery-wrong-issuer': named(
    'login',
    'invalid_server_response',
    'The metadata are those of another issuer.',
    'discovery',
    { metadata: (usual) => ({ ...usual, issuer: 'https://other.example' }) },
  ),
  'discovery-empty': named(
    'login',
    'invalid_server_response',
    'The metadata are an empty object.',
    'discovery',
    { metadata: () => ({}) },
  ),
  'userinfo-unauthorized': named(
    'userinfo',
    'reauthorization_required',
    'The userinfo endpoint says that the token is invalid.',
    'userinfo',
    { answer: { status: 401, headers: { 'www-authenticate': 'Bearer error="invalid_token"' } } },
  ),
  'userinfo-forbidden': named(
    'userinfo',
    'invalid_server_response',
    'The userinfo endpoint answers 403.',
    'userinfo',
    { answer: { status: 403, json: { error: 'forbidden' } } },
  ),
  'userinfo-other-sub': named(
    'userinfo',
    'invalid_server_response',
    'The userinfo response is about somebody else.',
    'userinfo',
    { userinfo: (usual) => ({ ...usual, sub: `not-${String(usual.sub)}` }) },
  ),
  'userinfo-without-sub': named(
    'userinfo',
    'invalid_server_response',
    'The userinfo response does not say whom it is about.',
    'userinfo',
    { userinfo: (usual) => ({ ...usual, sub: undefined }) },
  ),
} as const satisfies Record<string, NamedMisbehaviour>
