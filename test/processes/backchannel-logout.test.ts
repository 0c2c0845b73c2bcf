import { expect } from 'chai'
import {
  createTestAuthorizationServer,
  type TestAuthorizationServer,
} from '../../src/testing/index.ts'
import type { Browser } from '../support/browser.ts'
import { describeWithRedis, startRedis } from '../support/redis-server.ts'
import type { Service } from '../support/service.ts'
import { signedInBrowser, startWorkers, type Worker } from './workers.ts'

describeWithRedis('back-channel logout over 2 processes and Redis', () => {
  let redis: Service & { url: string }
  let server: TestAuthorizationServer
  let workers: Worker[]

  before(async () => {
    ;[redis, server] = await Promise.all([startRedis(), createTestAuthorizationServer()])
    workers = await startWorkers(2, {
      ...{ issuer: server.issuer, store: 'redis', url: redis.url, timeout: 5_000 },
      backchannelLogout: '/ended',
    })
  })

  after(async () => {
    await Promise.all((workers ?? []).map((worker) => worker.stop()))
    await server?.close()
    await redis?.stop()
  })

  const who = async (worker: Worker, browser: Browser) =>
    JSON.parse((await browser.request(worker.url('/who'))).body) as unknown

  for (const target of ['sid', 'sub'] as const)
    it(`P17: at one process ends the session served by the other at its next request, by ${target}`, async () => {
      const [one, other] = workers as [Worker, Worker]
      const browser = await signedInBrowser(one)
      expect(await who(one, browser)).to.deep.equal({ sub: 'alice' })
      const payload = server.issued.at(-1)!.idToken!.split('.')[1]!
      const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<
        'sid' | 'sub',
        string
      >
      const answer = await server.sendLogoutToken({
        to: other.url('/ended'),
        [target]: claims[target],
      })
      expect(answer.status).to.equal(200)
      expect(await who(one, browser)).to.deep.equal({ sub: null })
      expect((await browser.request(one.url('/token'))).status).to.equal(401)
      expect(await who(other, browser)).to.deep.equal({ sub: null })
    })
})
