import { expect } from 'chai'
import type { Browser, Page } from '../support/browser.ts'
import { answerOf, bringAnswer } from './bring-answer.ts'
import { follow, setCookie } from './follow.ts'
import { issuerName, program, start, type Start, type StepPerformers, type Visit } from './step.ts'
import { hold, patience, until } from './waiting.ts'
import { sessionCookieName, tabOf, type World } from './world.ts'

/** Steps of browsers, and what is done to their cookies. */
export const browserSteps = {
  start: startLogin,
  answer: bringAnswer,
  visit: (world, step) => send(world, world.browser(step.by ?? 'main'), step),

  async authorize(world, { tab }) {
    await answerOf(world, tabOf(world, tab))
  },

  async 'start until'(world, { tab, sentTo }) {
    const end = patience()
    do {
      end(String(sentTo))
      await startLogin(world, start(tab))
    } while (!sentTo.test(tabOf(world, tab).authorizationUrl ?? ''))
  },

  async 'start together'(world, { times }) {
    const held = hold(world, 'discovery')
    const arrivals = world.arrivals.length
    const crowd = Array.from({ length: times }, (_, at) =>
      world.browser(`crowd ${at}`).request(world.apps[0]!.url('/login')),
    )
    await until(() => world.arrivals.length >= arrivals + times)
    held.release()
    for (const { status } of await Promise.all(crowd)) expect(status).to.equal(302)
  },

  async 'visit together'(world, { path, times }) {
    const url = world.apps[0]!.url(path)
    const pages = await Promise.all(
      Array.from({ length: times }, () => world.browser('main').request(url, { headers: program })),
    )
    for (const { status, body } of pages) expect({ status, body }).to.deep.equal(told(pages[0]!))
    return pages[0]!
  },

  'go on': (world, { tab, by }) =>
    world.browser(by).request(world.apps[0]!.url(`/callback?continue=${tabOf(world, tab).id}`)),

  'invent an answer'(world, { tab: name }) {
    const tab = tabOf(world, name)
    const state = new URL(tab.authorizationUrl ?? 'none:').searchParams.get('state') ?? ''
    const parameters = new URLSearchParams({ code: 'code-of-nobody', state })
    tab.answer = { callback: '/callback', parameters, posted: false }
  },

  'forget cookies'(world, { by, which }) {
    const cookies = world.browser(by).cookies.get('127.0.0.1')
    if (which === 'all') cookies?.clear()
    else cookies?.delete(sessionCookieName)
  },

  'copy session cookie'(world, { from, to }) {
    const value = world.browser(from).cookies.get('127.0.0.1')?.get(sessionCookieName)
    setCookie(world.browser(to), sessionCookieName, value ?? 'none')
  },

  'forge binding cookie'(world, { of, secretOf }) {
    const { by, cookie: own = '' } = tabOf(world, secretOf)
    const secret = world.browser(by).cookies.get('127.0.0.1')?.get(own)
    setCookie(world.browser(by), tabOf(world, of).cookie ?? '', secret ?? '')
  },

  'requests differ'(world, { tabs }) {
    const [one, other] = tabs.map((tab) => new URL(tabOf(world, tab).authorizationUrl ?? ''))
    for (const name of ['state', 'nonce', 'code_challenge'])
      expect(one!.searchParams.get(name), name).not.to.equal(other!.searchParams.get(name))
  },

  async 'slow request begins'(world, { by, writes }) {
    const { slowRequest } = world
    const arrived = new Promise<void>((resolve) => (slowRequest.arrive = resolve))
    slowRequest.until = new Promise((resolve) => (slowRequest.release = resolve))
    const path = `/slow/${writes ? 'writes' : 'reads'}`
    slowRequest.answered = world.browser(by).request(world.apps[0]!.url(path))
    await arrived
  },

  async 'slow request ends'({ slowRequest }) {
    slowRequest.release()
    await slowRequest.answered
  },
} satisfies Partial<StepPerformers>

const told = ({ status, body }: Page) => ({ status, body })

async function startLogin(world: World, step: Start): Promise<Page> {
  const by = step.by ?? 'main'
  const browser = world.browser(by)
  const cookies = browser.cookieNames()
  const page = await follow(world, browser, await send(world, browser, step))
  const { location } = page.headers
  const left = location !== undefined && /^https?:/.test(location)
  const isNew = (name: string): boolean => /pkce\./.test(name) && !cookies.includes(name)
  const cookie = browser.cookieNames().find(isNew)
  const authorizationUrl = left ? location : undefined
  world.tabs.set(step.tab, { by, authorizationUrl, cookie, id: cookie?.slice(-32) })
  return page
}

function send(
  world: World,
  browser: Browser,
  { path, method, headers, body, app = 1 }: Start | Visit,
): Promise<Page> {
  const named = (text: string): string =>
    text.replaceAll(issuerName, encodeURIComponent(world.server.issuer))
  return browser.request(world.apps[app - 1]!.url(named(path)), {
    ...(method !== undefined && { method }),
    ...(headers && { headers }),
    ...(body !== undefined && { body: named(body) }),
  })
}
