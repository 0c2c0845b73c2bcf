import { inspect } from 'node:util'
import { expect } from 'chai'
import { PkceFlowError } from '../../src/index.ts'
import type { RecordedRequest } from '../../src/testing/index.ts'
import type { Page } from '../support/browser.ts'
import { isReadable } from '../support/readable.ts'
import type { World } from './world.ts'

/** What holds of every answer and of everything that is stored, whatever the row is about. */
export function checkRules(world: World): void {
  const secrets = world.secrets()
  const hasNone = (text: string, what: string): void => {
    for (const secret of secrets)
      if (text.includes(secret)) expect.fail(`a secret is in ${what}: ${text}`)
  }
  for (const page of world.pages()) checkPage(world, page, hasNone)
  for (const error of world.apps.flatMap(({ errors }) => errors)) {
    hasNone(inspect(error, { depth: Infinity, showHidden: true }), 'an error')
    hasNone(JSON.stringify(error), 'an error as JSON')
    if (error instanceof PkceFlowError) checkError(error)
  }
  const store = world.stores[0]
  for (const key of store.keys('session')) hasNone(JSON.stringify(store.read(key)), 'a session')
  for (const kind of ['pending login', 'tokens'] as const)
    for (const key of store.keys(kind)) {
      const { cookie } = store.read(key)
      expect(Date.parse(cookie?.expires ?? ''), `expiry of ${key}`).to.be.greaterThan(0)
    }
  checkTokenUse(world)
  for (const name of world.browserNames())
    for (const value of world.browser(name).cookies.get('127.0.0.1')?.values() ?? [])
      hasNone(decodeURIComponent(value), 'a cookie')
}

/** C-32: an access token is sent in the header Authorization, to who issued it, or to be revoked. */
function checkTokenUse({ server, secondServer }: World): void {
  const tokens = server.issued.map(({ accessToken }) => accessToken)
  const sent = (request: RecordedRequest): string => {
    const others = { ...request.headers, authorization: '' }
    const bodyOf = request.endpoint === 'revocation' ? '' : request.body.toString()
    return [request.path, request.query.toString(), bodyOf, JSON.stringify(others)].join(' ')
  }
  for (const request of server.requests)
    for (const token of tokens)
      expect(sent(request).includes(token), 'sent elsewhere').to.equal(false)
  for (const request of secondServer?.requests ?? [])
    for (const token of tokens)
      expect(`${sent(request)} ${request.headers.authorization}`).not.to.include(token)
}

function checkPage(
  world: World,
  { url, status, headers, body }: Page,
  hasNone: (text: string, what: string) => void,
): void {
  // Node's own, and the session middleware's.
  if (status === 431 || (status === 500 && body.includes('"unknown"'))) return
  const what = `${status} of ${new URL(url).pathname}`
  expect(headers['cache-control'], `cache-control, ${what}`).to.equal('no-store')
  expect(headers['referrer-policy'], `referrer-policy, ${what}`).to.equal('no-referrer')
  const { location } = headers
  const isRequest = [world.server, world.secondServer].some((server) =>
    location?.startsWith(`${server?.metadata.authorization_endpoint}?`),
  )
  // A logout request has an ID Token, and nothing else that is secret.
  const isLogout = location?.startsWith(`${world.server.metadata.end_session_endpoint}?`) === true
  const place = isLogout ? location.replace(/id_token_hint=[^&]*/, '') : location
  if (!isRequest) hasNone(`${place} ${body}`, `the answer ${what}`)
  expect(body, what).not.to.match(/<script/i)
}

function checkError(error: PkceFlowError): void {
  const { code, flow, status, expose, loginUrl, message, retryAfter, headers } = error
  expect(expose, `expose of ${code}`).to.equal(status < 500)
  expect(flow, `flow of ${code}`).to.be.a('string')
  expect(loginUrl, `loginUrl of ${code}`).to.match(/^\/(?!\/)/)
  expect(message.length, `message of ${code}`).to.be.within(20, 400)
  expect(isReadable(message), message).to.equal(true)
  // What Express's own error handler sends along.
  expect(headers).to.deep.equal(
    retryAfter === undefined ? {} : { 'Retry-After': String(retryAfter) },
  )
}
