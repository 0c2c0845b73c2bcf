import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { createInterface } from 'node:readline'
import type { Page } from 'playwright-core'
import { expect } from 'chai'
import { type RunningProvider, startProvider } from '../../example-app/provider.ts'
import { buildPackage } from '../support/built-package.ts'
import { describeWithPostgres, startPostgres } from '../support/postgres-server.ts'
import { describeWithRedis, startRedis } from '../support/redis-server.ts'
import { findFreePort } from '../support/service.ts'
import { describeInChromium, openTab } from './chromium.ts'
import { goToConnect, logInHere, logOut, sees } from './person.ts'

const storages = [
  { variable: 'REDIS_URL', start: startRedis, describe: describeWithRedis },
  { variable: 'DATABASE_URL', start: startPostgres, describe: describeWithPostgres },
]

for (const { variable, start, describe: describeWithStorage } of storages)
  describeWithStorage(`${variable}: the example app in several processes`, () => {
    describeInChromium('with a browser', () => {
      let storage: { url: string; stop(): Promise<void> }
      const ending: (() => Promise<unknown>)[] = []

      before(async () => {
        await buildPackage()
        storage = await start()
      })

      afterEach(async () => {
        for (const stop of ending.splice(0).reverse()) await stop()
      })

      after(() => storage.stop())

      /** Runs `npm start`, without npm; resolves when it says where it is. */
      async function startServer(env: Record<string, string>): Promise<void> {
        const child = spawn(process.execPath, ['--import', 'tsx', 'example-app/server.ts'], {
          env: { ...process.env, [variable]: storage.url, ...env },
          stdio: ['ignore', 'pipe', 'inherit'],
        })
        ending.push(() => end(child))
        for await (const line of createInterface(child.stdout))
          if (line.startsWith('The example app is at')) return
        throw new Error('The example app ended before it had started.')
      }

      /** Logs in, and then asks so often that every process has its turn. */
      async function staysSignedIn(page: Page, url: string) {
        await page.goto(url)
        await page.getByRole('link', { name: 'Log in' }).click()
        await logInHere(page, 'Ada')
        for (let times = 0; times < 8; times += 1) {
          await page.goto(new URL('notes', url).href)
          await sees(page, 'Your notes')
        }
        await page.goto(url)
        await sees(page, 'Hello, Ada')
        await connects(page, url)
        await logOut(page)
        for (let times = 0; times < 4; times += 1) {
          await page.goto(url)
          await page.getByRole('link', { name: 'Log in' }).waitFor()
        }
      }

      /** Connects an account, which every process then has, waits for the job, and disconnects it. */
      async function connects(page: Page, url: string) {
        await goToConnect(page)
        await page.getByRole('button', { name: 'Allow' }).click()
        const result = page.getByText('A background job counted 3 projects')
        for (let times = 0; times < 8 || !(await result.isVisible()); times += 1) {
          await page.goto(new URL('projects', url).href)
          await sees(page, 'Your projects at Gitshed')
        }
        await page.getByRole('button', { name: 'Disconnect' }).click()
        for (let times = 0; times < 4; times += 1) {
          await page.goto(url)
          await page.getByRole('link', { name: 'Connect Gitshed' }).waitFor()
        }
      }

      it('WORKERS=4', async () => {
        const port = await findFreePort()
        await startServer({ WORKERS: '4', PORT: String(port), JOB_INTERVAL: '1' })
        await staysSignedIn(await openTab(), `http://127.0.0.1:${port}/`)
      })

      it('two copies behind a proxy', async () => {
        const ports = [await findFreePort(), await findFreePort()]
        const proxy = await startProxy(ports)
        ending.push(() => proxy.close())
        const provider: RunningProvider = await startProvider({ appUrl: proxy.url })
        ending.push(() => provider.close())
        const { flow, api, projects } = provider
        const shared = {
          APP_URL: proxy.url,
          PROVIDER: JSON.stringify({ flow, api, projects }),
          SESSION_SECRET: 'the same in every copy',
          JOB_INTERVAL: '1',
        }
        await Promise.all(ports.map((port) => startServer({ ...shared, PORT: String(port) })))
        await staysSignedIn(await openTab(), proxy.url)
        expect(
          proxy.requests.every((count) => count > 5),
          `requests: ${proxy.requests.join()}`,
        ).to.equal(true)
      })
    })
  })

/** A proxy that sends every request to another one of `ports` than the request before. */
async function startProxy(ports: readonly number[]) {
  const requests = ports.map(() => 0)
  let turn = 0
  const server = http.createServer((req, res) => {
    turn = (turn + 1) % ports.length
    requests[turn]! += 1
    const options = { port: ports[turn], path: req.url, method: req.method, headers: req.headers }
    const forwarded = http.request({ host: '127.0.0.1', ...options }, (answer) => {
      res.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(res)
    })
    forwarded.on('error', () => res.destroy())
    req.pipe(forwarded)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    requests,
    async close() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill()
  await once(child, 'exit')
}
