import type { MemoryStore } from 'express-session'
import type { Browser } from './browser.ts'

/** A row of a session store. */
export interface Row {
  key: string
  content: Record<string, unknown> & {
    cookie: { originalMaxAge: number | null; expires: string | null }
  }
}

/** What a store holds, by what it is for. */
export interface Rows {
  pending: Row[]
  tokens: Row[]
  sessions: Row[]
}

/** The rows that are neither destroyed nor expired. */
export async function rows(store: MemoryStore): Promise<Rows> {
  const all = await new Promise<Record<string, unknown>>((resolve, reject) => {
    store.all((error, found) => {
      if (error) reject(error as Error)
      else resolve(found as Record<string, unknown>)
    })
  })
  const list = Object.entries(all).map(([key, content]) => ({ key, content }) as Row)
  const of = (prefix: string) => list.filter(({ key }) => key.startsWith(prefix))
  return {
    pending: of('pl.'),
    tokens: of('tr.'),
    sessions: list.filter(({ key }) => !key.includes('.')),
  }
}

/** What a record of ours says. */
export function recordIn({ content }: Row): Record<string, unknown> {
  return content.content as Record<string, unknown>
}

/** Changes what a record of ours says, in place. */
export async function changeRow(
  store: MemoryStore,
  row: Row,
  change: (said: Record<string, unknown>) => void,
): Promise<void> {
  change(recordIn(row))
  await new Promise((resolve) => {
    store.set(row.key, row.content as never, resolve)
  })
}

/** Id of the session whose cookie the browser has. */
export function sessionId(browser: Browser): string | undefined {
  const cookie = browser.cookies.get('127.0.0.1')?.get('connect.sid')
  return cookie && /^s:([^.]+)\./.exec(decodeURIComponent(cookie))?.[1]
}

/** Names of the browser's cookies that bind pending logins. */
export function bindingCookies(browser: Browser): string[] {
  return browser.cookieNames().filter((name) => /^(__Host-)?pkce\./.test(name))
}
