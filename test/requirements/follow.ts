import { type Browser, nextUrl, type Page } from '../support/browser.ts'
import type { World } from './world.ts'

/**
 * Follows what sends the browser on inside of the app, or through the authorization server's logout and
 * back, to the page or the foreign URL where it ends. Frames are loaded as browsers do that keep
 * cookies from them.
 */
export async function follow(world: World, browser: Browser, page: Page): Promise<Page> {
  let current = page
  for (let hops = 0; hops < 10; hops += 1) {
    const next = nextUrl(current)
    if (next === undefined || !(isApp(world, next) || isLogout(world, next))) return current
    current = await browser.request(next)
    const frame = /<iframe src="([^"]*)"/.exec(current.body)?.[1]
    if (frame !== undefined) await world.newBrowser().request(frame.replaceAll('&amp;', '&'))
  }
  throw new Error(`Redirected in circles, at last to ${current.url}`)
}

function isApp(world: World, url: string): boolean {
  return world.apps.some(({ origin }) => new URL(url).origin === origin)
}

function isLogout({ server }: World, url: string): boolean {
  return url.startsWith(`${server.metadata.end_session_endpoint}?`)
}

/** Puts a cookie into a browser. */
export function setCookie(browser: Browser, name: string, value: string): void {
  const jar = browser.cookies.get('127.0.0.1') ?? new Map<string, string>()
  browser.cookies.set('127.0.0.1', jar.set(name, value))
}
