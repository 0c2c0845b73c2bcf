import { expect } from 'chai'
import { MemoryStore } from 'express-session'
import { type AppSetUp, type RunningApp, startApp } from '../support/app.ts'
import { createBrowser } from '../support/browser.ts'
import { type Capture, captureOutput } from '../support/output.ts'
import { rows } from '../support/rows.ts'
import {
  createSecrets,
  type Destinations,
  expectKnownPlace,
  expectNoEcho,
  expectNoSecret,
  expectNoSecretInError,
  expectPrivate,
  expectStatus,
  placeOf,
  type Secrets,
} from './properties.ts'
import { createRawClient, type WireAnswer, type WireRequest } from './raw-client.ts'

/** What may be answered to a request beside what always may. */
export interface Expectation {
  /** Codes of 5xx that its parameters stand for. Default: none. */
  failures?: readonly string[]
  /** Whether it is a repetition of, or itself, an answer that signs this browser in. Default: no. */
  signsIn?: boolean
  /** Whether it may be answered by a page of the app's own. Default: no. */
  isOfApp?: boolean
}

/** A login that a new browser started. */
export interface Started {
  state: string
  /** Name and value of its binding cookie. */
  cookie: string
  /** Where the browser was sent. */
  authorizationUrl: string
}

/** A login that waits for its answer, which is there. */
export interface Pending extends Started {
  code: string
}

/** An app with somebody signed in, at whose routes cases are tried. */
export interface World {
  readonly app: RunningApp
  readonly destinations: Destinations
  /** Sends it, and sees to it that the answer has every property. */
  send(request: WireRequest, expected?: Expectation): Promise<WireAnswer | undefined>
  /** The login that an answer started, if it did. */
  startedBy(answer: WireAnswer): Started | undefined
  /** One that a case left as it was, or a new one. */
  pending(): Promise<Pending>
  /** A new one, started with a query that may be no HTTP. */
  pending(query: string): Promise<Pending | undefined>
  /** One that was finished. */
  spent(): Promise<Pending>
  /** The browser comes to the callback route with these parameters, and goes on from there. */
  bring(started: Started, parameters: Record<string, string>): Promise<WireAnswer | undefined>
  /** It comes with the answer as the authorization server gives it. */
  finish(login: Pending): Promise<WireAnswer>
  /** For other cases: nothing has become of it. */
  keepPending(login: Pending): void
  keepSpent(login: Pending): void
  /** The session cookie of somebody who is signed in, who is no bystander. */
  member(): Promise<string>
  /** They are signed in as before. */
  keepMember(cookie: string): void
}

/** Worlds for any number of cases, in bounded memory: each is used for some, and then left. */
export interface Worlds {
  run(property: (world: World) => Promise<void>): Promise<void>
  /** What was generated led to answers of each of these kinds: status, code, where they redirect to. */
  expectSeen(...kinds: string[]): void
  close(): Promise<void>
}

const casesPerWorld = 2_000

/** Cases between two looks at the person who is signed in, and between two more logins. */
const casesPerLook = 20
const casesPerLogin = 100

/** Seconds: `loginTimeout`, by default. */
const longestCookie = 600

/** Once in a process, about Express's parser of request targets that are whole URLs (DEP0170). */
const ofNode = /^The URL .* is invalid\. Future versions of Node\.js will throw an error\..*$\n?/gms

/** Logins of each kind that are there to be tried again. */
const mostKept = 50

interface OpenWorld extends World {
  /** Errors that arrived at the app's error handler show no secret. */
  checkErrors(): void
  /** Nothing was printed, and who was signed in before is so, with the same token. */
  look(): Promise<void>
  /** People can log in. */
  logIn(): Promise<void>
  /** Nobody is signed in who did not log in. */
  leave(): Promise<void>
}

/** Opened by the first case. What is printed meanwhile is looked at, and shown to nobody. */
export function createWorlds(setUp: AppSetUp = {}): Worlds {
  const seen = new Map<string, number>()
  let output: Capture | undefined
  let current: { world: Promise<OpenWorld>; begun: number; running: number } | undefined

  return {
    expectSeen(...kinds) {
      const answers = [...seen.values()].reduce((sum, number) => sum + number, 0)
      if (process.env.GENERATED_SEEN !== undefined)
        process.stdout.write(`${JSON.stringify([...seen])}\n`)
      // A few cases more than a quick look has.
      if (answers > 4_000) expect([...seen.keys()]).to.include.members(kinds)
    },
    async run(property) {
      output ??= captureOutput()
      current ??= { world: openWorld(setUp, seen, output), begun: 0, running: 0 }
      const used = current
      used.begun += 1
      used.running += 1
      const { begun } = used
      if (begun === casesPerWorld) current = undefined
      const world = await used.world
      try {
        await property(world)
        world.checkErrors()
        if (begun % casesPerLook === 0) await world.look()
        if (begun % casesPerLogin === 0) await world.logIn()
      } finally {
        used.running -= 1
        if (used.running === 0 && used.begun === casesPerWorld) await world.leave()
      }
    },
    async close() {
      try {
        await (await current?.world)?.leave()
      } finally {
        output?.stop()
      }
    },
  }
}

