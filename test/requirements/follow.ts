import { type Browser, nextUrl, type Page } from '../support/browser.ts'
import type { World } from './world.ts'

/** Follows what sends the browser on inside of the app, to the page or the foreign URL where it ends. */
export async function follow(world: World, browser: Browser, page: Page): Promise<Page> {
  let current = page
  for (let hops = 0; hops < 10; hops += 1) {
    const next = nextUrl(current)
    if (next === undefined || !isApp(world, next)) return current
    current = await browser.request(next)
  }
  throw new Error(`Redirected in circles, at last to ${current.url}`)
}

function isApp(world: World, url: string): boolean {
  return world.apps.some(({ origin }) => new URL(url).origin === origin)
}

/** Puts a cookie into a browser. */
export function setCookie(browser: Browser, name: string, value: string): void {
  const jar = browser.cookies.get('127.0.0.1') ?? new Map<string, string>()
  browser.cookies.set('127.0.0.1', jar.set(name, value))
}
