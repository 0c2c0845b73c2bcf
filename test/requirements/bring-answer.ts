import http from 'node:http'
import { expect } from 'chai'
import type { Browser, Page } from '../support/browser.ts'
import { setCookie } from './follow.ts'
import type { Answer } from './step.ts'
import { hold, until } from './waiting.ts'
import { sessionCookieName, type Tab, tabOf, type World } from './world.ts'

/** What the authorization server answers this login: asked for once, the same ever after. */
export async function answerOf(world: World, tab: Tab): Promise<NonNullable<Tab['answer']>> {
  if (tab.answer) return tab.answer
  const { authorizationUrl } = tab
  if (authorizationUrl === undefined) throw new Error('This login was not sent to log in')
  const { headers, body } = await world.browser(tab.by).request(authorizationUrl)
  if (headers.location !== undefined) {
    const url = new URL(headers.location)
    tab.answer = { callback: url.pathname, parameters: url.searchParams, posted: false }
  } else {
    const action = new URL(/action="([^"]*)"/.exec(body)?.[1] ?? 'none:')
    const fields = Array.from(
      body.matchAll(/name="([^"]*)" value="([^"]*)"/g),
      ([, name = '', value = '']): [string, string] => [name, value],
    )
    tab.answer = {
      callback: action.pathname,
      parameters: new URLSearchParams(fields),
      posted: true,
    }
  }
  return tab.answer
}

/** A request at the callback, ready to be sent. */
interface Callback {
  path: string
  method: string
  headers: Record<string, string>
  body?: string
}

/** The browser brings the answer, in one of the many ways in which that can happen. */
export async function bringAnswer(world: World, step: Answer): Promise<Page | undefined> {
  const callback = await callbackOf(world, step)
  const browser = world.browser(step.by ?? tabOf(world, step.tab).by)
  if (step.abort) return abort(world, browser, callback)
  if (step.times !== undefined || step.toBothApps)
    return bringTogether(world, browser, callback, step)
  if (step.mayBeLost) {
    // Of a connection that breaks, nothing may be left for the next request.
    const once = { ...callback, headers: { ...callback.headers, connection: 'close' } }
    await browser.request(world.apps[0]!.url(callback.path), once).catch(() => undefined)
    return undefined
  }
  if (step.otherProcessEnds) return bringAndWait(world, browser, callback)
  const kept = withoutCookies(browser, step.without)
  const page = await browser.request(world.apps[(step.app ?? 1) - 1]!.url(callback.path), callback)
  // What the browser had not sent along is still there, if it was not replaced.
  for (const [name, value] of kept)
    if (!page.headers['set-cookie']?.some((line) => line.startsWith(`${name}=`)))
      setCookie(browser, name, value)
  return page
}

/** The other process ends when the request has looked at the stored login several times. */
async function bringAndWait(world: World, browser: Browser, callback: Callback): Promise<Page> {
  const [store] = world.stores
  const reads = store.count('get', 'pending login')
  const page = browser.request(world.apps[0]!.url(callback.path), callback)
  await until(() => store.count('get', 'pending login') >= reads + 3)
  world.otherProcess.finish()
  return page
}

async function callbackOf(world: World, step: Answer): Promise<Callback> {
  const { callback, parameters, posted } = await answerOf(world, tabOf(world, step.tab))
  const changed = new URLSearchParams(parameters)
  if (step.codeOf !== undefined) {
    const other = await answerOf(world, tabOf(world, step.codeOf))
    for (const name of ['code', 'iss']) changed.set(name, other.parameters.get(name) ?? '')
  }
  step.change?.(changed)
  const text = step.rewrite?.(changed.toString()) ?? changed.toString()
  const path =
    step.toCallbackOf === undefined
      ? (step.path ?? callback)
      : (await answerOf(world, tabOf(world, step.toCallbackOf))).callback
  const method = step.method ?? (posted ? 'POST' : 'GET')
  const headers = { ...step.headers }
  const withQuery = text === '' ? path : `${path}?${text}`
  if (method !== 'POST') return { path: withQuery, method, headers }
  return {
    path: step.inQuery ? withQuery : path,
    method,
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    body: step.body ?? text,
  }
}

function withoutCookies(browser: Browser, without: Answer['without']): [string, string][] {
  const jar = browser.cookies.get('127.0.0.1')
  if (!jar || without === undefined) return []
  const left = [...jar].filter(([name]) => without === 'all cookies' || name === sessionCookieName)
  for (const [name] of left) jar.delete(name)
  return left
}

/** Sends the answer and goes away while the token request is on its way, which is answered only then. */
async function abort(world: World, browser: Browser, callback: Callback): Promise<undefined> {
  const { server } = world
  const held = hold(world, 'token')
  const requests = server.count('token')
  const jar = [...(browser.cookies.get('127.0.0.1') ?? [])]
  const request = http.request(world.apps[0]!.url(callback.path), {
    headers: { cookie: jar.map((pair) => pair.join('=')).join('; ') },
  })
  request.on('error', () => undefined)
  request.end()
  await server.received('token', requests + 1)
  request.destroy()
  await until(() => world.gone.includes(callback.path))
  held.release()
}

/** Sends the answer several times, so that all are there before the token endpoint answers. */
async function bringTogether(
  world: World,
  browser: Browser,
  callback: Callback,
  { times = 1, toBothApps }: Answer,
): Promise<Page> {
  const held = hold(world, 'token')
  const requests = world.server.count('token')
  const arrivals = world.arrivals.length
  const jar = new Map(browser.cookies.get('127.0.0.1'))
  const bring = (at: number) => browser.request(world.apps[at]!.url(callback.path), callback)
  const answers = Array.from({ length: times }, () => bring(0))
  await world.server.received('token', requests + 1)
  if (toBothApps) answers.push(bring(1))
  await until(() => world.arrivals.length >= arrivals + answers.length)
  held.release()
  const pages = await Promise.all(answers)
  const [first] = pages
  for (const page of pages) {
    expect(page.status, 'status of each').to.equal(first!.status)
    expect(page.headers.location, 'location of each').to.equal(first!.headers.location)
    expect(page.body, 'body of each').to.equal(first!.body)
    if (page.status < 400) await expectSignedInWith(world, jar, page)
  }
  return first!
}

/** Whichever answer a browser kept, it is signed in. */
async function expectSignedInWith(
  world: World,
  before: ReadonlyMap<string, string>,
  { headers }: Page,
): Promise<void> {
  const browser = world.browser('whichever')
  browser.cookies.set('127.0.0.1', new Map(before))
  for (const line of headers['set-cookie'] ?? []) {
    const [, name = '', value = ''] = /^([^=]*)=([^;]*)/.exec(line) ?? []
    setCookie(browser, name, value)
  }
  expect((await world.who(browser)).sub, 'with the cookies of each answer').to.equal('alice')
}
