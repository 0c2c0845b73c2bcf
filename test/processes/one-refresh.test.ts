import http from 'node:http'
import { expect } from 'chai'
import {
  createTestAuthorizationServer,
  type TestAuthorizationServer,
} from '../../src/testing/index.ts'
import { type Browser, createBrowser, type Page } from '../support/browser.ts'
import { createGate } from '../support/gate.ts'
import type { Service } from '../support/service.ts'
import { until } from '../support/until.ts'
import { sharedStores } from './shared-stores.ts'
import { expireAtLogin, signedInBrowser, startLogin, startWorkers, tokenIn } from './workers.ts'
import type { Worker } from './workers.ts'

for (const { name, store, suite, start } of sharedStores)
  suite(`4 processes over ${name}`, () => {
    let service: Service & { url: string }
    let server: TestAuthorizationServer
    let workers: Worker[]
    let browser: Browser

    before(async () => {
      ;[service, server] = await Promise.all([start(), createTestAuthorizationServer()])
      const { issuer } = server
      workers = await startWorkers(4, { issuer, store, url: service.url, timeout: 20_000 })
    })

    after(async () => {
      await Promise.all((workers ?? []).map((worker) => worker.stop()))
      await server?.close()
      await service?.stop()
    })

    beforeEach(async () => {
      server.reset()
      expireAtLogin(server)
      browser = await signedInBrowser(workers[0]!)
    })

    const logins = () => server.issued.filter(({ code }) => code !== undefined)
    const refreshes = () => server.issued.filter(({ code }) => code === undefined)
    const refreshRequests = () =>
      server.requests.filter(({ body }) => body.get('grant_type') === 'refresh_token').length

    /** `count` requests to each of the processes, all at once. */
    const everywhere = async (path: string, count = 50, visitor = browser): Promise<Page[]> =>
      Promise.all(
        Array.from({ length: count }, () =>
          workers.map((worker) => visitor.copy().request(worker.url(path))),
        ).flat(),
      )

    /** All were served, with the one token that was issued, and everybody is still signed in. */
    async function expectOneRefresh(pages: readonly Page[]) {
      expect(refreshRequests(), 'token requests').to.equal(1)
      expect(new Set(pages.map(({ status }) => status))).to.deep.equal(new Set([200]))
      const [issued] = refreshes()
      expect(new Set(pages.map(tokenIn))).to.deep.equal(new Set([issued!.accessToken]))
      expect(issued).to.include({ active: true, refreshable: true })
      for (const page of await everywhere('/who', 1))
        expect(JSON.parse(page.body)).to.deep.equal({ sub: 'alice' })
    }

    for (const path of ['/token', '/fetched'])
      it(`P8: 50 requests to each with an expired token, at ${path}: one token request`, async () => {
        server.misbehave('token', { delay: 50 })
        await expectOneRefresh(await everywhere(path))
      })

    it('P8: attaching alone waits for no other process; beside it, those that need the token get it', async () => {
      server.misbehave('token', { delay: 50 })
      const [open, guarded] = await Promise.all([everywhere('/public'), everywhere('/token')])
      await expectOneRefresh(guarded)
      const [issued] = refreshes()
      for (const page of open) {
        expect(page.status).to.equal(200)
        expect(tokenIn(page)).to.be.oneOf([null, issued!.accessToken])
      }
      await expectOneRefresh(await everywhere('/public', 1))
    })

    it('P8: requests that come late with the old token get the new one', async () => {
      const gate = createGate()
      server.misbehave('other', { delay: gate.pass() })
      const late = everywhere('/late', 5)
      await server.received('other', 20)
      const early = await everywhere('/token', 5)
      gate.open()
      await expectOneRefresh([...early, ...(await late)])
    })

    it('P8: 20 sessions at once: one token request each, and each its own token', async () => {
      const browsers = [browser]
      while (browsers.length < 20) browsers.push(await signedInBrowser(workers[1]!))
      server.misbehave('token', { delay: 50 })
      const tokens = await Promise.all(
        browsers.map(async (each) => new Set((await everywhere('/token', 3, each)).map(tokenIn))),
      )
      expect(refreshRequests()).to.equal(20)
      for (const set of tokens) expect(set.size).to.equal(1)
      expect(new Set(tokens.map(([token]) => token))).to.deep.equal(
        new Set(refreshes().map(({ accessToken }) => accessToken)),
      )
    })

    it('P10: the server fails: at most one token request of each process, all are 503, and later all is well', async () => {
      const mend = server.misbehave('token', { answer: { status: 503 } })
      for (const page of await everywhere('/token', 10)) {
        expect(page.status).to.equal(503)
        expect(Number(page.headers['retry-after'])).to.be.above(0)
      }
      expect(refreshRequests()).to.be.at.most(4)
      mend()
      await until(async () => (await everywhere('/token', 1)).every(({ status }) => status === 200))
      expect(refreshes()).to.have.length(1)
    })

    it('P11: the browser leaves during the refresh: the other processes get what it brought', async () => {
      const gate = createGate()
      server.misbehave('token', { delay: gate.pass() })
      const cookie = [...browser.cookies.get('127.0.0.1')!].map((pair) => pair.join('=')).join('; ')
      const left = http.get(workers[2]!.url('/token'), { headers: { cookie }, agent: false })
      left.on('error', () => undefined)
      await server.received('token', 2)
      left.destroy()
      const pages = everywhere('/token', 5)
      gate.open()
      await expectOneRefresh(await pages)
    })

    it('P3: the same callback at all four at once, 5 times: one token request each, and all arrive signed in', async () => {
      for (let round = 0; round < 5; round += 1) {
        const before = server.count('token')
        const visitor = createBrowser()
        const callback = await startLogin(visitor, workers[round % 4]!)
        const copies = workers.map((worker) => ({ worker, copy: visitor.copy() }))
        const pages = await Promise.all(
          copies.map(({ worker, copy }) => {
            const { pathname, search } = new URL(callback)
            return copy.open(worker.url(pathname + search))
          }),
        )
        expect(server.count('token') - before - 1, 'one refresh after one exchange').to.equal(1)
        for (const page of pages) expect(JSON.parse(page.body)).to.deep.equal({ sub: 'alice' })
        const ids = copies.map(({ copy }) => copy.cookies.get('127.0.0.1')!.get('connect.sid'))
        expect(new Set(ids).size, 'sessions').to.equal(1)
      }
      expect(logins()).to.have.length(6)
    })

    // It waits as long as a logout is patient: once is enough.
    if (store === 'redis')
      it('P9, P17: a logout during a refresh in another process: the old cookie gets nothing, what came is revoked', async () => {
        const [refreshing, leaving, slow] = workers as [Worker, Worker, Worker]
        const [atToken, atVisit] = [createGate(), createGate()]
        server.misbehave('other', { delay: atVisit.pass() })
        const visit = browser.copy().request(slow.url('/slow-visit'))
        await server.received('other')
        server.misbehave('token', { delay: atToken.pass() })
        const refresh = browser.copy().request(refreshing.url('/token'))
        await server.received('token', 2)
        // Else the server would refuse the refresh, whose token is revoked by then.
        const mend = server.misbehave(
          'revocation',
          { answer: { status: 503 } },
          { times: Infinity },
        )
        const logout = await browser.copy().request(leaving.url('/logout'))
        expect(logout.status).to.equal(302)
        mend()
        atVisit.open()
        expect((await visit).status, 'the row is back').to.equal(200)
        atToken.open()
        expect((await refresh).status).to.equal(401)
        await until(() => refreshes().every(({ active }) => !active))
        expect(refreshes()).to.have.length(1)
        expect(refreshes()[0]).to.include({ active: false, refreshable: false })
        for (const page of await everywhere('/token', 1)) expect(page.status).to.equal(401)
        for (const page of await everywhere('/who', 1))
          expect(JSON.parse(page.body)).to.deep.equal({ sub: null })
      })
  })
