import { expect } from 'chai'
import fc from 'fast-check'
import { clock } from '../support/clock.ts'
import { startAnsweringServer, type AnsweringServer, type Sent } from './answering-server.ts'
import {
  deliveriesOf,
  edited,
  objectIn,
  send,
  spoilings,
  textOf,
  type Spoiling,
} from './documents.ts'
import { holdsForAll } from './generated.ts'
import { hurryKeyRefetches } from './key-refetches.ts'
import { openGoodServer, type GoodServer } from './good-server.ts'
import { startLightApp, type LightApp } from './light-app.ts'
import { documentedError, expectHarmless, expectNoSecretIn, processStaysCalm } from './outcomes.ts'
import { createSignedIn, type SignedIn } from './signed-in-lanes.ts'

interface Case {
  spoiling: Spoiling
  /** Whose ID Token comes along, if any. */
  idToken: 'none' | 'of the same person' | 'of another person' | 'of another client' | 'unsigned'
}

const names = ['access_token', 'token_type', 'expires_in', 'refresh_token', 'scope', 'id_token']
const texts = [
  ...['"Bearer"', '"DPoP"', '"mac"', '"3600"', '3600', '60', '"openid"', '"a b"', '"a\\nb"'],
  ...['"invalid_grant"', '"invalid_client"', '"temporarily_unavailable"', '"a.b.c"', '"unheard"'],
]

const cases: fc.Arbitrary<Case> = fc.record({
  spoiling: spoilings([...names, 'error'], texts, deliveriesOf({})),
  idToken: fc.constantFrom(
    ...['none', 'none', 'of the same person', 'of another person', 'of another client'],
    'unsigned',
  ) as fc.Arbitrary<Case['idToken']>,
})

describe('token endpoint responses to a refresh token', () => {
  let server: AnsweringServer
  let good: GoodServer
  let app: LightApp
  let signedIn: () => SignedIn
  let count = 0
  let stopHurrying: () => void
  const answers = new Map<string, Sent>()

  before(async () => {
    clock.stop()
    server = await startAnsweringServer()
    good = openGoodServer(server)
    const { token } = good.answers
    stopHurrying = hurryKeyRefetches(good)
    good.answers.token = (asked) => {
      const sent = new URLSearchParams(asked.body).get('refresh_token') ?? ''
      return answers.get(sent) ?? token!(asked)
    }
    app = await startLightApp({ flow: { issuer: good.issuer } })
    signedIn = await createSignedIn(app, (tokens) => {
      // Expired, a minute after it came.
      tokens.expiresAt = Date.now() - 1_000
      tokens.issuedAt = Date.now() - 61_000
      tokens.refreshToken = refreshTokenBefore
    })
  })

  after(async () => {
    stopHurrying()
    clock.release()
    await app.close()
    await server.close()
  })

  processStaysCalm()

  const refreshTokenBefore = 'refresh-token-from-before-it-all'

  async function holds({ spoiling, idToken: whose }: Case) {
    const mine = (count += 1)
    const person = signedIn()
    // Each case has a refresh token of its own to be told by.
    const before = `${refreshTokenBefore}-${mine}`
    renameRefreshToken(person, before)
    const access = `access-token-of-a-refresh-${mine}`
    const refresh = `refresh-token-of-a-refresh-${mine}`
    const idToken = idTokenOf(whose)
    const sent = write(spoiling, { access, refresh, idToken })
    answers.set(before, sent)
    const outcome = await app.ask(person.tab, '/token')
    answers.delete(before)

    const secrets = [...person.secrets, before, access, refresh, idToken].filter(Boolean)
    const expected = expectedOf(sent, whose, idToken)
    const what = JSON.stringify([sent, whose]).slice(0, 600)
    // Asked again, when the clock moved on: the next refresh brings what can be used.
    const isRenewed = /"token":"good-access-token/.test(outcome.body)
    if (expected === 'either' || (expected === 'stillborn' && isRenewed)) return
    if (typeof expected === 'object') {
      expect([outcome.status, outcome.error], what).to.deep.equal([200, undefined])
      expect(JSON.parse(outcome.body)).to.include({ token: expected.token })
    } else {
      expectHarmless(outcome, secrets)
      expect(outcome.error, `${what} ${outcome.status} ${outcome.body}`).to.be.instanceOf(Error)
      const { code, status } = documentedError(outcome.error)
      const isStillborn = expected === 'stillborn'
      expect(code, what).to.equal(isStillborn ? 'server_unavailable' : expected)
      expectNoSecretIn(outcome.error, secrets)
      const { retryAfter } = outcome.error as { retryAfter?: unknown }
      if (status === 503) expect(retryAfter, what).to.be.within(1, 3_600)
      const { tokens } = person.record() ?? {}
      // A failure that may pass keeps the tokens (P10), a definitive one ends them and no more.
      expect(tokens === undefined, what).to.equal(status === 401)
    }
    expect(person.isUntouched(), what).to.equal(true)
    if (mine % 10 === 0) {
      const page = await app.ask(person.tab, '/')
      expect(JSON.parse(page.body), what).to.include({ sub: 'alice', signedIn: true })
    }
    if (mine % 20 === 0) await expectUsualRefresh()
  }

  function renameRefreshToken(person: SignedIn, name: string) {
    const [key, text] = [...app.store.store].findLast(([each]) => each.startsWith('tr.'))!
    expect(person.record()).to.be.an('object')
    app.store.put(key, text.replaceAll(refreshTokenBefore, name))
  }

  async function expectUsualRefresh() {
    const { status, body } = await app.ask(signedIn().tab, '/token')
    expect(status, body).to.equal(200)
    expect(JSON.parse(body))
      .to.have.property('token')
      .that.matches(/^good-access-token/)
  }

  function idTokenOf(whose: Case['idToken']): string {
    const claims = good.claims()
    switch (whose) {
      case 'none':
        return ''
      case 'of the same person':
        return good.idToken({ ...claims, auth_time: undefined })
      case 'of another person':
        return good.idToken({ ...claims, sub: 'bob', auth_time: undefined })
      case 'of another client':
        return good.idToken({ ...claims, aud: 'other', auth_time: undefined })
      case 'unsigned':
        return good.idToken({ ...claims, auth_time: undefined }).replace(/\.[^.]*$/, '.AAAA')
    }
  }

  holdsForAll('keep what may still be good, end what is not, and the session stays', cases, holds)
})

