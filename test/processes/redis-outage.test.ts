import { expect } from 'chai'
import {
  createTestAuthorizationServer,
  type TestAuthorizationServer,
} from '../../src/testing/index.ts'
import type { Browser, Page } from '../support/browser.ts'
import { createGate } from '../support/gate.ts'
import { describeWithRedis, type RedisServer, startRedis } from '../support/redis-server.ts'
import { until } from '../support/until.ts'
import { expireAtLogin, signedInBrowser, startWorkers, tokenIn, type Worker } from './workers.ts'

describeWithRedis('the Redis of records and lock goes away in the middle of refreshes', () => {
  let sessions: RedisServer
  let redis: RedisServer
  let server: TestAuthorizationServer
  let workers: Worker[]
  let browsers: Browser[]

  before(async () => {
    ;[sessions, redis, server] = await Promise.all([
      startRedis(),
      startRedis(),
      createTestAuthorizationServer(),
    ])
    workers = await startWorkers(2, {
      issuer: server.issuer,
      store: 'redis',
      url: sessions.url,
      recordsUrl: redis.url,
      timeout: 5_000,
    })
  })

  after(async () => {
    await Promise.all((workers ?? []).map((worker) => worker.stop()))
    await server?.close()
    await redis?.stop()
    await sessions?.stop()
  })

  beforeEach(async () => {
    server.reset()
    expireAtLogin(server)
    browsers = []
    while (browsers.length < 10) browsers.push(await signedInBrowser(workers[0]!))
  })

  const refreshed = () => server.issued.filter(({ code }) => code === undefined)

  const everywhere = (path: string): Promise<Page[]> =>
    Promise.all(
      browsers.flatMap((browser) =>
        workers.map((worker) => browser.copy().request(worker.url(path))),
      ),
    )

  /** Half of the sessions refresh in each process; `goAway` happens before the server answers. */
  async function refreshDuring(goAway: () => unknown): Promise<{ answers: Promise<Page[]> }> {
    const gate = createGate()
    server.misbehave('token', { delay: gate.pass() })
    const answers = Promise.all(
      browsers.map((browser, index) => browser.copy().request(workers[index % 2]!.url('/token'))),
    )
    await server.received('token', 20)
    await goAway()
    gate.open()
    await until(() => refreshed().length === 10)
    return { answers }
  }

  /** Nobody is sent to log in, and what needs no token is served. */
  async function expectPassingFailures() {
    const [tokens, who, open] = await Promise.all(['/token', '/who', '/public'].map(everywhere))
    for (const page of [...tokens!, ...who!]) {
      expect(page.status).to.equal(503)
      expect(JSON.parse(page.body)).to.deep.equal({ code: 'store_unavailable' })
      expect(Number(page.headers['retry-after'])).to.be.above(0)
    }
    for (const page of open!) expect(page.status).to.equal(200)
  }

  /** Who waited got the new token, and it is there for everybody: nothing was refreshed twice. */
  async function expectAllRefreshed(answers: Promise<Page[]>) {
    const expected = new Set(refreshed().map(({ accessToken }) => accessToken))
    const tokens = (await answers).map(tokenIn)
    expect(new Set(tokens)).to.deep.equal(expected)
    const pages = await everywhere('/token')
    expect(pages.map(tokenIn)).to.deep.equal(tokens.flatMap((token) => [token, token]))
    for (const page of await everywhere('/who'))
      expect(JSON.parse(page.body)).to.deep.equal({ sub: 'alice' })
    expect(server.count('token'), '10 logins, 10 refreshes').to.equal(20)
    expect(server.count('revocation')).to.equal(0)
    for (const issued of refreshed()) expect(issued).to.include({ active: true, refreshable: true })
  }

  it('P10: stopped for longer than a store call may take, then continued: 10 of 10 sessions are refreshed', async () => {
    const { answers } = await refreshDuring(() => redis.pause())
    await expectPassingFailures()
    redis.resume()
    await expectAllRefreshed(answers)
  })

  it('P10: killed, then started again with its data: 10 of 10 sessions are refreshed', async () => {
    const { answers } = await refreshDuring(() => redis.kill())
    await expectPassingFailures()
    expect(new Set((await answers).map(({ status }) => status)), 'from memory').to.deep.equal(
      new Set([200]),
    )
    await redis.restart()
    await until(async () => {
      const statuses = (await everywhere('/token')).map(({ status }) => status)
      for (const status of statuses) expect(status).to.be.oneOf([200, 503])
      return statuses.every((status) => status === 200)
    })
    await expectAllRefreshed(answers)
  })
})
