import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import type { Express, Request } from 'express'
import fc from 'fast-check'
import type { PkceFlow } from '../../src/index.ts'
import { startAnsweringServer, type AnsweringServer } from './answering-server.ts'
import { edited, spoilings, textOf, type Spoiling } from './documents.ts'
import { holdsForAll } from './generated.ts'
import { codeFor, openGoodServer, type GoodServer } from './good-server.ts'
import { createLanes, type Lanes } from './lanes.ts'
import {
  clientSecret,
  startLightApp,
  startLogin,
  type LightApp,
  type Outcome,
} from './light-app.ts'
import { documentedError, expectHarmless, expectNoSecretIn, processStaysCalm } from './outcomes.ts'
import { RewindableStore } from './rewindable-store.ts'
import { openTab, type Tab } from './tab.ts'

/** Rows as texts, by store and key. */
type Rows = readonly (readonly [store: RewindableStore, key: string, text: string])[]

/** A moment of a login: what the stores held, and how the browser goes on. */
interface Moment {
  tab: Tab
  rows: Rows
  /** What the browser asks for next; `undefined` where it may go anywhere. */
  path: string | undefined
  nonce: string
  sub: string
  /** What must not be seen of them. */
  secrets: readonly string[]
}

/** One app with its server, and every moment of a login there. */
interface World {
  app: LightApp
  users: RewindableStore | undefined
  isSealed: boolean
  moments: Record<'started' | 'finished' | 'signed in', Lanes<Moment>>
}

/** A row is changed at one place: at the top, or in an object inside. */
interface Case {
  world: number
  moment: 'started' | 'finished' | 'signed in'
  row: number
  place: number
  spoiling: Spoiling
  /** Instead: the row is this, or another row of the same kind. */
  whole: 'null' | '"text"' | '5' | '[]' | '{}' | 'of another' | undefined
  ciphertext: 'as it is' | 'cut' | 'flipped' | 'longer' | 'plain' | 'of another'
  path: string
}

const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']

/** What an older or a hostile writer could put anywhere. */
const texts = [
  JSON.stringify('https://evil.invalid/'),
  ...['"//evil.invalid"', '"/\\\\evil.invalid"', '"javascript:alert(1)"', '"/fine"', '"a.b.c"'],
  ...['"done"', '"failed"', '"a\\r\\nb"', '9e15', '1e15', '-5', '"eyJhIjoxfQ"'],
  '{"status":"done"}',
  '{"status":"done","at":1,"landing":"https://evil.invalid/"}',
  '{"status":"done","at":9e12,"landing":"/fine","sessionId":{}}',
  '{"status":"done","at":9e12,"landing":5,"sessionId":"none"}',
  '{"status":"failed"}',
  '{"status":"failed","code":"toString","message":"a"}',
  '{"status":"failed","code":"__proto__","message":5}',
  '{"status":"failed","code":"access_denied","message":"No","retryAfter":"a\\r\\nb"}',
  '{"status":"failed","code":"server_unavailable","message":"Later","retryAfter":{}}',
  '{"status":"taken","at":1}',
  '{"status":"taken","at":"now"}',
  '{"status":"taken"}',
  '{"status":"unheard of"}',
  '{"code":5}',
  '{"error":["a"]}',
  '{"code":"a","iss":"https://evil.invalid"}',
  '[1]',
  '["openid",5]',
  '{"accessToken":"a"}',
  '{"accessToken":"a\\r\\nb","scope":[]}',
  '{"accessToken":"","scope":[]}',
  '{"accessToken":"abc","scope":[{}],"expiresAt":"never","issuedAt":0}',
  '{"accessToken":"abc","scope":[],"expiresAt":1,"issuedAt":0,"refreshToken":5}',
  '{"accessToken":"abc","scope":[],"expiresAt":1,"issuedAt":0,"refreshToken":"abc"}',
  '{"issuedAt":9e12,"receivedAt":9e12}',
  '{"issuedAt":"a","receivedAt":null,"tokenId":[]}',
]

