import http from 'node:http'
import { expect } from 'chai'
import fc from 'fast-check'
import { pkceFlow, type PkceFlowOptions } from '../../src/index.ts'
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
import { openGoodServer } from './good-server.ts'
import { clientSecret, startLightApp } from './light-app.ts'
import { createSigner } from './signer.ts'
import { openTab } from './tab.ts'
import {
  documentedError,
  expectHarmless,
  expectNoSecretIn,
  markup,
  processStaysCalm,
} from './outcomes.ts'

const names = [
  ...['issuer', 'authorization_endpoint', 'token_endpoint', 'jwks_uri', 'userinfo_endpoint'],
  ...['revocation_endpoint', 'code_challenge_methods_supported', 'end_session_endpoint'],
  ...['id_token_signing_alg_values_supported', 'require_pushed_authorization_requests'],
  ...['pushed_authorization_request_endpoint', 'authorization_response_iss_parameter_supported'],
]

const texts = [
  ...['"@ISSUER"', '"@ISSUER/"', '"@ISSUER/other"', '"@ISSUER/#"', '"@ISSUER/a#b"', '"@ORIGIN"'],
  ...['"@ISSUER/a?b=c&client_id=evil"', '["@ISSUER"]', '{"href":"@ISSUER"}', '"@ISSUER/."'],
  ...['"http://evil.invalid/"', '"https://evil.invalid/"', '"https://a:b@evil.invalid/"', '"//a"'],
  ...['"javascript:alert(1)"', '"data:,a"', '"file:///etc/passwd"', '"http://[::1]:1/"', '"a b"'],
  ...['"http://127.0.0.1.evil.invalid/"', '"http://localhost.evil.invalid/"', '"https://"'],
  ...['"HTTP://LOCALHOST:1/a"', '"http://2130706433:1/"', '["S256"]', '["plain"]', '"S256"'],
  ...['["plain","S256"]', '["none","HS256"]', '"/relative"', '"https://evil.invalid:99999/"'],
  JSON.stringify(`https://evil.invalid/${markup}`),
  JSON.stringify('https://evil.invalid/\r\nX-Injected: a'),
]

const cases: fc.Arbitrary<Spoiling> = spoilings(
  names,
  texts,
  deliveriesOf({ statuses: [404, 405], headers: [{ location: '@ISSUER/elsewhere' }] }),
)

