import { expect } from 'chai'
import { clock } from '../support/clock.ts'
import { startAnsweringServer, type AnsweringServer } from './answering-server.ts'
import { holdsForAll } from './generated.ts'
import { codeFor, openGoodServer, type GoodServer } from './good-server.ts'
import { forge, forgeries, readJwt, type Forgery } from './jwt-forgeries.ts'
import { clientSecret, startLightApp, startLogin, type LightApp } from './light-app.ts'
import { expectHarmless, processStaysCalm } from './outcomes.ts'
import { openTab, type Tab } from './tab.ts'

const event = 'http://schemas.openid.net/event/backchannel-logout'
const names = ['iss', 'aud', 'iat', 'exp', 'jti', 'events', 'sub', 'sid', 'nbf']
const texts = [
  ...['"@ISSUER"', '"@ISSUER/"', '"https://evil.invalid"', '["test-client"]', '["other","a"]'],
  ...['["other","test-client"]', '"other"', '@NOW', '@PAST', '@FUTURE', '@LITTLE-FUTURE', '"@NOW"'],
  ...[`{"${event}":{}}`, `{"${event}":null}`, `{"${event}":[]}`, `{"${event}":{"a":1}}`],
  ...[`{"other":{}}`, `{"__proto__":{"${event}":{}}}`, `["${event}"]`, `"${event}"`],
]

describe('logout tokens (OpenID Connect Back-Channel Logout 1.0 section 2.6)', () => {
  let server: AnsweringServer
  let good: GoodServer
  let app: LightApp
  let signedIn: Tab
  let count = 0

  before(async () => {
    clock.stop()
    server = await startAnsweringServer()
    good = openGoodServer(server)
    app = await startLightApp({
      flow: { issuer: good.issuer, routes: { backchannelLogout: '/backchannel' } },
    })
    const { tab, nonce, state } = await startLogin(app)
    signedIn = tab
    await app.ask(tab, `/callback?code=${codeFor(nonce)}&state=${state}`)
  })

  after(async () => {
    clock.release()
    await app.close()
    await server.close()
  })

  processStaysCalm()

  function write(forgery: Forgery, person: string): string {
    const now = Math.floor(Date.now() / 1000)
    const claims = Object.entries({
      ...{ iss: good.issuer, aud: 'test-client', iat: now, exp: now + 120, jti: `id-${person}` },
      ...{ events: { [event]: {} }, sub: person, sid: `session-of-${person}`, nbf: now },
    }).map(([name, value]) => [name, JSON.stringify(value)] as const)
    const fill = (text: string) =>
      text
        .replace('@ISSUER', good.issuer)
        .replace('@NOW', String(now))
        .replace('@PAST', String(now - 3_600))
        .replace('@LITTLE-FUTURE', String(now + 20))
        .replace('@FUTURE', String(now + 3_600))
    const edits = forgery.claims.edits.map((edit) =>
      'text' in edit ? { ...edit, text: fill(edit.text) } : edit,
    )
    const header = Object.entries({ alg: 'ES256', kid: 'key-1', typ: 'logout+jwt' })
    return forge(
      { ...forgery, claims: { ...forgery.claims, edits } },
      claims,
      header.map(([name, value]) => [name, JSON.stringify(value)] as const),
      good.signer,
      clientSecret,
    )
  }

  /** The steps of the specification, and what is decided here where it leaves a choice. */
  function isValid(logoutToken: string): boolean {
    const { header, claims } = readJwt(logoutToken, good.signer.publicKey, 'key-1') ?? {}
    if (header === undefined || claims === undefined) return false
    const now = Date.now() / 1000
    const { typ = 'JWT' } = header
    const { iss, aud, iat, exp, nbf, jti, events, sub, sid } = claims
    const audiences = Array.isArray(aud) ? (aud as unknown[]) : [aud]
    const ended = isObject(events) && Object.hasOwn(events, event) ? events[event] : undefined
    const isText = (value: unknown) => typeof value === 'string' && value !== ''
    return (
      typeof typ === 'string' &&
      /^(application\/)?(logout\+jwt|jwt)$/i.test(typ) && // section 2.4
      iss === good.issuer &&
      audiences.every((each) => typeof each === 'string') &&
      audiences.includes('test-client') &&
      typeof iat === 'number' &&
      Number.isFinite(iat) &&
      iat <= now + 30 &&
      // Without one, which the specification asks for, a token ends with its age.
      (exp === undefined ? iat >= now - 630 : typeof exp === 'number' && exp > now - 30) &&
      (nbf === undefined || (typeof nbf === 'number' && nbf <= now + 30)) &&
      (sub !== undefined || sid !== undefined) && // step 4
      [sub, sid].every((each) => each === undefined || isText(each)) &&
      isObject(ended) && // step 5
      !Object.hasOwn(claims, 'nonce') && // step 6
      isText(jti)
    )
  }

  async function holds(forgery: Forgery) {
    clock.advance(1_100)
    const mine = (count += 1)
    const logoutToken = write(forgery, `person-${mine}`)
    const form = new URLSearchParams({ logout_token: logoutToken }).toString()
    const outcome = await app.ask(openTab(app.port), '/backchannel', {}, form)
    const expected = isValid(logoutToken) ? 200 : form.length > 65_536 ? 413 : 400
    expect(outcome.status, logoutToken).to.equal(expected)
    expect(outcome.error).to.equal(undefined)
    expect(outcome.headers).to.include({ 'cache-control': 'no-store' })
    expect(outcome.headers).not.to.have.property('set-cookie')
    expectHarmless(outcome, [clientSecret, logoutToken])
    if (mine % 20 !== 0) return
    const { body } = await app.ask(signedIn, '/')
    expect(JSON.parse(body), 'somebody whom no token was about').to.include({ sub: 'alice' })
  }

  holdsForAll('takes exactly those that are valid', forgeries([...names, 'nonce'], texts), holds)
})

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
