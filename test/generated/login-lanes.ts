import { expect } from 'chai'
import { codeFor } from './good-server.ts'
import { createLanes, type Lanes } from './lanes.ts'
import { clientSecret, startLogin, type LightApp, type Outcome } from './light-app.ts'
import { openTab, type Tab } from './tab.ts'

/** A login that waits for its answer, in a browser in which somebody is signed in already. */
export interface LoginLane {
  readonly nonce: string
  /** Those that the stores and the browser hold. */
  readonly secrets: readonly string[]
  /** Puts the stores back to the moment before the answer. */
  rewind(): void
  /** Comes with an answer. */
  answer(parameters: Record<string, string>): Promise<Outcome & { tab: Tab }>
  /** Whether who was signed in before still is, and by the same cookie. */
  isAsBefore(outcome: Outcome): boolean
  /** The same login goes well once the server does what it should. */
  expectUsualLogin(): Promise<void>
}

/** How long a login waits, on the test's clock, before a new one is started. Milliseconds. */
const freshFor = 12 * 3_600_000

/** Lanes at an app whose server behaves while they are made. */
export async function createLoginLanes(app: LightApp): Promise<Lanes<LoginLane>> {
  return createLanes(async () => {
    let moment = await begin(app)

    const lane: LoginLane = {
      get nonce() {
        return moment.nonce
      },
      get secrets() {
        return moment.secrets
      },
      rewind() {
        const shift = Date.now() - moment.at
        if (shift > freshFor) moment = postponed(moment, shift)
        for (const [key, text] of moment.rows) app.store.put(key, text)
      },
      async answer(parameters) {
        const tab = openTab(app.port, moment.tab)
        const query = new URLSearchParams({ ...parameters, state: moment.state })
        return { ...(await app.ask(tab, `/callback?${query.toString()}`)), tab }
      },
      isAsBefore: ({ headers }) =>
        !(headers['set-cookie'] ?? []).some((line) => line.startsWith('connect.sid')) &&
        moment.rows
          .filter(([key]) => !key.startsWith('pl.'))
          .every(([key, text]) => app.store.store.get(key) === text),
      async expectUsualLogin() {
        lane.rewind()
        const { status, error, tab } = await lane.answer({ code: codeFor(moment.nonce) })
        expect([status, error]).to.deep.equal([302, undefined])
        const { body } = await app.ask(tab, '/')
        expect(JSON.parse(body)).to.include({ sub: 'alice', connected: true })
      },
    }
    return lane
  })
}

interface LoginMoment {
  tab: Tab
  state: string
  nonce: string
  rows: readonly (readonly [key: string, text: string])[]
  secrets: readonly string[]
  at: number
}

async function begin(app: LightApp): Promise<LoginMoment> {
  const earlier = await startLogin(app)
  const code = codeFor(earlier.nonce, 'bob')
  const { status } = await app.ask(earlier.tab, `/callback?code=${code}&state=${earlier.state}`)
  expect(status).to.equal(302)
  const before = new Set([...app.store.store.keys()].filter((key) => key.startsWith('pl.')))
  const login = await startLogin(app, earlier.tab)
  const session = /^s%3A([^.]+)/.exec(login.tab.cookies.get('connect.sid') ?? '')?.[1] ?? ''
  const row = app.store.store.get(session) ?? ''
  const record = `tr.${/"([0-9a-f]{32})[."]/.exec(row)?.[1] ?? ''}`
  const rows = [...app.store.store].filter(
    ([key]) => key === session || key === record || (key.startsWith('pl.') && !before.has(key)),
  )
  expect(rows.map(([key]) => key.slice(0, 3)).sort()).to.include.members(['pl.', 'tr.'])
  const bound = [...login.tab.cookies.values()].map((value) => value.split('.')[1] ?? '')
  const verifier = /"codeVerifier":"([^"]+)"/.exec(JSON.stringify(rows).replaceAll('\\', ''))?.[1]
  return {
    tab: login.tab,
    state: login.state,
    nonce: login.nonce,
    rows,
    secrets: [login.state, login.nonce, verifier ?? '', session, clientSecret, ...bound],
    at: Date.now(),
  }
}

/** The same moment, so many milliseconds later: what would have expired has not. */
function postponed(moment: LoginMoment, shift: number): LoginMoment {
  const rows = moment.rows.map(([key, text]) => {
    const later = text.replace(/\b1[78]\d{11}\b/g, (time) => String(Number(time) + shift))
    return [key, later.replace(/"expires":"[^"]+"/g, '"expires":null')] as const
  })
  return { ...moment, rows, at: moment.at + shift }
}
