import { expect } from 'chai'
import { MemoryStore, type SessionData } from 'express-session'
import { createBrowser } from '../support/browser.ts'
import { startApp, type RunningApp } from '../support/app.ts'
import { texts } from './guides.ts'

/** Cells of the table below this heading. */
function rowsBelow(heading: string): string[][] {
  const text = texts.get('docs/how-it-works.md')!
  const section = text.slice(text.indexOf(`## ${heading}\n`)).split(/\n## /)[0]!
  return Array.from(section.matchAll(/^\| (.*) \|$/gm), ([, row = '']) =>
    row.split(' | ').map((cell) => cell.trim()),
  ).slice(2)
}

describe('guide how-it-works.md: what is stored where', () => {
  let app: RunningApp
  let store: MemoryStore
  const rows = rowsBelow('What is stored where')
  /** Names that the table has for a place, as patterns. */
  const namesOf = (place: string) =>
    rows
      .filter(([where]) => where === place)
      .flatMap(([, name = '']) => name.match(/`[^`]+`(?: and 32 hex digits)?/g) ?? [])
      .map((name) => {
        const pattern = name
          .replace(/`/g, '')
          .replace(/\./g, '\\.')
          .replace('FLOW', '[\\w-]{8}')
          .replace('LOGIN', '[0-9a-f]{32}')
          .replace(' and 32 hex digits', '[0-9a-f]{32}')
        return new RegExp(`^${pattern}$`)
      })
  const isNamed = (place: string, name: string) => namesOf(place).some((p) => p.test(name))

  beforeEach(() => {
    store = new MemoryStore()
  })

  afterEach(() => app.close())

  const keys = () => Object.keys((store as unknown as { sessions: object }).sessions)
  const rowOf = (key: string) =>
    JSON.parse((store as unknown as { sessions: Record<string, string> }).sessions[key]!) as {
      expiresAt: number
      content: object
    } & SessionData
  const recordsOf = (kind: string) => keys().filter((key) => key.startsWith(kind))

  it('a login leaves a session, a pending login, a token record, two cookies', async () => {
    app = await startApp({
      store,
      flow: { routes: { backchannelLogout: '/backchannel-logout' } },
    })
    const browser = createBrowser()
    await browser.open(app.url('/login'))
    // Cookies know no ports: the authorization server has one here, too.
    const names = browser.cookieNames().filter((name) => name !== 'test_authorization_server')
    for (const name of names) expect(isNamed('browser', name), name).to.equal(true)
    const [cookie, binding] = names.sort()
    expect(cookie).to.equal('connect.sid')
    expect(binding).to.match(/^pkce\./)

    const records = keys().filter((key) => key.includes('.'))
    for (const key of records) expect(isNamed('session store', key), key).to.equal(true)
    expect(keys()).to.have.length(records.length + 1) // the session
    for (const kind of ['pl.', 'tr.', 'lm.']) expect(recordsOf(kind), kind).not.to.be.empty

    // What is in them, and until when.
    const pending = rowOf(recordsOf('pl.')[0]!)
    expect(pending.content).to.include({ codeVerifier: '', nonce: '' })
    expect(pending.expiresAt - Date.now()).to.be.within(590_000, 600_000)
    const tokens = rowOf(recordsOf('tr.')[0]!)
    expect(tokens.expiresAt - Date.now()).to.be.within(86_390_000, 86_400_000)
    const session = rowOf(keys().find((key) => !key.includes('.'))!) as unknown as {
      pkceFlow: Record<string, string>
    }
    for (const reference of Object.values(session.pkceFlow))
      expect(reference.length).to.be.at.most(78)
  })

  it('under https the cookies that bind logins have the prefix __Host-', async () => {
    app = await startApp({ store, tlsProxy: true, session: { cookie: { secure: true } } })
    const browser = createBrowser({ tlsProxy: true })
    const page = await browser.request(app.url('/login'))
    const [line = ''] = page.headers['set-cookie'] ?? []
    expect(isNamed('browser', line.split('=')[0]!)).to.equal(true)
    expect(line).to.match(/^__Host-pkce\./)
    expect(line).to.include('; Path=/; ').and.to.include('; HttpOnly; Secure; SameSite=Lax')
  })

  it('without the routes for logging out at the server there are no login marks', async () => {
    app = await startApp({ store })
    await createBrowser().open(app.url('/login'))
    expect(recordsOf('lm.')).to.be.empty
    expect(recordsOf('tr.')).to.have.length(1)
  })
})
