import type { Agent } from 'node:http'
import type { Contender } from './contenders.ts'
import { subjectCookie, tokenLength } from './registration.ts'
import { createUserAgent, type Page, type UserAgent } from './user-agent.ts'

/** An app that runs, and the authorization server that it logs people in at. */
export interface Place {
  contender: Contender
  origin: string
  issuer: string
  connections: Agent
}

let people = 0

/** A browser of somebody new, known at the authorization server. */
export function newPerson({ issuer, connections }: Place): { browser: UserAgent; subject: string } {
  people += 1
  const subject = `user-${String(people).padStart(8, '0')}`
  const browser = createUserAgent(connections)
  browser.setCookie(issuer, subjectCookie, subject)
  return { browser, subject }
}

/** Starts a login: gives the redirect to the authorization server, or throws. */
export async function startLogin(place: Place, browser: UserAgent): Promise<Page> {
  const { contender, origin, issuer } = place
  const page = await start[contender.start ?? 'own'](origin, browser)
  if (page.location?.startsWith(`${issuer}/authorize?`) === true) return page
  throw new Error(`${contender.name}: no login was started: ${page.status} ${page.body}`)
}

const start = {
  own: (origin: string, browser: UserAgent) => browser.visit(`${origin}/login`),
  grant: (origin: string, browser: UserAgent) => browser.visit(`${origin}/connect/bench`),
  // It starts by a form of its own page.
  async 'auth-js'(origin: string, browser: UserAgent) {
    const { body } = await browser.visit(`${origin}/auth/csrf`)
    const { csrfToken } = JSON.parse(body) as { csrfToken: string }
    const form = new URLSearchParams({ csrfToken, callbackUrl: `${origin}/` })
    return browser.visit(`${origin}/auth/signin/bench`, form.toString())
  },
}

/** Somebody new logs in; throws unless that person arrives, with a token. */
export async function logIn(place: Place): Promise<UserAgent> {
  const { browser, subject } = newPerson(place)
  const page = await browser.follow(await startLogin(place, browser))
  requireHome(place, page, subject)
  return browser
}

/** A page that shows somebody signed in, with a token; throws if it does not. */
export async function openHome(place: Place, browser: UserAgent): Promise<void> {
  requireHome(place, await browser.visit(`${place.origin}/`))
}

function requireHome({ contender, origin }: Place, page: Page, subject?: string): void {
  const { sub, tokenLength: length } = (page.status === 200 ? JSON.parse(page.body) : {}) as {
    sub?: string
    tokenLength?: number
  }
  const isHome = new URL(page.url).pathname === '/' && page.url.startsWith(origin)
  if (isHome && length === tokenLength.access && sub !== undefined && sub === (subject ?? sub))
    return
  throw new Error(`${contender.name}: ${page.url}: ${page.status} ${page.body.slice(0, 500)}`)
}

/** The page for everybody. */
export async function openPublicPage(place: Place, browser: UserAgent): Promise<void> {
  const page = await browser.visit(`${place.origin}/public`)
  if (page.status !== 200) throw new Error(`${place.contender.name}: ${page.status} ${page.body}`)
}
