import { expect } from 'chai'
import { createClient } from 'redis'
import {
  createTestAuthorizationServer,
  type TestAuthorizationServer,
} from '../../src/testing/index.ts'
import type { Browser, Page } from '../support/browser.ts'
import { createGate } from '../support/gate.ts'
import { describeWithRedis, type RedisServer, startRedis } from '../support/redis-server.ts'
import { until } from '../support/until.ts'
import { expireAtLogin, signedInBrowser, startWorkers, tokenIn, type Worker } from './workers.ts'

describeWithRedis('a process that is lost in the middle of a refresh', () => {
  let redis: RedisServer
  let client: ReturnType<typeof createClient>

  before(async () => {
    redis = await startRedis()
    client = createClient({ url: redis.url })
    await client.connect()
  })

  after(async () => {
    client?.destroy()
    await redis?.stop()
  })

  const leases = () => client.keys('pkce-flow:lock:*')

  /** As if their time was over. */
  async function endLeases() {
    for (const lease of await leases()) await client.del(lease)
  }

  for (const rotation of [false, true])
    describe(rotation ? 'rotation with reuse detection' : 'no rotation', () => {
      let server: TestAuthorizationServer
      let workers: Worker[]

      before(async () => {
        server = await createTestAuthorizationServer({ refreshTokenRotation: rotation })
        const { issuer } = server
        workers = await startWorkers(2, { issuer, store: 'redis', url: redis.url, timeout: 1_000 })
      })

      after(async () => {
        await Promise.all((workers ?? []).map((worker) => worker.stop()))
        await server?.close()
      })

      beforeEach(() => {
        server.reset()
        expireAtLogin(server)
      })

      /** Stops the first process after its token request; its lease goes on without it. */
      async function stopDuringRefresh(browser: Browser): Promise<{ answer: Promise<Page> }> {
        const gate = createGate()
        server.misbehave('token', { delay: gate.pass() })
        const answer = browser.copy().request(workers[0]!.url('/token'))
        await server.received('token', 2)
        workers[0]!.pause()
        gate.open()
        await until(() => server.issued.length === 2)
        expect(await leases()).to.have.length(1)
        return { answer }
      }

      const revoked = () =>
        server.requests
          .filter(({ endpoint }) => endpoint === 'revocation')
          .map(({ body }) => body.get('token'))

      if (!rotation)
        it('P8: stopped for longer than its lease: what it brings late is revoked and overwrites nothing, the session goes on', async () => {
          const browser = await signedInBrowser(workers[0]!)
          const { answer } = await stopDuringRefresh(browser)
          await endLeases()
          const newer = tokenIn(await browser.request(workers[1]!.url('/token')))
          workers[0]!.resume()
          const page = await answer
          expect(page.status).to.equal(200)
          expect(tokenIn(page)).to.equal(newer)
          const [atLogin, late, kept] = server.issued
          await until(() => !late!.active)
          for (const worker of workers)
            expect(tokenIn(await browser.request(worker.url('/token')))).to.equal(newer)
          expect(revoked()).to.deep.equal([late!.accessToken])
          expect(kept).to.include({ accessToken: newer, active: true })
          expect(atLogin, 'the refresh token of both').to.include({ refreshable: true })
          expect(server.count('token'), 'a login, two refreshes').to.equal(3)
        })

      if (rotation)
        it('P8: stopped for longer than its lease before its token request: it sends none', async () => {
          const browser = await signedInBrowser(workers[1]!)
          const gate = createGate()
          server.misbehave('discovery', { delay: gate.pass() })
          const found = server.count('discovery')
          const answer = browser.copy().request(workers[0]!.url('/token'))
          await server.received('discovery', found + 1)
          workers[0]!.pause()
          gate.open()
          await endLeases()
          const newer = tokenIn(await browser.request(workers[1]!.url('/token')))
          workers[0]!.resume()
          const page = await answer
          expect(page.status).to.equal(200)
          expect(tokenIn(page)).to.equal(newer)
          expect(server.count('token'), 'a login, a refresh').to.equal(2)
          expect(server.issued[1]).to.include({ active: true, refreshable: true })
        })

      if (rotation)
        it('P8: stopped for longer than its lease: the server takes the second refresh for a theft, the tokens end, the session stays', async () => {
          const browser = await signedInBrowser(workers[0]!)
          const { answer } = await stopDuringRefresh(browser)
          await endLeases()
          expect((await browser.request(workers[1]!.url('/token'))).status).to.equal(401)
          workers[0]!.resume()
          expect((await answer).status).to.equal(401)
          for (const worker of workers) {
            expect((await browser.request(worker.url('/token'))).status).to.equal(401)
            const who = await browser.request(worker.url('/who'))
            expect(JSON.parse(who.body)).to.deep.equal({ sub: 'alice' })
          }
          const [, late] = server.issued
          await until(() => revoked().length === 2)
          expect(revoked()).to.deep.equal([late!.refreshToken, late!.accessToken])
          expect(server.count('token'), 'a login, two refreshes').to.equal(3)
        })

      if (rotation)
        it('P8: killed during 20 refreshes: the other process goes on within the lease; lost are the 10 whose answer died with it', async () => {
          const browsers: Browser[] = []
          while (browsers.length < 20) browsers.push(await signedInBrowser(workers[0]!))
          const answered = new Set(server.issued.slice(0, 10).map((each) => each.refreshToken))
          const isAnswered = ({ body }: { body: URLSearchParams }) =>
            answered.has(body.get('refresh_token') ?? '')
          server.misbehave('token', { hang: true }, { when: isAnswered, processed: true })
          server.misbehave('token', { hang: true }, { when: (request) => !isAnswered(request) })
          const cut = browsers.map((browser) =>
            browser
              .copy()
              .request(workers[0]!.url('/token'))
              .then(
                () => 'answered',
                () => 'cut',
              ),
          )
          await server.received('token', 40)
          await until(() => server.issued.length === 30)
          await workers[0]!.kill()
          expect(new Set(await Promise.all(cut))).to.deep.equal(new Set(['cut']))
          server.behave()

          const pages = await Promise.all(
            browsers.map((browser) => browser.request(workers[1]!.url('/token'))),
          )
          const statuses = pages.map(({ status }) => status)
          expect(statuses).to.deep.equal([
            ...Array<number>(10).fill(401),
            ...Array<number>(10).fill(200),
          ])
          expect(server.count('token'), '20 logins, 20 refreshes twice').to.equal(60)
          for (const browser of browsers) {
            const who = await browser.request(workers[1]!.url('/who'))
            expect(JSON.parse(who.body)).to.deep.equal({ sub: 'alice' })
          }
        })
    })
})