describe('metadata (OpenID Connect Discovery 1.0, RFC 8414)', () => {
  let server: AnsweringServer
  let agent: http.Agent
  let count = 0

  before(async () => {
    clock.stop()
    server = await startAnsweringServer()
    agent = new http.Agent({ keepAlive: true, maxSockets: 40 })
  })

  after(async () => {
    clock.release()
    agent.destroy()
    await server.close()
  })

  processStaysCalm()

  async function holds({ edits, delivery }: Spoiling) {
    const mine = (count += 1)
    const good = openGoodServer(server, signer)
    const options = { issuer: good.issuer, clientSecret, agent }
    const fill = (text: string) =>
      text.replaceAll('@ISSUER', good.issuer).replaceAll('@ORIGIN', server.origin)
    const members = Object.entries(good.metadata).map(
      ([name, value]) => [name, JSON.stringify(value)] as const,
    )
    const filled = edits.map((edit) => ('text' in edit ? { ...edit, text: fill(edit.text) } : edit))
    const { location } = delivery.headers
    const headers = { ...delivery.headers, ...(location && { location: fill(location) }) }
    const sent = send(textOf(edited(members, filled)), { ...delivery, headers })
    const well = good.answers['openid-configuration']!
    const spoil = (answer: () => Sent) => {
      good.answers['openid-configuration'] = answer
      good.answers['oauth-authorization-server'] = answer
    }
    spoil(() => sent)

    // Most failures look the same by whichever way they are met; some cases take the browser's.
    const expected = expectedOf(sent, good.issuer)
    const what = `${good.issuer} ${JSON.stringify(sent).slice(0, 1_500)}`
    if (typeof expected === 'object' || mine % 20 === 0) {
      const app = await startLightApp({ flow: options })
      try {
        const outcome = await app.ask(openTab(app.port), '/login')
        const where = outcome.headers.location
        if (typeof expected === 'object') {
          expect([outcome.status, outcome.error], what).to.deep.equal([302, undefined])
          expect(where, what).to.satisfy((url: string) => leadsTo(url, expected.endpoint))
          expect(where?.includes(markup)).to.equal(false)
        } else {
          expectHarmless(outcome, [clientSecret])
          expect(documentedError(outcome.error).code, what).to.equal(expected)
          expectNoSecretIn(outcome.error, [clientSecret])
          spoil(() => well({ body: '', authorization: undefined }))
          clock.advance(31_000)
          expect((await app.ask(openTab(app.port), '/login')).status).to.equal(302)
        }
      } finally {
        await app.close()
      }
    } else {
      const redirectUri = 'http://127.0.0.1:1/callback'
      const given = { ...options, redirectUri, clientId: 'test-client' } as PkceFlowOptions
      const flow = pkceFlow(given)
      const [failed] = await Promise.allSettled([flow.ready()])
      const error: unknown = failed.status === 'rejected' ? failed.reason : undefined
      expect(error, what).to.be.instanceOf(Error)
      expect(documentedError(error).code, what).to.equal(expected)
      expectNoSecretIn(error, [clientSecret])
      spoil(() => well({ body: '', authorization: undefined }))
      clock.advance(31_000)
      await flow.ready()
    }
    good.close()
  }

  holdsForAll('lead to a login exactly if they can be used', cases, holds)
})

const signer = createSigner('key-1')

function leadsTo(url: string, endpoint: string): boolean {
  const [at, asked] = [new URL(url), new URL(endpoint)]
  return (
    at.origin + at.pathname === asked.origin + asked.pathname &&
    at.hash === '' &&
    at.searchParams.get('client_id') === 'test-client' &&
    at.searchParams.get('code_challenge_method') === 'S256'
  )
}

/** RFC 8414 sections 2, 3.2 and 3.3, RFC 6749 sections 3.1 and 3.2, RFC 9126 section 5. */
function expectedOf(sent: Sent, issuer: string): { endpoint: string } | string {
  const { status } = sent
  if (status === 429 || status >= 500) {
    return sent.body.length > 2 ** 20 ? 'invalid_server_response' : 'server_unavailable'
  }
  // So deep that nobody could mean it: neither reader has to follow.
  if (sent.body.includes('['.repeat(10_000))) return 'invalid_server_response'
  const metadata = status === 200 ? objectIn(sent) : undefined
  const { authorization_endpoint: endpoint, token_endpoint } = metadata ?? {}
  const methods = metadata?.code_challenge_methods_supported
  const isGood =
    metadata !== undefined &&
    isSame(metadata.issuer, issuer) &&
    isEndpoint(endpoint) &&
    isEndpoint(token_endpoint) &&
    (methods == null || (Array.isArray(methods) && methods.includes('S256'))) &&
    metadata.require_pushed_authorization_requests !== true
  if (!isGood) return 'invalid_server_response'
  // Where keys are named, they can be asked for.
  const keys = metadata.jwks_uri
  if (keys && !(typeof keys === 'string' && URL.canParse(keys))) return 'invalid_server_response'
  return { endpoint: endpoint as string }
}

/** As URLs: some servers publish their issuer with another slash at the end of nothing. */
function isSame(value: unknown, issuer: string): boolean {
  return typeof value === 'string' && URL.canParse(value) && new URL(value).href === issuer
}

function isEndpoint(value: unknown): boolean {
  if (typeof value !== 'string' || !URL.canParse(value) || value.includes('#')) return false
  const { protocol, hostname } = new URL(value)
  const isLoopback = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname)
  return protocol === 'https:' || (protocol === 'http:' && isLoopback)
}