const cases: fc.Arbitrary<Case> = fc.record({
  world: fc.nat({ max: 3 }),
  moment: fc.constantFrom('started', 'finished', 'signed in', 'signed in'),
  row: fc.nat({ max: 20 }),
  place: fc.nat({ max: 20 }),
  spoiling: spoilings(names, texts),
  whole: fc.oneof(
    { weight: 12, arbitrary: fc.constant(undefined) },
    {
      weight: 1,
      arbitrary: fc.constantFrom('null', '"text"', '5', '[]', '{}', 'of another'),
    },
  ),
  ciphertext: fc.constantFrom('as it is', 'cut', 'flipped', 'longer', 'plain', 'of another'),
  path: fc.constantFrom('/', '/token', '/recent', '/userinfo', '/logout', '/disconnect', '/login'),
})

describe('stored records as an older or a hostile writer leaves them', function () {
  let server: AnsweringServer
  let good: GoodServer
  const worlds: World[] = []

  function routes(app: Express, flow: PkceFlow) {
    const recent = { maxAge: 1_000, acrValues: 'gold', unauthenticated: 'next' } as const
    app.get('/recent', flow.requireLogin(recent), (_req, res) => {
      res.json({})
    })
    app.get('/userinfo', (req, res, next) => {
      flow.userInfo(req).then((claims) => res.json(claims), next)
    })
    app.get('/disconnect', (req, res, next) => {
      flow.disconnect(req).then((done) => res.json(done), next)
    })
  }

  async function createWorld(isSealed: boolean, users?: RewindableStore): Promise<World> {
    const app = await startLightApp({
      flow: {
        issuer: good.issuer,
        routes: { backchannelLogout: '/backchannel' },
        ...(isSealed && { encryptionKeys: [randomBytes(32)] }),
        ...(users && {
          tokenStore: users,
          userId: (req: Request) => /person-\d+/.exec(req.headers.cookie ?? '')?.[0],
        }),
      },
      routes,
    })
    const snapshot = (): Rows =>
      [app.store, users].flatMap((store) =>
        [...(store?.store ?? [])].map(([key, text]) => [store!, key, text] as const),
      )
    let people = 0

    /** A person of its own, so that no lane has a row in common with another. */
    async function begin(): Promise<Moment & { state: string }> {
      const sub = `person-${(people += 1)}`
      const tab = openTab(app.port)
      tab.cookies.set('user', sub)
      const before = new Set(snapshot().map(([, key]) => key))
      const login = await startLogin(app, tab)
      const path = `/callback?code=${codeFor(login.nonce, sub)}&state=${login.state}`
      const rows = snapshot().filter(([, key]) => !before.has(key))
      return { ...login, path, rows, sub, secrets: secretsIn(rows, login.nonce) }
    }

    async function finish(): Promise<Moment> {
      const before = new Set(snapshot().map(([, key]) => key))
      const begun = await begin()
      expect((await app.ask(begun.tab, begun.path ?? '')).status).to.equal(302)
      const rows = snapshot().filter(([, key]) => !before.has(key))
      return { ...begun, rows, secrets: secretsIn(rows, begun.nonce) }
    }

    const moments = {
      started: await createLanes(begin),
      finished: await createLanes(finish),
      'signed in': await createLanes(async () => ({ ...(await finish()), path: undefined })),
    }
    return { app, users, isSealed, moments }
  }

  before(async function () {
    this.timeout(20_000)
    server = await startAnsweringServer()
    good = openGoodServer(server)
    worlds.push(
      await createWorld(false),
      await createWorld(true),
      await createWorld(false, new RewindableStore()),
      await createWorld(true, new RewindableStore()),
    )
  })

  after(async () => {
    for (const { app } of worlds) await app.close()
    await server.close()
  })

  processStaysCalm(['PKCE_FLOW_SEALED_RECORD'])

  async function holds({ world: index, moment, path, ...change }: Case) {
    const world = worlds[index]!
    await world.moments[moment].use(async (lane, round) => {
      const { secrets } = lane
      rewind(lane.rows)
      const at = change.row % lane.rows.length
      const [store, key] = lane.rows[at]!
      const text = changed(lane.rows, at, world.isSealed, change)
      store.put(key, text)

      const tab = openTab(world.app.port, lane.tab)
      const outcome = await world.app.ask(tab, lane.path ?? path)
      expectFine(outcome, `${lane.path ? 'callback' : path}: ${key} = ${text}`)
      expectHarmlessTo(outcome, path === '/token' ? [] : secrets, world)
      if (round % 3 !== 0) return
      const after = await world.app.ask(tab, '/')
      expectFine(after, `/ afterwards: ${key} = ${text}`)
      expect(JSON.parse(after.body)).to.have.property('sub').that.is.oneOf([lane.sub, null])

      if (round % 9 !== 0) return
      rewind(lane.rows)
      const again = openTab(world.app.port, lane.tab)
      const usual = await world.app.ask(again, lane.path ?? '/token')
      expect(usual.status, usual.body).to.equal(lane.path === undefined ? 200 : 302)
      const { body } = await world.app.ask(again, '/')
      expect(JSON.parse(body)).to.include({ sub: lane.sub, connected: true })
    })
  }

  /** Never at the server's door, and never a crash: it did nothing wrong. */
  function expectFine({ status, body, error }: Outcome, what: string) {
    if (error === undefined) {
      expect(status, `${what}\n${body}`).to.be.oneOf([200, 302, 303])
      return
    }
    const { code, party } = documentedError(error)
    const isStored = /"outcome":/.test(what) || /nonce|maxAge|scope/.test(what)
    if (!isStored || party !== 'server')
      expect(party, `${what}\n${code}`).to.be.oneOf(['browser', 'person'])
  }

  function expectHarmlessTo(outcome: Outcome, secrets: readonly string[], { app }: World) {
    const { location, ...headers } = outcome.headers
    const isAway = location?.startsWith(`${good.issuer}/`) === true
    expectHarmless({ ...outcome, headers: isAway ? headers : outcome.headers }, secrets)
    if (location !== undefined && !isAway) {
      expect(location, 'where it leads').to.match(/^\/(?![/\\])/)
      expect(new URL(location, app.origin).origin).to.equal(app.origin)
    }
    if (outcome.error !== undefined) expectNoSecretIn(outcome.error, secrets)
  }

  holdsForAll('no crash, nobody else, nowhere else, and the next login works', cases, holds)
})

