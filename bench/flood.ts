import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { mock } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import express from 'express'
import session, { MemoryStore } from 'express-session'
import { pkceFlow } from '../src/index.ts'

// Logins that are started and never finished, on the store that never sweeps: what stays in it and in
// this process. `npx tsx bench/flood.ts [STARTS] [BROWSERS] [0, 1 or 2]`; a second of the clock
// is 100 starts, and the last argument chooses one of the three.
const starts = Number(process.argv[2] ?? 100_000)
const browsers = Number(process.argv[3] ?? 10_000)
const loginTimeout = 60_000
const perSecond = 100

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

async function flood(title: string, count: number, keepsCookies: boolean) {
  const store = new MemoryStore()
  const app = express()
  app.use(session({ secret: 'flood', resave: false, saveUninitialized: false, store }))
  const listener = http.createServer(app).listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const origin = `http://127.0.0.1:${(listener.address() as AddressInfo).port}`
  app.use(
    pkceFlow({
      server: {
        issuer: 'https://server.example',
        authorization_endpoint: 'https://server.example/authorize',
        token_endpoint: 'https://server.example/token',
        jwks_uri: 'https://server.example/jwks',
      },
      ...{ clientId: 'flood', redirectUri: `${origin}/callback`, loginTimeout },
      scope: 'openid',
    }),
  )
  const agent = new http.Agent({ keepAlive: true, maxSockets: 20 })
  const jars = Array.from({ length: count }, () => new Map<string, string>())

  async function begin(jar: Map<string, string>) {
    const cookie = Array.from(jar, ([name, value]) => `${name}=${value}`).join('; ')
    const headers = { accept: 'text/html', ...(cookie && { cookie }) }
    const request = http.get(`${origin}/login`, { agent, headers })
    const [response] = (await once(request, 'response')) as [http.IncomingMessage]
    response.resume()
    await once(response, 'end')
    if (response.statusCode !== 302) throw new Error(`Answered ${response.statusCode}`)
    for (const line of keepsCookies ? (response.headers['set-cookie'] ?? []) : []) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (value === '') jar.delete(name)
      else jar.set(name, value)
    }
  }

  console.log(`\n${title}\n    starts  records  heap MB  rss MB  cookies of a browser`)
  mock.timers.enable({ apis: ['Date'], now: Date.now() })
  const began = performance.now()
  for (let done = 0; done <= starts; done += perSecond) {
    if (done % (starts / 10) === 0) {
      await nextTurn()
      collectGarbage()
      const { heapUsed, rss } = process.memoryUsage()
      const { sessions } = store as unknown as { sessions: object }
      const figures = [done, Object.keys(sessions).length, heapUsed / 1e6, rss / 1e6, jars[0]?.size]
      console.log(figures.map((figure) => (figure ?? 0).toFixed(0).padStart(9)).join(''))
    }
    // Twenty at a time: a browser's own come one after the other, so that it has their cookies.
    const lanes = count === 1 && keepsCookies ? 1 : 20
    await Promise.all(
      Array.from({ length: lanes }, async (_, lane) => {
        for (let at = lane; at < perSecond; at += lanes) {
          const jar = jars[(done + at) % count]
          if (jar !== undefined) await begin(jar)
        }
      }),
    )
    mock.timers.tick(1_000)
  }
  mock.timers.reset()
  console.log(`${((performance.now() - began) / starts).toFixed(2)} ms for each start`)
  agent.destroy()
  listener.closeAllConnections()
  listener.close()
}

const floods = [
  () => flood('One browser that keeps its cookies', 1, true),
  () => flood(`${browsers} browsers that keep theirs`, browsers, true),
  () => flood('As many as there are starts, or one that keeps none', 1, false),
]
const chosen = process.argv[4]
for (const [at, each] of floods.entries())
  if (chosen === undefined || Number(chosen) === at) await each()
