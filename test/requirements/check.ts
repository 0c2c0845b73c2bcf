import { expect } from 'chai'
import { PkceFlowError } from '../../src/index.ts'
import type { RecordedRequest, TestServerEndpoint } from '../../src/testing/index.ts'
import { type Browser, nextUrl, type Page } from '../support/browser.ts'
import { follow, setCookie } from './follow.ts'
import { perform } from './perform.ts'
import { checkRules } from './rules.ts'
import { until } from './waiting.ts'
import type { Expectation, ExpectedParameters } from './row.ts'
import { checkTokens } from './check-tokens.ts'
import { answer, serverBehaves, serverStarts, storeBehaves } from './step.ts'
import { sessionCookieName, type Who, type World } from './world.ts'

/** What was there before the steps. */
export interface Snapshot {
  who: Who
  tokenRequests: number
  counts: ReadonlyMap<string, number>
  issued: number
}

const endpoints: readonly TestServerEndpoint[] = [
  ...(['discovery', 'jwks', 'pushed_authorization', 'authorization', 'token'] as const),
  ...(['revocation', 'userinfo', 'end_session'] as const),
]

export async function takeSnapshot(world: World): Promise<Snapshot> {
  return {
    who: await world.who(world.browser('main')),
    tokenRequests: world.count('token'),
    counts: new Map(endpoints.map((endpoint) => [endpoint, world.count(endpoint)])),
    issued: world.server.issued.length,
  }
}

/** Compares the last answer, and what is there afterwards, with what a row expects. */
export async function check(
  world: World,
  { page, browser }: { page: Page; browser: Browser },
  expected: Expectation,
  before: Snapshot,
): Promise<void> {
  checkAnswer(world, page, expected)
  await checkArrival(world, browser, page, expected)
  checkRequests(world, expected, before)
  await checkRevocation(world, expected, before)
  for (const step of [storeBehaves, serverBehaves, serverStarts]) await perform(world, step)
  await checkSignIn(world, expected, before)
  await checkTokens(world, expected)
  if (expected.pending) await checkPending(world, page, expected, before)
  checkRules(world)
}

function checkAnswer(world: World, page: Page, expected: Expectation): void {
  const shown = `${page.status} ${page.body.slice(0, 300)}`
  expect(codeOf(page), shown).to.equal(expected.code)
  expect(page.status, shown).to.equal(expected.status)
  const error = world.apps.flatMap(({ errors }) => errors).at(-1)
  if (error instanceof PkceFlowError && error.code === expected.code) {
    expect(error.status).to.equal(page.status)
    if (expected.retryAfter === 'some') expect(error.retryAfter, 'retryAfter').to.be.a('number')
    else if (expected.retryAfter !== undefined)
      expect(error.retryAfter, 'retryAfter').to.equal(expected.retryAfter)
    if ('oauthError' in expected)
      expect(error.oauthError, 'oauthError').to.equal(expected.oauthError)
    if (expected.message) expect(error.message).to.match(expected.message)
    if (expected.loginUrl !== undefined) expect(error.loginUrl).to.equal(expected.loginUrl)
  }
  if (expected.sentBy)
    expect(page.headers.location === undefined ? 'page' : 'redirect').to.equal(expected.sentBy)
  for (const [name, value] of Object.entries(expected.headers ?? {}))
    matches(value, page.headers[name], name)
  for (const [name, value] of Object.entries(expected.body ?? {}))
    expect((JSON.parse(page.body) as Record<string, unknown>)[name], name).to.deep.equal(value)
  const cookies = page.headers['set-cookie'] ?? []
  if (expected.setsSession !== undefined)
    expect(
      cookies.some((line) => line.startsWith(`${sessionCookieName}=`)),
      'sets the session cookie',
    ).to.equal(expected.setsSession)
  if (expected.bindingCookie) {
    const binding = cookies.filter((line) => /^(__Host-)?pkce\./.test(line))
    expect(binding, 'cookies of pending logins').not.to.be.empty
    for (const line of binding) expect(line).to.match(expected.bindingCookie)
  }
}