interface Issued {
  access: string
  refresh: string
  idToken: string
}

function write({ edits, delivery }: Spoiling, { access, refresh, idToken }: Issued): Sent {
  const members = Object.entries({
    access_token: access,
    token_type: 'Bearer',
    expires_in: 3_600,
    refresh_token: refresh,
    scope: 'openid',
    ...(idToken !== '' && { id_token: idToken }),
  }).map(([name, value]) => [name, JSON.stringify(value)] as const)
  return send(textOf(edited(members, edits)), delivery)
}

/**
 * RFC 6749 sections 5 and 6, OpenID Connect Core section 12.2, and what is decided here: tokens that
 * have expired when they come are of no use, and neither is another login.
 */
function expectedOf(
  sent: Sent,
  whose: Case['idToken'],
  idToken: string,
): { token: string } | 'reauthorization_required' | 'server_unavailable' | 'stillborn' | 'either' {
  const { status } = sent
  if (sent.body.length > 2 ** 20 || status === 429 || status >= 500) return 'server_unavailable'
  const members = objectIn(sent) ?? {}
  const error = typeof members.error === 'string' ? members.error : undefined
  if (status !== 200 || error !== undefined) {
    const isFinal = error === 'invalid_grant' || ((error ?? '') === '' && status === 400)
    return isFinal ? 'reauthorization_required' : 'server_unavailable'
  }
  const token = members.access_token
  if (typeof token !== 'string' || !/^[ -~]+$/.test(token)) return 'server_unavailable'
  const type = members.token_type
  if (typeof type === 'string' && type.toLowerCase() !== 'bearer') return 'reauthorization_required'
  const issued = members.id_token
  if (typeof issued === 'string' && issued !== '') {
    const isGood = issued === idToken && whose === 'of the same person'
    if (!isGood) return 'reauthorization_required'
  }
  const seconds = secondsIn(members.expires_in)
  if (seconds === undefined || seconds >= 60) return { token }
  // The clock moves on while cases run: what lives for less may have ended by then.
  return seconds === 0 ? 'stillborn' : 'either'
}

function secondsIn(expiresIn: unknown): number | undefined {
  const isText = typeof expiresIn === 'string' && /^\d+(\.\d+)?$/.test(expiresIn)
  const seconds = isText ? Number(expiresIn) : expiresIn
  return typeof seconds === 'number' && seconds >= 0 ? seconds : undefined
}
