import { expect } from 'chai'
import type { ErrorRequestHandler } from 'express'
import pg from 'pg'
import { createClient } from 'redis'
import type { Lock } from '../../src/options/lock.ts'
import { postgresLock } from '../../src/storage/postgres-lock.ts'
import { redisLock } from '../../src/storage/redis-lock.ts'
import { type RunningApp, startApp } from '../support/app.ts'
import { type Browser, createBrowser, type Page } from '../support/browser.ts'
import { clock } from '../support/clock.ts'
import { rows } from '../support/rows.ts'
import type { Service } from '../support/service.ts'
import { until } from '../support/until.ts'
import { type SharedStore, sharedStores } from './shared-stores.ts'
import { tokenIn } from './workers.ts'

/** Clients as docs/locks.md recommends them. */
const openLock: Record<
  SharedStore['store'],
  (url: string) => Promise<{ lock: Lock; close: () => unknown }>
> = {
  async redis(url) {
    const client = createClient({ url, disableOfflineQueue: true })
    client.on('error', () => undefined)
    await client.connect()
    return { lock: redisLock(client), close: () => client.destroy() }
  },
  postgres(connectionString) {
    const pool = new pg.Pool({ connectionString, connectionTimeoutMillis: 5_000 })
    pool.on('error', () => undefined)
    const lock = postgresLock(pool, { createTable: true })
    return Promise.resolve({ lock, close: () => pool.end() })
  },
}

for (const { name, store, suite, start } of sharedStores)
  suite(`a lock that is down, the store is not: ${name}`, () => {
    let service: Service & { url: string }
    let opened: { lock: Lock; close: () => unknown }
    let app: RunningApp
    let browser: Browser

    before(async () => {
      service = await start()
      opened = await openLock[store](service.url)
    })

    after(async () => {
      await opened?.close()
      await service?.stop()
    })

    beforeEach(async () => {
      app = await startApp({
        flow: { lock: opened.lock },
        routes(express, flow) {
          express.get('/token', flow.requireToken({ unauthenticated: 'problem' }), (req, res) => {
            res.json({ token: (req as { token?: { accessToken: string } }).token?.accessToken })
          })
          express.get('/public', (req, res) => {
            const { token } = req as { token?: { accessToken: string } }
            res.json({ token: token?.accessToken ?? null })
          })
          express.get('/login-only', flow.requireLogin(), (_req, res) => res.json({}))
          express.use(((error: { headers?: Record<string, string> }, _req, res, next) => {
            res.set(error.headers ?? {})
            next(error)
          }) satisfies ErrorRequestHandler)
        },
      })
      browser = createBrowser()
      await browser.open(app.url('/login?returnTo=/public'))
      await service.kill()
    })

    afterEach(async () => {
      clock.release()
      await app.close()
      await service.restart()
      // The client comes back by itself, a moment later.
      await until(async () => (await opened.lock.acquire('up', 1).catch(() => 'down')) !== 'down')
    })

    const ask = (path: string): Promise<Page> => browser.request(app.url(path))

    it('P10: a valid token is used, also when it is time to refresh it', async () => {
      const { accessToken } = app.server.issued[0]!
      for (const path of ['/token', '/public'])
        expect(tokenIn(await ask(path))).to.equal(accessToken)
      clock.advance(3_600_000 - 10_000)
      for (const path of ['/token', '/public'])
        expect(tokenIn(await ask(path))).to.equal(accessToken)
      expect(app.server.count('token')).to.equal(1)
    })

    it('P10: an expired one: pages without need of it are served, others are 503; when the lock is back, it is refreshed', async () => {
      clock.advance(3_700_000)
      expect(await ask('/public')).to.include({ status: 200, body: '{"token":null}' })
      expect(await ask('/login-only')).to.include({ status: 200 })
      const page = await ask('/token')
      expect(page.status).to.equal(503)
      expect(JSON.parse(page.body)).to.include({ code: 'lock_unavailable' })
      expect(Number(page.headers['retry-after'])).to.be.within(1, 30)
      expect(app.server.count('token')).to.equal(1)

      await service.restart()
      await until(async () => {
        clock.advance(30_000) // past any back-off
        const { status } = await ask('/token')
        expect(status).to.be.oneOf([200, 503])
        return status === 200
      })
      expect(app.server.count('token')).to.equal(2)
    })

    it('P10: a login cannot be finished: 503, and the same callback arrives when the lock is back', async () => {
      const visitor = createBrowser()
      const callback = await visitor.openUntil(app.url('/callback'), app.url('/login'))
      const page = await visitor.request(callback)
      expect(page.status).to.equal(503)
      expect(JSON.parse(page.body)).to.include({ code: 'lock_unavailable' })
      expect(app.server.count('token')).to.equal(1)
      await service.restart()
      await until(async () => (await visitor.request(callback)).status === 302)
      expect(app.server.count('token')).to.equal(2)
    })

    it('P10, P17: /logout works: the session and its record are ended', async () => {
      clock.advance(3_700_000)
      const old = browser.copy()
      expect(await ask('/logout')).to.include({ status: 302 })
      expect((await old.request(app.url('/token'))).status).to.equal(401)
      expect((await rows(app.store)).sessions).to.deep.equal([])
      await service.restart()
      expect((await old.request(app.url('/token'))).status).to.equal(401)
      expect(app.server.count('token')).to.equal(1)
    })
  })
