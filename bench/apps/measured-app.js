import { once } from 'node:events'
import { createServer } from 'node:http'
import session, { MemoryStore } from 'express-session'

/** Signs the session cookies of all apps, or encrypts them. */
export const sessionSecret = 'bench.session.secret.0123456789abcdef'

/**
 * An app in a process of its own. `process.argv[2]` is JSON: `issuer`; `registration`, of the client
 * there; `redis`, the URL of a Redis to keep sessions in; and what the app itself knows. Every app has
 *
 * - `GET /`: who is signed in and how long the access token is, or 401;
 * - `GET /public`: a page for everybody, which uses no token;
 * - `GET /login`, or as the package under test has it.
 *
 * Answers questions over the IPC channel: `cpu` in microseconds (user and system, all threads),
 * `heap` in bytes after a full collection, `fill <n>` adds so many copies of every kind of row to the
 * store.
 */
export async function serveMeasured(createApp) {
  const settings = JSON.parse(process.argv[2] ?? '{}')
  const server = createServer()
  // Longer than a round of the other apps: a connection must not be set up anew in a measured round.
  server.keepAliveTimeout = 120_000
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  // The port is taken before the app is made, since its redirect URI names it.
  const origin = `http://127.0.0.1:${server.address().port}`
  const store = await createStore(settings.redis)
  const app = await createApp({ ...settings, origin, store })
  app.get('/public', function publicPage(_req, res) {
    res.json({ hello: 'world' })
  })
  server.on('request', app)
  answerQuestions(store)
  process.send({ origin })
}

/** The session middleware that all apps have which need one. */
export function sessions(store) {
  return session({ secret: sessionSecret, resave: false, saveUninitialized: false, store })
}

async function createStore(redis) {
  if (redis === undefined) return new MemoryStore()
  const { createClient } = await import('redis')
  const { RedisStore } = await import('connect-redis')
  return new RedisStore({ client: await createClient({ url: redis }).connect() })
}

function answerQuestions(store) {
  const answers = {
    cpu() {
      const { user, system } = process.cpuUsage()
      return user + system
    },
    async heap() {
      // MemoryStore drops what has expired when it lists what there is.
      await new Promise((resolve) => store.all(resolve))
      globalThis.gc()
      globalThis.gc()
      const { heapUsed, external } = process.memoryUsage()
      return heapUsed + external
    },
    fill: (copies) => fill(store, Number(copies)),
  }
  process.on('message', async (question) => {
    const [name, argument] = question.split(' ')
    process.send({ answer: await answers[name](argument) })
  })
  process.on('disconnect', () => process.exit())
}

/** Copies one row of each kind (`pl.`, `tr.`, sessions) under new keys, each with text of its own. */
function fill(store, copies) {
  const samples = new Map(
    Object.entries(store.sessions).map(([key, row]) => [/^[a-z]{2}\./.exec(key)?.[0] ?? '', row]),
  )
  for (const [kind, row] of samples)
    for (let copy = 0; copy < copies; copy += 1)
      store.sessions[`${kind}${copy.toString(16).padStart(32, '0')}`] = Buffer.from(row).toString()
  return Object.keys(store.sessions).length
}
