import type { RunningApp } from '../support/app.ts'
import type { Browser, Page } from '../support/browser.ts'

/** What a browser says when a person follows a link. */
export const navigation = { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }

/** What a program says that asks for data. */
export const program = { accept: 'application/json' }

/** Starts a login; gives the URL of the answer, which is not requested yet. */
export function answerUrl(app: RunningApp, browser: Browser, start = '/login'): Promise<string> {
  return browser.openUntil(app.url('/callback'), app.url(start))
}

/** What a JSON page says. */
export function json(page: Page): Record<string, unknown> {
  return JSON.parse(page.body) as Record<string, unknown>
}

/** Does `work` while the browser keeps its session cookie to itself, as after a cross-site answer. */
export async function withoutSessionCookie<T>(
  browser: Browser,
  work: () => Promise<T>,
  host = '127.0.0.1',
): Promise<T> {
  const jar = browser.cookies.get(host)
  const cookie = jar?.get('connect.sid')
  jar?.delete('connect.sid')
  try {
    return await work()
  } finally {
    // One that was set meanwhile replaces it, as in a browser.
    if (cookie !== undefined && jar?.has('connect.sid') === false) jar.set('connect.sid', cookie)
  }
}

/** Names of the cookies that an answer sets or clears. */
export function cookiesSet({ headers }: Page): string[] {
  return (headers['set-cookie'] ?? []).map((cookie) => cookie.slice(0, cookie.indexOf('=')))
}

/** Whether an answer starts a login: sets a cookie that binds one, or goes to the server. */
export function startsLogin(app: RunningApp, page: Page): boolean {
  return (
    cookiesSet(page).some((name) => /^(__Host-)?pkce\./.test(name)) ||
    (page.headers.location ?? '').startsWith(app.server.metadata.authorization_endpoint)
  )
}
