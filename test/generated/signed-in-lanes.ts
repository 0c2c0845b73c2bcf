import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import { codeFor } from './good-server.ts'
import { clientSecret, startLogin, type LightApp } from './light-app.ts'
import { openTab, type Tab } from './tab.ts'

/** Somebody who is signed in, with tokens under a key that nobody has used before. */
export interface SignedIn {
  readonly tab: Tab
  readonly secrets: readonly string[]
  /** Whether the row of the session is as it was. */
  isUntouched(): boolean
  /** The record of the tokens, as it is now. */
  record(): Record<string, unknown> | undefined
}

/** Signs somebody in once; gives any number of people who signed in at that moment. */
export async function createSignedIn(
  app: LightApp,
  change: (tokens: Record<string, unknown>) => void = () => undefined,
): Promise<() => SignedIn> {
  const { tab, nonce, state } = await startLogin(app)
  const { status } = await app.ask(tab, `/callback?code=${codeFor(nonce)}&state=${state}`)
  expect(status).to.equal(302)
  const id = /^s%3A([^.]+)/.exec(tab.cookies.get('connect.sid') ?? '')?.[1] ?? ''
  const session = app.store.store.get(id) ?? ''
  const key = /"([0-9a-f]{32})[."]/.exec(session)?.[1] ?? ''
  const row = JSON.parse(app.store.store.get(`tr.${key}`) ?? '') as {
    content: { record: { tokens: Record<string, unknown>; idToken?: string } }
  }
  change(row.content.record.tokens)
  const { tokens, idToken } = row.content.record
  const record = JSON.stringify(row)
  const secrets = [id, clientSecret, tokens.accessToken, tokens.refreshToken, idToken]

  return () => {
    // The session is the same in all: what it refers to is looked up once a request.
    const mine = randomBytes(16).toString('hex')
    const own = randomBytes(16).toString('hex')
    app.store.put(`tr.${mine}`, record)
    const sessionRow = session.replace(key, mine)
    app.store.put(own, sessionRow)
    const browser = openTab(app.port)
    browser.cookies.set('connect.sid', app.cookieOf(own))
    return {
      tab: browser,
      secrets: [...secrets.filter((each): each is string => typeof each === 'string'), own],
      isUntouched: () => app.store.store.get(own) === sessionRow,
      record() {
        const text = app.store.store.get(`tr.${mine}`)
        const { content } = JSON.parse(text ?? '{}') as { content?: { record?: object } }
        return content?.record as Record<string, unknown> | undefined
      },
    }
  }
}