/** The code in the answer of the app's error handler, or in problem JSON. */
function codeOf({ body }: Page): string | undefined {
  if (!body.startsWith('{')) return undefined
  const { code } = JSON.parse(body) as { code?: string }
  return code === 'unknown' ? 'app' : code
}

function matches(expected: string | RegExp | null, found: unknown, name: string): void {
  if (expected === null) expect(found ?? undefined, name).to.equal(undefined)
  else if (typeof expected === 'string') expect(found, name).to.equal(expected)
  else expect(found, name).to.match(expected)
}

/** Follows the browser to where it ends. */
async function checkArrival(
  world: World,
  browser: Browser,
  page: Page,
  { arrives }: Expectation,
): Promise<void> {
  const last = await follow(world, browser, page)
  if (arrives === undefined) return
  const away = nextUrl(last)
  if (away !== undefined) {
    expect(away, 'arrives').to.equal(arrives)
    return
  }
  expect(last.status, `at ${last.url}`).to.equal(200)
  const { pathname, search, hash } = new URL(last.url)
  expect(pathname + search + hash, 'arrives').to.equal(arrives)
}

function checkRequests(world: World, expected: Expectation, before: Snapshot): void {
  expect(world.count('token') - before.tokenRequests, 'token requests').to.equal(
    expected.tokenRequests,
  )
  for (const [endpoint, count] of Object.entries(expected.requests ?? {})) {
    const made = world.count(endpoint as 'jwks') - (before.counts.get(endpoint) ?? 0)
    expect(made, `requests at ${endpoint}`).to.equal(count)
  }
  checkParameters(world, 'authorization', expected.authorizationRequest, ({ query }) => query)
  checkParameters(world, 'token', expected.tokenRequest, ({ body }) => body)
  checkParameters(world, 'end_session', expected.logoutRequest, ({ query }) => query)
  if (expected.logoutAnswers)
    expect(world.server.logoutResponses.map(({ status }) => status)).to.deep.equal(
      expected.logoutAnswers,
    )
  for (const { headers } of world.server.logoutResponses)
    expect(headers, 'answer to a logout token').to.include({ 'cache-control': 'no-store' })
  checkParameters(world, 'pushed_authorization', expected.pushedRequest, ({ body }) => body)
  if (expected.carried) {
    const request = world.server.requests.findLast((each) => each.endpoint === 'authorization')
    expect([...(request?.query.keys() ?? [])], 'carried').to.have.members([...expected.carried])
  }
  if (expected.stored !== undefined)
    expect(world.stores[0].keys('pending login'), 'stored').to.have.length(expected.stored)
}

function checkParameters(
  world: World,
  endpoint: 'authorization' | 'pushed_authorization' | 'token' | 'end_session',
  expected: ExpectedParameters = {},
  of: (request: RecordedRequest) => URLSearchParams,
): void {
  const request = world.server.requests.findLast((each) => each.endpoint === endpoint)
  for (const [name, value] of Object.entries(expected))
    matches(value, request && of(request).get(name), name)
}

async function checkRevocation(
  world: World,
  { revoked }: Expectation,
  { issued }: Snapshot,
): Promise<void> {
  const tokens = world.server.issued.slice(issued)
  if (revoked === 'all')
    await until(() => tokens.every((each) => !each.active && !each.refreshable))
  if (revoked === 'none')
    expect(
      tokens.every(({ active, refreshable }) => active && refreshable),
      'every token is left alone',
    ).to.equal(true)
}