function secretsIn(rows: Rows, nonce: string): string[] {
  const all = rows.map(([, key, text]) => `${key.includes('.') ? '' : key} ${text}`).join(' ')
  const found = all.match(/good-(access|refresh)-token-\d+[."]|eyJ[\w-]+\.[\w-]+\.[\w-]+/g) ?? []
  return [...found.map((each) => each.replace(/[."]$/, '')), nonce, clientSecret]
}

function rewind(rows: Rows): void {
  for (const [store, key, text] of rows) store.put(key, text)
}

/** The text of the row after the change. */
function changed(
  rows: Rows,
  at: number,
  isSealed: boolean,
  { place, spoiling, whole, ciphertext }: Omit<Case, 'world' | 'moment' | 'path'>,
): string {
  const [, key, text] = rows[at]!
  const another = rows[(at + 1) % rows.length]![2]
  if (whole !== undefined && key.includes('.')) return whole === 'of another' ? another : whole
  const row = JSON.parse(text) as Record<string, unknown>
  if (isSealed && typeof row.content === 'string' && place % 2 === 0)
    return JSON.stringify({ ...row, content: otherCiphertext(row.content, another, ciphertext) })
  // What else is in a session is express-session's, which takes it as it is.
  const places = 'version' in row ? objectsIn(row) : objectsIn(row.pkceFlow)
  const target = places[place % places.length]!
  return written(row, target, spoiling)
}

function otherCiphertext(content: string, another: string, how: Case['ciphertext']): unknown {
  const bytes = Buffer.from(content, 'base64url')
  switch (how) {
    case 'as it is':
      return content
    case 'cut':
      return bytes.subarray(0, bytes.length - 5).toString('base64url')
    case 'flipped':
      bytes[bytes.length >> 1]! ^= 1
      return bytes.toString('base64url')
    case 'longer':
      return `${content}AAAA`
    case 'plain':
      return { record: { tokens: { accessToken: 'a', scope: [] }, connectedAt: 1, revision: 'a' } }
    case 'of another':
      return (JSON.parse(another) as { content?: unknown }).content
  }
}

/** Every object in a row, itself among them. */
function objectsIn(value: unknown): object[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return []
  return [value, ...Object.values(value).flatMap(objectsIn)]
}

/** The row as JSON, `target` in it spoilt. */
function written(value: unknown, target: object, spoiling: Spoiling): string {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return JSON.stringify(value)
  const members = Object.entries(value).map(
    ([name, member]) => [name, written(member, target, spoiling)] as const,
  )
  return textOf(value === target ? edited(members, spoiling.edits) : members)
}
