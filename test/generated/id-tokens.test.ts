import { expect } from 'chai'
import { clock } from '../support/clock.ts'
import { json, startAnsweringServer, type AnsweringServer } from './answering-server.ts'
import { holdsForAll } from './generated.ts'
import { hurryKeyRefetches } from './key-refetches.ts'
import { openGoodServer, type GoodServer } from './good-server.ts'
import { forge, forgeries, readJwt, type Forgery } from './jwt-forgeries.ts'
import { clientSecret, startLightApp, type LightApp } from './light-app.ts'
import { createLoginLanes, type LoginLane } from './login-lanes.ts'
import type { Lanes } from './lanes.ts'
import { documentedError, expectHarmless, expectNoSecretIn, processStaysCalm } from './outcomes.ts'

const names = ['iss', 'sub', 'aud', 'exp', 'iat', 'nonce', 'azp', 'nbf', 'auth_time', 'at_hash']

/** `@` stands for what is right at that moment: the issuer, the nonce, seconds since the epoch. */
const texts = [
  ...['"@ISSUER"', '"@ISSUER/"', '["@ISSUER"]', '"https://evil.invalid"', '"test-client"'],
  ...['["test-client"]', '["test-client","other"]', '["other"]', '["test-client","test-client"]'],
  ...['["test-client",5]', '[["test-client"]]', '"Test-Client"', '"test-client "', '"@NONCE"'],
  ...['"@NONCE1"', '["@NONCE"]', '"bob"', '["alice"]', '5', '@NOW', '@PAST', '@FUTURE', '@SOON'],
  ...['"@NOW"', '"@FUTURE"', '@MILLISECONDS'],
]

describe('ID Tokens (OpenID Connect Core section 3.1.3.7)', () => {
  let server: AnsweringServer
  let good: GoodServer
  let app: LightApp
  let lanes: Lanes<LoginLane>
  let stopHurrying: () => void
  const idTokens = new Map<string, string>()

  before(async function () {
    this.timeout(20_000)
    clock.stop()
    server = await startAnsweringServer()
    good = openGoodServer(server)
    const { token } = good.answers
    // What is refused would be revoked: as many requests again, about tokens that are always the same.
    const metadata = json({ ...good.metadata, revocation_endpoint: undefined })
    good.answers['openid-configuration'] = () => metadata
    stopHurrying = hurryKeyRefetches(good)
    app = await startLightApp({ flow: { issuer: good.issuer } })
    lanes = await createLoginLanes(app)
    good.answers.token = (asked) => {
      const idToken = idTokens.get(new URLSearchParams(asked.body).get('code') ?? '')
      if (idToken === undefined) return token!(asked)
      const tokens = { access_token: accessToken, refresh_token: refreshToken }
      return json({ ...tokens, token_type: 'Bearer', expires_in: 3_600, id_token: idToken })
    }
  })

  after(async () => {
    stopHurrying()
    clock.release()
    await app.close()
    await server.close()
  })

  processStaysCalm()

  const accessToken = 'access-token-that-comes-with-a-forgery'
  const refreshToken = 'refresh-token-that-comes-with-a-forgery'

  function write(forgery: Forgery, { nonce }: LoginLane): string {
    const now = Math.floor(Date.now() / 1000)
    const claims = Object.entries({
      ...good.claims(nonce),
      azp: 'test-client',
      nbf: now - 5,
      at_hash: 'abc',
    }).map(([name, value]) => [name, JSON.stringify(value)] as const)
    const filled = forgery.claims.edits.map((edit) =>
      'text' in edit ? { ...edit, text: fill(edit.text, nonce, now) } : edit,
    )
    const header = [['alg', '"ES256"'] as const, ['kid', '"key-1"'] as const]
    const spoilt = { ...forgery, claims: { ...forgery.claims, edits: filled } }
    return forge(spoilt, claims, header, good.signer, clientSecret)
  }

  function fill(text: string, nonce: string, now: number): string {
    return text
      .replace('@ISSUER', good.issuer)
      .replace('@NONCE', nonce)
      .replace('@MILLISECONDS', String(now * 1000))
      .replace('@NOW', String(now))
      .replace('@PAST', String(now - 3_600))
      .replace('@SOON', String(now + 300))
      .replace('@FUTURE', String(now + 3_600))
  }

  /** The steps of the specification, and what is decided here where it leaves a choice. */
  function isValid(idToken: string, nonce: string): boolean {
    const { claims } = readJwt(idToken, good.signer.publicKey, 'key-1') ?? {}
    if (claims === undefined) return false
    const now = Date.now() / 1000
    const { iss, aud, azp, exp, nbf, iat, sub } = claims
    const audiences = Array.isArray(aud) ? (aud as unknown[]) : [aud]
    return (
      iss === good.issuer && // step 2
      audiences.every((each) => typeof each === 'string') && // RFC 7519 section 4.1.3
      audiences.includes('test-client') && // step 3
      (audiences.length === 1 || azp !== undefined) && // step 4
      (azp === undefined || azp === 'test-client') && // step 5
      typeof exp === 'number' &&
      exp > now - 30 && // step 9, with the tolerance for clocks
      (nbf === undefined || (typeof nbf === 'number' && nbf <= now + 30)) &&
      typeof iat === 'number' &&
      iat <= now + 600 && // step 10
      claims.nonce === nonce && // step 11
      typeof sub === 'string' &&
      sub !== ''
    )
  }

  async function holds(forgery: Forgery) {
    await lanes.use(async (lane, round) => {
      lane.rewind()
      const idToken = write(forgery, lane)
      const expected = isValid(idToken, lane.nonce)
      const code = `code-that-brings-a-forgery-${round}`
      idTokens.set(code, idToken)
      const outcome = await lane.answer({ code })
      idTokens.delete(code)
      const secrets = [...lane.secrets, accessToken, refreshToken, code, idToken].filter(Boolean)
      expectHarmless(outcome, secrets)
      expect(outcome.signedIn !== undefined, `accepted: ${idToken}`).to.equal(expected)
      if (expected) {
        expect([outcome.status, outcome.error]).to.deep.equal([302, undefined])
        const page = await app.ask(outcome.tab, '/')
        expect(JSON.parse(page.body)).to.include({ sub: outcome.signedIn?.claims?.sub })
      } else {
        const { code: said } = documentedError(outcome.error)
        const isMissing = said === 'invalid_server_response' && idToken === ''
        expect(said === 'id_token_invalid' || isMissing, said).to.equal(true)
        expectNoSecretIn(outcome.error, secrets)
        expect(lane.isAsBefore(outcome), 'who was signed in before').to.equal(true)
      }
      if (round % 20 === 0) await lane.expectUsualLogin()
    })
  }

  holdsForAll('signs in exactly those whose ID Token is valid', forgeries(names, texts), holds)
})