/** Members of records that are secrets. Session ids are keys. */
const secretMembers = ['codeVerifier', 'nonce', 'code', 'accessToken', 'refreshToken', 'idToken']

/** A store that tells what secrets are put into it. */
function createTellingStore(secrets: Secrets): MemoryStore {
  const store = new MemoryStore()
  const set = store.set.bind(store)

  function tell(content: unknown) {
    if (typeof content !== 'object' || content === null) return
    for (const [name, value] of Object.entries(content)) {
      if (secretMembers.includes(name)) secrets.add(value)
      if (['content', 'answer', 'tokens'].includes(name)) tell(value)
    }
  }

  store.set = (key, session, done) => {
    if (key.includes('.')) tell(session)
    else secrets.add(key)
    set(key, session, done)
  }
  return store
}

async function openWorld(
  setUp: AppSetUp,
  seen: Map<string, number>,
  output: Capture,
): Promise<OpenWorld> {
  const secrets = createSecrets()
  const app = await startApp({
    store: createTellingStore(secrets),
    // Codes wait for the case that takes them.
    serverOptions: { codeLifetime: 3_600_000 },
    ...setUp,
    before(express) {
      express.use((_req, res, next) => {
        res.setHeader('X-App', '1')
        next()
      })
      setUp.before?.(express)
    },
  })
  const { server } = app
  const destinations: Destinations = {
    origins: [app.origin, ...((setUp.flow?.returnToOrigins as string[] | undefined) ?? [])],
    authorization: server.metadata.authorization_endpoint,
    endSession: server.metadata.end_session_endpoint ?? server.issuer,
    clientId: 'test-client',
    redirectUri: app.url('/callback'),
  }
  const isProxied = setUp.tlsProxy === true
  const client = createRawClient(app.origin)
  const atServer = createRawClient(server.origin)
  /** Ids of sessions that somebody logged in to. */
  const signedIn = new Set<string>()

  function keepSignedIn(cookie: string) {
    const id = /connect\.sid=s%3A([^.;]+)/.exec(cookie)?.[1]
    expect(id, cookie).to.be.a('string')
    signedIn.add(decodeURIComponent(id!))
  }

  async function send(request: WireRequest, expected: Expectation = {}) {
    const { headers = [] } = request
    const forwarded = [['X-Forwarded-Proto', 'https']] as const
    const sent = isProxied ? { ...request, headers: [...headers, ...forwarded] } : request
    const answer = await client.send(sent)
    if (answer === undefined || !answer.headers.has('x-app')) {
      count(seen, 'not HTTP')
      if (answer && (answer.status < 400 || answer.status > 431)) expect.fail(answer.raw)
      return undefined
    }
    expectStatus(answer, expected.failures)
    expectNoEcho(answer)
    expectNoSecret(answer, secrets, destinations)
    if (expected.isOfApp !== true) expectPrivate(answer)
    const location = placeOf(answer)
    const place =
      location === undefined
        ? undefined
        : expectKnownPlace(location, app.url(encodeURI('/')), destinations)
    count(seen, kindOf(answer, place))
    for (const cookie of answer.headers.get('set-cookie') ?? [])
      if (Number(/; Max-Age=(\d+)/.exec(cookie)?.[1] ?? 0) > longestCookie)
        expect.fail(`a cookie that outlives every login: ${answer.raw}`)
    const session = answer.headers.get('set-cookie')?.find((each) => /^connect\.sid=/.test(each))
    if (expected.signsIn === true && session !== undefined) keepSignedIn(session)
    else if (session !== undefined) expect.fail(`signs somebody in: ${answer.raw}`)
    return answer
  }

  function kindOf({ status, body }: WireAnswer, place: URL | undefined): string {
    const to =
      place &&
      (place.origin === app.origin
        ? 'the app'
        : place.origin === server.origin
          ? 'the server'
          : 'elsewhere')
    const code = status >= 400 ? (/"code":"(\w+)"/.exec(body)?.[1] ?? '') : ''
    return [status, code, to].filter(Boolean).join(' ')
  }

  function startedBy(answer: WireAnswer): Started | undefined {
    const [authorizationUrl = ''] = answer.headers.get('location') ?? []
    if (!authorizationUrl.startsWith(destinations.authorization)) return undefined
    const state = new URL(authorizationUrl).searchParams.get('state') ?? ''
    const cookies = answer.headers.get('set-cookie') ?? []
    const cookie = cookies.find((each) => /^(__Host-)?pkce\./.test(each))?.split(';')[0] ?? ''
    secrets.add(state)
    secrets.add(cookie.replace(/^.*\./, ''))
    return { state, cookie, authorizationUrl }
  }

  async function codeFor(authorizationUrl: string): Promise<string> {
    const { pathname, search } = new URL(authorizationUrl)
    const answer = await atServer.send({ target: pathname + search })
    const [location = ''] = answer?.headers.get('location') ?? []
    const code = /[?&]code=([\w-]+)|name="code" value="([\w-]+)"/.exec(location || answer!.body)
    const value = code?.[1] ?? code?.[2]
    secrets.add(value)
    keepServerSecrets()
    return value!
  }

  const pendingLogins: Pending[] = []
  const spentLogins: Pending[] = []

  async function pending(): Promise<Pending>
  async function pending(query: string): Promise<Pending | undefined>
  async function pending(query?: string): Promise<Pending | undefined> {
    const kept = query === undefined ? pendingLogins.pop() : undefined
    if (kept !== undefined) return kept
    const answer = await send({ target: `/login${query ?? ''}` })
    const started = answer && startedBy(answer)
    return started && { ...started, code: await codeFor(started.authorizationUrl) }
  }

  async function bring({ state, cookie }: Started, what: Record<string, string>) {
    const parameters = new URLSearchParams({ ...what, state, iss: server.issuer }).toString()
    const isPosted = setUp.flow?.responseMode === 'form_post'
    const form = [['Content-Type', 'application/x-www-form-urlencoded']] as const
    const expected = { signsIn: 'code' in what }
    const headers = [['Cookie', cookie], ...(isPosted ? form : [])] as const
    const target = isPosted ? '/callback' : `/callback?${parameters}`
    const request = isPosted ? { method: 'POST', target, body: parameters } : { target }
    const answer = await send({ ...request, headers }, expected)
    const next = answer && placeOf(answer)
    if (next?.startsWith('/callback?continue=') !== true) return answer
    return send({ target: next, headers: [['Cookie', cookie]] }, expected)
  }

  async function finish(login: Pending): Promise<WireAnswer> {
    const answer = await bring(login, { code: login.code })
    if (answer === undefined || placeOf(answer) === undefined)
      expect.fail(`no login: ${answer?.raw}`)
    return answer
  }

  async function spent(): Promise<Pending> {
    const kept = spentLogins.pop()
    if (kept !== undefined) return kept
    const login = await pending()
    await finish(login)
    return login
  }

  const members: string[] = []

  async function member(): Promise<string> {
    const kept = members.pop()
    if (kept !== undefined) return kept
    const { headers } = await finish(await pending())
    const cookie = headers.get('set-cookie')?.find((each) => each.startsWith('connect.sid='))
    return cookie?.split(';')[0] ?? expect.fail('no session cookie')
  }

  function keepServerSecrets() {
    for (const secret of server.secrets) secrets.add(secret)
    ;(server.secrets as Set<string>).clear()
  }

  async function tokenOf(browser: ReturnType<typeof createBrowser>) {
    const page = await browser.request(app.url('/public'))
    return (JSON.parse(page.body) as { token: unknown }).token
  }

  async function logInAnew() {
    const browser = createBrowser({ tlsProxy: isProxied })
    let page = await browser.open(app.url('/login?returnTo=/public'))
    if (page.body.includes('<form')) page = await browser.open(...postedForm(page.body))
    expect(page, page.body).to.include({ status: 200, url: app.url('/public') })
    keepSignedIn(`connect.sid=${browser.cookies.get('127.0.0.1')?.get('connect.sid') ?? ''}`)
    const token = await tokenOf(browser)
    expect(token, 'a login').to.be.a('string')
    keepServerSecrets()
    return { browser, token }
  }

  await app.flow.ready()
  const bystander = await logInAnew()
  server.authorizeAs('bob')
  keepServerSecrets()

  return {
    app,
    destinations,
    send,
    startedBy,
    member,
    keepMember: (cookie) => keep(members, cookie),
    pending,
    spent,
    bring,
    finish,
    keepPending: (login) => keep(pendingLogins, login),
    keepSpent: (login) => keep(spentLogins, login),
    checkErrors() {
      for (const error of app.errors.splice(0)) expectNoSecretInError(error, secrets)
    },
    async look() {
      keepServerSecrets()
      const printed = output.take()
      expect(secrets.findIn(printed), `printed: ${printed}`).to.equal(undefined)
      if (process.env.NODE_DEBUG === undefined)
        expect(printed.replaceAll(ofNode, ''), 'what was printed').to.equal('')
      expect(await tokenOf(bystander.browser), 'of who is signed in').to.equal(bystander.token)
    },
    async logIn() {
      await logInAnew()
    },
    async leave() {
      const { sessions } = await rows(app.store)
      client.close()
      atServer.close()
      await app.close()
      for (const { key, content } of sessions)
        if (content.pkceFlow !== undefined)
          expect(signedIn.has(key), 'signed in without a login').to.equal(true)
    },
  }
}

/** URL and navigation of a page's form, as a button submits it. */
function postedForm(
  page: string,
): [string, { method: string; headers: Record<string, string>; body: string }] {
  const action = /action="([^"]*)"/.exec(page)?.[1] ?? ''
  const fields = [...page.matchAll(/name="(\w+)" value="([^"]*)"/g)]
  const body = new URLSearchParams()
  for (const [, name = '', value = ''] of fields) body.append(name, value)
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  return [action, { method: 'POST', headers, body: body.toString() }]
}

function count(seen: Map<string, number>, what: string): void {
  seen.set(what, (seen.get(what) ?? 0) + 1)
}

function keep<Kept>(list: Kept[], kept: Kept): void {
  if (list.length < mostKept) list.push(kept)
}