async function checkSignIn(world: World, expected: Expectation, before: Snapshot): Promise<void> {
  const main = world.browser('main')
  const who = await world.who(main)
  const { signedIn } = expected
  if (signedIn === 'as before') {
    const { sub, token, cart, session } = before.who
    const now = expected.tokens === undefined ? who.token : token
    expect({ sub: who.sub, token: now, cart: who.cart }, 'as before').to.deep.equal({
      sub,
      token,
      cart,
    })
    if (sub !== null) expect(who.session, 'session id').to.equal(session)
  } else if (signedIn === 'nobody') expect(who.signedIn, 'signed in').to.equal(false)
  else {
    expect(who.signedIn, 'signed in').to.equal(true)
    expect(who.sub ?? signedIn, 'who is signed in').to.equal(signedIn)
    if (before.who.session !== '') expect(who.session).not.to.equal(before.who.session)
  }
  if (expected.signedInAtSecond) expect(who.second).to.equal(expected.signedInAtSecond)
  for (const [name, person] of Object.entries(expected.elsewhere ?? {}))
    expect((await world.who(world.browser(name))).sub ?? 'nobody', name).to.equal(person)
  if (!expected.lostSession) await checkNobodyElse(world)
  if (expected.keptRefreshTokens !== undefined) {
    const store = world.stores[0]
    const old = world.refreshTokenBefore() ?? ''
    const kept = store.keys('tokens').filter((key) => JSON.stringify(store.read(key)).includes(old))
    expect(kept.length, 'refresh tokens of the login before').to.equal(expected.keptRefreshTokens)
  }
  if (expected.sessionData)
    expect(who.cart, 'session data').to.equal(expected.sessionData === 'kept' ? 'books' : null)
  if (expected.scope) expect(who.scope).to.deep.equal(expected.scope)
  if (expected.expires) expect(lifetimeOf(who), 'expires').to.equal(expected.expires)
}

/** No session of the store that is not a browser's own is signed in. */
async function checkNobodyElse(world: World): Promise<void> {
  const own = new Set(world.browserNames().map((name) => sessionIdOf(world.browser(name))))
  for (const id of world.stores[0].keys('session')) {
    if (own.has(id)) continue
    const thief = world.newBrowser()
    setCookie(thief, sessionCookieName, world.sessionCookie(id))
    expect((await world.who(thief)).signedIn, 'signed in by a left-over session').to.equal(false)
  }
}

function sessionIdOf({ cookies }: Browser): string | undefined {
  const cookie = cookies.get('127.0.0.1')?.get(sessionCookieName)
  return cookie && /^s:([^.]+)/.exec(decodeURIComponent(cookie))?.[1]
}

function lifetimeOf({ expiresAt }: Who): NonNullable<Expectation['expires']> | number {
  if (expiresAt === null) return 'unknown'
  const seconds = (Date.parse(expiresAt) - Date.now()) / 1000
  const is = (wanted: number): boolean => seconds <= wanted && seconds > wanted - 60
  if (seconds <= 0) return 'already'
  return is(3600) ? 'in an hour' : is(365 * 24 * 3600) ? 'in a year' : seconds
}

/** Sends the real answer: a pending login that was kept is finished by it, another has had its outcome. */
async function checkPending(
  world: World,
  page: Page,
  { pending, status, code, tokenRequests, arrives }: Expectation,
  before: Snapshot,
): Promise<void> {
  const tab = world.tabs.get('main')!
  const browser = world.browser(tab.by)
  const again = (await perform(world, answer()))!
  const last = await follow(world, browser, again)
  const requests = world.count('token') - before.tokenRequests - tokenRequests
  if (pending === 'kept') {
    expect(last.status, `the real answer gives ${last.status} ${last.body}`).to.equal(200)
    expect(requests, 'token requests of the real answer').to.equal(1)
    expect((await world.who(browser)).sub, 'signed in by the real answer').to.equal('alice')
    return
  }
  expect(requests, 'token requests of a repetition').to.equal(0)
  expect(again.status, 'status of a repetition').to.equal(status)
  if (code === undefined) expect(new URL(last.url).pathname).to.equal(arrives?.split('?')[0])
  else {
    expect(again.body, 'a repetition').to.equal(page.body)
    const errors = world.apps.flatMap((app) => app.errors as PkceFlowError[])
    const [first, second] = errors.slice(-2).map(({ oauthError, loginUrl, retryAfter }) => ({
      oauthError,
      loginUrl,
      saysWhen: retryAfter !== undefined,
    }))
    expect(second, 'error of a repetition').to.deep.equal(first)
  }
}
