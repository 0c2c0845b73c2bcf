import http from 'node:http'
import type { AddressInfo } from 'node:net'
import express, { type ErrorRequestHandler, type Express } from 'express'
import session, { MemoryStore, type SessionOptions } from 'express-session'
import { type PkceFlow, pkceFlow, PkceFlowError, type PkceFlowOptions } from '../../src/index.ts'
import {
  createTestAuthorizationServer,
  type TestAuthorizationServer,
  type TestAuthorizationServerOptions,
} from '../../src/testing/index.ts'
import { isReadable } from './readable.ts'

/** Options of {@link startApp}. */
export interface AppSetUp {
  /** Over the defaults, which log in at `server`. */
  flow?: Partial<Record<keyof PkceFlowOptions, unknown>>
  session?: Partial<SessionOptions>
  /** Where sessions and records are kept. Default: a new one. */
  store?: MemoryStore
  /** Behind a proxy that ends TLS: `origin` and `redirectUri` are `https:`; see `tlsProxy` of createBrowser. */
  tlsProxy?: boolean
  /** Default: a new one, closed with the app. */
  server?: TestAuthorizationServer
  /** Options of the new one. */
  serverOptions?: TestAuthorizationServerOptions
  /** The browser comes back from the server's logout: to `/logged-out`, which leads to `afterLogout`. */
  postLogout?: boolean
  /** Mounts what comes before the flow. */
  before?: (app: Express) => void
  /** Mounts the app's own routes; by default `/`, `/token`, `/login-only`, `/public`. */
  routes?: (app: Express, flow: PkceFlow) => void
  /** Where the router is mounted. */
  mount?: string
}

/** An app that uses the package, listening on a free loopback port. */
export interface RunningApp {
  readonly origin: string
  readonly app: Express
  readonly flow: PkceFlow
  readonly server: TestAuthorizationServer
  readonly store: MemoryStore
  /** Errors that arrived at the app's error handler, oldest first. */
  readonly errors: unknown[]
  url(path: string): string
  close(): Promise<void>
}

/** A server that offers no logout of its own: every logout ends at the app. */
export const withoutEndSession = { metadata: { end_session_endpoint: undefined } }

/** Starts an app as a user of this package would write it. */
export async function startApp(setUp: AppSetUp = {}): Promise<RunningApp> {
  const server = setUp.server ?? (await createTestAuthorizationServer(setUp.serverOptions))
  const app = express()
  const listener = http.createServer(app)
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  const scheme = setUp.tlsProxy === true ? 'https' : 'http'
  const origin = `${scheme}://127.0.0.1:${(listener.address() as AddressInfo).port}`
  if (setUp.tlsProxy === true) app.set('trust proxy', 1)

  async function close() {
    listener.closeAllConnections()
    await new Promise((resolve) => listener.close(resolve))
    if (setUp.server === undefined) await server.close()
  }
  try {
    return { ...mountApp(app, server, origin, setUp), close }
  } catch (error) {
    await close() // or a test of options that are refused would never end
    throw error
  }
}

/** Mounts session, flow and routes. Throws what `pkceFlow` throws. */
function mountApp(
  app: Express,
  server: TestAuthorizationServer,
  origin: string,
  setUp: AppSetUp,
): Omit<RunningApp, 'close'> {
  const store = setUp.store ?? new MemoryStore()
  const errors: unknown[] = []
  const flow = pkceFlow({
    issuer: server.issuer,
    clientId: 'test-client',
    clientSecret: 'test-client-secret',
    redirectUri: `${origin}/callback`,
    ...(setUp.postLogout && { postLogoutRedirectUri: `${origin}/logged-out` }),
    ...setUp.flow,
  } as PkceFlowOptions)

  setUp.before?.(app)
  app.use(
    session({
      secret: 'session-secret-of-the-tests',
      resave: false,
      saveUninitialized: false,
      store,
      ...setUp.session,
    }),
  )
  app.use(setUp.mount ?? '/', flow)
  ;(setUp.routes ?? defaultRoutes)(app, flow)
  app.use(((error: Error & { status?: number; code?: string }, _req, res, _next) => {
    errors.push(error)
    if (error instanceof PkceFlowError && !isReadable(error.message))
      throw new Error(`Nobody can read this: ${error.message}`)
    // express-session saves when the answer is out already.
    if (!res.headersSent)
      res.status(error.status ?? 500).json({ code: error.code ?? 'unknown', error: error.message })
  }) satisfies ErrorRequestHandler)

  return {
    origin,
    app,
    flow,
    server,
    store,
    errors,
    url: (path) => origin + path,
  }
}

/** What a test asks about: who is signed in, and with what token. */
function defaultRoutes(app: Express, flow: PkceFlow): void {
  app.get('/', (req, res, next) => {
    Promise.all([flow.claims(req), flow.status(req)])
      .then(([claims, status]) => res.json({ sub: claims?.sub ?? null, status }))
      .catch(next)
  })
  app.get('/public', (req, res) => {
    const { token } = req as { token?: { accessToken: string } }
    res.json({ token: token?.accessToken ?? null })
  })
  app.all(
    '/token',
    flow.requireToken((req, res) => {
      res.json({ token: req.token.accessToken })
    }),
  )
  app.all('/login-only', flow.requireLogin(), (_req, res) => {
    res.json({ ok: true })
  })
}
