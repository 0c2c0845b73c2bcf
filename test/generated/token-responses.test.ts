import { expect } from 'chai'
import fc from 'fast-check'
import { clock } from '../support/clock.ts'
import {
  startAnsweringServer,
  type AnsweringServer,
  type Asked,
  type Sent,
} from './answering-server.ts'
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
import { openGoodServer, type GoodServer } from './good-server.ts'
import { startLightApp, type LightApp } from './light-app.ts'
import { createLoginLanes, type LoginLane } from './login-lanes.ts'
import type { Lanes } from './lanes.ts'
import { documentedError, expectHarmless, expectNoSecretIn, processStaysCalm } from './outcomes.ts'

/** A token endpoint response, in one of the dialects that presets describe. */
interface Case {
  dialect: number
  spoiling: Spoiling
  /** As a form, which the dialect may know. */
  isForm: boolean
}

/** Dialects by what they have, as in the presets. */
const dialects: readonly {
  dialect: Readonly<Record<string, unknown>>
  isOpenId: boolean
}[] = [
  { dialect: {}, isOpenId: true },
  { dialect: {}, isOpenId: false },
  {
    dialect: {
      formResponses: true,
      grantedScope: { form: 'commas' },
      refusals: { error: { bad_verification_code: 'invalid_grant' } },
    },
    isOpenId: false,
  },
  {
    dialect: {
      jsonRequests: true,
      grantedScope: { form: 'array' },
      refusals: { message: { 'Invalid code*': 'invalid_grant' } },
      tokenTypes: ['user'],
    },
    isOpenId: false,
  },
]

const names = [
  ...['access_token', 'token_type', 'expires_in', 'refresh_token', 'scope', 'id_token', 'error'],
  ...['error_description', 'message', 'refresh_expires_in'],
]

const texts = [
  ...['"Bearer"', '"bearer"', '"BEARER"', '"DPoP"', '"mac"', '"user"', '"3600"', '3600', '"1e3"'],
  ...['"openid"', '"openid profile"', '["openid","a"]', '"a,b"', '"invalid_grant"', '"a b\\tc"'],
  ...['"invalid_client"', '"invalid_request"', '"temporarily_unavailable"', '"server_error"'],
  ...['"bad_verification_code"', '"Invalid code: abc"', '"@ACCESS"', '"@REFRESH"', '"a.b.c"'],
  ...['"short"', '"with space"', '"a\\nb"', '"é"'],
]

const cases: fc.Arbitrary<Case> = fc.record({
  dialect: fc.constantFrom(0, 0, 0, 1, 2, 3),
  spoiling: spoilings(
    names,
    texts,
    deliveriesOf({ headers: [{ 'www-authenticate': 'Bearer error="invalid_token"' }] }),
  ),
  isForm: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, fc.boolean()),
})

describe('token endpoint responses to a code', () => {
  let server: AnsweringServer
  let good: GoodServer
  const worlds: { app: LightApp; lanes: Lanes<LoginLane> }[] = []
  const answers = new Map<string, Sent>()

  before(async function () {
    this.timeout(30_000)
    clock.stop()
    server = await startAnsweringServer()
    good = openGoodServer(server)
    const { token } = good.answers
    good.answers.token = (asked) => answers.get(codeIn(asked)) ?? token!(asked)
    for (const { dialect, isOpenId } of dialects) {
      const app = await startLightApp({
        flow: {
          server: { ...good.metadata, preset: 'generated', dialect },
          scope: isOpenId ? 'openid' : 'read',
        },
      })
      worlds.push({ app, lanes: await createLoginLanes(app) })
    }
  })

  after(async () => {
    clock.release()
    for (const { app } of worlds) await app.close()
    await server.close()
  })

  processStaysCalm()

  async function holds({ dialect: index, spoiling, isForm }: Case) {
    const { app, lanes } = worlds[index]!
    await lanes.use(async (lane, round) => {
      lane.rewind()
      const code = `code-of-a-generated-case-${index}-${round}`
      const access = `access-token-of-a-generated-case-${index}-${round}`
      const refresh = `refresh-token-of-a-generated-case-${index}-${round}`
      const idToken = good.idToken(good.claims(lane.nonce))
      const sent = write(spoiling, isForm, { access, refresh, idToken })
      answers.set(code, sent)
      const outcome = await lane.answer({ code })
      answers.delete(code)

      const secrets = [...lane.secrets, code, access, refresh, idToken]
      const { isOpenId } = dialects[index]!
      const expected = expectedOf(sent, index, isOpenId, idToken)
      expectHarmless(outcome, secrets)
      if (typeof expected === 'object') {
        expect([outcome.status, outcome.error]).to.deep.equal([302, undefined])
        expect(outcome.signedIn?.accessToken).to.equal(expected.token)
      } else {
        const { code: said } = documentedError(outcome.error)
        expect(said, JSON.stringify(sent).slice(0, 500)).to.equal(expected)
        expectNoSecretIn(outcome.error, secrets)
        expect(outcome.signedIn).to.equal(undefined)
        expect(lane.isAsBefore(outcome), 'who was signed in before').to.equal(true)
      }
      if (round % 20 === 0) {
        const { sub } = await usualLogin(app, lane)
        expect(sub).to.equal(isOpenId ? 'alice' : null)
      }
    })
  }

  async function usualLogin(app: LightApp, lane: LoginLane) {
    lane.rewind()
    const { status, tab } = await lane.answer({ code: `code-${lane.nonce}.alice` })
    expect(status).to.equal(302)
    return JSON.parse((await app.ask(tab, '/')).body) as { sub: unknown }
  }

  holdsForAll('sign in exactly those whom they bring a usable token', cases, holds)
})

