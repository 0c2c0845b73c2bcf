// An app in a process of its own. Says where it listens; ends when its parent has gone.
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import connectPgSimple from 'connect-pg-simple'
import { RedisStore } from 'connect-redis'
import express, { type ErrorRequestHandler, type Request, type RequestHandler } from 'express'
import session, { type Store } from 'express-session'
import pg from 'pg'
import { createClient } from 'redis'
import { pkceFlow, type PkceFlowError } from '../../src/index.ts'
import type { Lock } from '../../src/options/lock.ts'
import { postgresLock } from '../../src/storage/postgres-lock.ts'
import { redisLock } from '../../src/storage/redis-lock.ts'

declare module 'express-session' {
  interface SessionData {
    visits?: number
  }
}

/** What a worker is told. */
export interface WorkerSettings {
  issuer: string
  /** The same for all; nobody need listen there. */
  redirectUri: string
  /** Where sessions are kept, with the records and the lock unless `recordsUrl` says otherwise. */
  store: 'redis' | 'postgres'
  url: string
  /** A Redis of their own for records and lock. */
  recordsUrl?: string
  timeout: number
  /** Where logout tokens are posted. */
  backchannelLogout?: string
}

const settings = JSON.parse(process.env.APP_WORKER ?? '') as WorkerSettings
const { issuer, redirectUri, timeout, recordsUrl, backchannelLogout } = settings

const sessions = settings.store === 'redis' ? await openRedis(settings.url) : openPostgres()
const records = recordsUrl === undefined ? sessions : await openRedis(recordsUrl)
const flow = pkceFlow({
  issuer,
  clientId: 'test-client',
  clientSecret: 'test-client-secret',
  redirectUri,
  timeout,
  routes: backchannelLogout === undefined ? {} : { backchannelLogout },
  store: records.store,
  lock: records.lock,
})

const app = express()
app.use(
  session({
    secret: 'session-secret-of-the-tests',
    resave: false,
    saveUninitialized: false,
    store: sessions.store,
  }),
)

// Above the flow, which would refresh the token before their handlers begin.
app.get(
  '/late',
  json(async (req) => {
    await flow.status(req) // what there is was read by this request now
    await gate()
    return { token: (await flow.token(req))?.accessToken ?? null }
  }),
)
app.get(
  '/slow-visit',
  json(async (req) => {
    await gate()
    req.session.visits = (req.session.visits ?? 0) + 1
    return {}
  }),
)

app.use(flow)
app.get('/public', json(attached))
app.get('/token', flow.requireToken({ unauthenticated: 'problem' }), json(attached))
app.get(
  '/who',
  json(async (req) => ({ sub: (await flow.claims(req))?.sub ?? null })),
)
app.get(
  '/fetched',
  json(async (req) => {
    const { status } = await flow.fetch(req, `${issuer}/userinfo`)
    return { status, token: (await flow.token(req))?.accessToken }
  }),
)
app.use(((error: PkceFlowError, _req, res, _next) => {
  res
    .status(error.status ?? 500)
    .set(error.headers)
    .json({ code: error.code })
}) satisfies ErrorRequestHandler)

const listener = app.listen(0, '127.0.0.1')
await once(listener, 'listening')
process.once('disconnect', () => process.exit())
process.send!(`http://127.0.0.1:${(listener.address() as AddressInfo).port}`)

/** Waits until the test lets it go on: the authorization server answers then. */
async function gate(): Promise<void> {
  await fetch(`${issuer}/gate`)
}

/** As docs/locks.md recommends: a client that fails fast. */
async function openRedis(url: string): Promise<{ store: Store; lock: Lock }> {
  const client = createClient({ url, disableOfflineQueue: true })
  client.on('error', () => undefined)
  await client.connect()
  return { store: new RedisStore({ client }), lock: redisLock(client) }
}

function openPostgres(): { store: Store; lock: Lock } {
  const pool = new pg.Pool({ connectionString: settings.url, connectionTimeoutMillis: 5_000 })
  pool.on('error', () => undefined)
  const PgStore = connectPgSimple(session)
  return {
    store: new PgStore({ pool, pruneSessionInterval: false }),
    lock: postgresLock(pool, { createTable: true }),
  }
}

/** Express 4 does not look at what a handler returns. */
function json(work: (req: Request) => unknown): RequestHandler {
  return (req, res, next) => {
    Promise.resolve()
      .then(() => work(req))
      .then((said) => res.json(said))
      .catch(next)
  }
}

function attached(req: Request) {
  const { token } = req as { token?: { accessToken: string } }
  return { token: token?.accessToken ?? null }
}
