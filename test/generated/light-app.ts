import { createHmac } from 'node:crypto'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import express, { type ErrorRequestHandler, type Express, type Request } from 'express'
import session from 'express-session'
import { type PkceFlow, pkceFlow, type PkceFlowOptions, type Token } from '../../src/index.ts'
import { RewindableStore } from './rewindable-store.ts'
import { openTab, type Answered, type Tab } from './tab.ts'

/** An app that remembers, for each case, what went wrong in it and who signed in. */
export interface LightApp {
  readonly port: number
  readonly origin: string
  readonly flow: PkceFlow
  readonly store: RewindableStore
  /** One request of a case; tells the error that the app's error handler was given. */
  ask(tab: Tab, path: string, headers?: Record<string, string>, form?: string): Promise<Outcome>
  /** The session cookie of a row that a test wrote. */
  cookieOf(sessionId: string): string
  close(): Promise<void>
}

/** What became of one request. */
export interface Outcome extends Answered {
  error: unknown
  /** What `onLogin` was given, if somebody signed in. */
  signedIn: Token | undefined
}

/** Header by which a request says to which case it belongs. */
const caseHeader = 'x-case'

/** Options of {@link startLightApp}. */
export interface LightAppSetUp {
  flow: Partial<Record<keyof PkceFlowOptions, unknown>>
  routes?: (app: Express, flow: PkceFlow) => void
}

/** Starts an app; `agent` is shared by all its requests to authorization servers. */
export async function startLightApp({ flow: options, routes }: LightAppSetUp): Promise<LightApp> {
  const app = express()
  const listener = http.createServer(app)
  listener.keepAliveTimeout = 60_000
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  const { port } = listener.address() as AddressInfo
  const origin = `http://127.0.0.1:${port}`
  const store = new RewindableStore()
  const outcomes = new Map<string, Partial<Outcome>>()
  const outcomeOf = (req: Request) => outcomes.get(String(req.headers[caseHeader])) ?? {}
  let asked = 0

  const flow = pkceFlow({
    clientId: 'test-client',
    clientSecret,
    redirectUri: `${origin}/callback`,
    loginTimeout: 86_400_000,
    onLogin({ req, token }: { req: Request; token: Token }) {
      outcomeOf(req).signedIn = token
    },
    ...options,
  } as unknown as PkceFlowOptions)
  app.set('etag', false)
  app.use(session({ secret: 'of-the-tests', resave: false, saveUninitialized: false, store }), flow)
  app.get('/', (req, res, next) => {
    Promise.all([flow.claims(req), flow.status(req)])
      .then(([claims, status]) => res.json({ sub: claims?.sub ?? null, ...status }))
      .catch(next)
  })
  app.get('/token', flow.requireToken({ unauthenticated: 'next' }), (req, res) => {
    const { accessToken, scope } = (req as Request & { token: Token }).token
    res.json({ token: accessToken, scope })
  })
  routes?.(app, flow)
  app.use(((error: Error & { status?: unknown }, req, res, _next) => {
    outcomeOf(req).error = error
    const { status } = error
    res.status(typeof status === 'number' ? status : 500).json({ error: error.message })
  }) satisfies ErrorRequestHandler)

  return {
    port,
    origin,
    flow,
    store,
    async ask(tab, path, headers, form) {
      const id = String((asked += 1))
      const outcome: Partial<Outcome> = {}
      outcomes.set(id, outcome)
      const type = form === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }
      const answered = await tab.ask(path, {
        method: form === undefined ? 'GET' : 'POST',
        headers: { ...type, ...headers, [caseHeader]: id },
        ...(form !== undefined && { body: form }),
      })
      outcomes.delete(id)
      return { error: outcome.error, signedIn: outcome.signedIn, ...answered }
    },
    cookieOf(id) {
      const mac = createHmac('sha256', 'of-the-tests').update(id).digest('base64')
      return encodeURIComponent(`s:${id}.${mac.replace(/=+$/, '')}`)
    },
    async close() {
      listener.closeAllConnections()
      await new Promise((resolve) => listener.close(resolve))
    },
  }
}

export const clientSecret = 'client-secret-of-generated-cases'

/** A login that was started in a tab of its own. */
export interface StartedLogin {
  tab: Tab
  state: string
  nonce: string
}

/** Starts a login; the browser's part at the authorization server is left out. */
export async function startLogin(app: LightApp, from?: Tab): Promise<StartedLogin> {
  const tab = openTab(app.port, from)
  const { status, headers, body, error } = await app.ask(tab, '/login')
  if (status !== 302) throw new Error(`No login was started: ${status} ${body}`, { cause: error })
  const { searchParams } = new URL(headers.location ?? '')
  return {
    tab,
    state: searchParams.get('state') ?? '',
    nonce: searchParams.get('nonce') ?? '',
  }
}