function codeIn({ body }: Asked): string {
  const text = body.startsWith('{')
    ? (JSON.parse(body) as { code?: unknown }).code
    : new URLSearchParams(body).get('code')
  return typeof text === 'string' ? text : ''
}

interface Issued {
  access: string
  refresh: string
  idToken: string
}

function write({ edits, delivery }: Spoiling, isForm: boolean, issued: Issued): Sent {
  const members = Object.entries({
    access_token: issued.access,
    token_type: 'Bearer',
    expires_in: 3_600,
    refresh_token: issued.refresh,
    scope: 'openid',
    id_token: issued.idToken,
  }).map(([name, value]) => [name, JSON.stringify(value)] as const)
  const filled = edits.map((edit) =>
    'text' in edit
      ? {
          ...edit,
          text: edit.text.replace('@ACCESS', issued.access).replace('@REFRESH', issued.refresh),
        }
      : edit,
  )
  const all = edited(members, filled)
  if (!isForm) return send(textOf(all), delivery)
  const form = new URLSearchParams(
    all.map(([name, text]): [string, string] => [name, text.replace(/^"|"$/g, '')]),
  )
  const type = { 'content-type': 'application/x-www-form-urlencoded' }
  return { status: delivery.status, headers: type, body: form.toString() }
}

/**
 * RFC 6749 sections 5.1 and 5.2, and what is decided here: the code is spent, so a usable access token
 * is not thrown away because of a member that need not be there.
 */
function expectedOf(
  sent: Sent,
  index: number,
  isOpenId: boolean,
  idToken: string,
): { token: string } | string {
  const { status } = sent
  if (sent.body.length > 2 ** 20) return 'invalid_server_response'
  if (status === 429 || status >= 500) return 'server_unavailable'
  const isForm = index === 2 && /^application\/x-www-form/.test(sent.headers['content-type'] ?? '')
  const members =
    objectIn(sent) ??
    (isForm ? Object.fromEntries(new URLSearchParams(sent.body.toString())) : undefined)
  const error = members && errorIn(members, index)
  if (status !== 200 || error !== undefined) return refusal(status, error)
  const token = members?.access_token
  if (typeof token !== 'string' || !/^[ -~]+$/.test(token)) return 'invalid_server_response'
  const type = members?.token_type
  const known = index === 3 ? ['bearer', 'user'] : ['bearer']
  if (typeof type === 'string' && !known.includes(type.toLowerCase()))
    return 'invalid_server_response'
  if (!isOpenId) return { token }
  if (typeof members?.id_token !== 'string') return 'invalid_server_response'
  return members.id_token === idToken ? { token } : 'id_token_invalid'
}

function errorIn({ error, message }: Record<string, unknown>, index: number): string | undefined {
  if (index === 2 && error === 'bad_verification_code') return 'invalid_grant'
  if (index === 3 && typeof message === 'string' && message.startsWith('Invalid code'))
    return 'invalid_grant'
  return typeof error === 'string' ? error : undefined
}

function refusal(status: number, error: string | undefined): string {
  const ours = ['invalid_client', 'invalid_request', 'invalid_scope', 'unauthorized_client']
  if (error !== undefined && [...ours, 'unsupported_grant_type'].includes(error))
    return 'client_rejected'
  if (status === 401 && error !== 'invalid_grant') return 'client_rejected'
  return status === 400 || error !== undefined ? 'code_rejected' : 'invalid_server_response'
}
