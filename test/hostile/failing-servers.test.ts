import type { Socket } from 'node:net'
import { mock } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect } from 'chai'
import { until as untilTrue } from '../support/until.ts'
import { usedHeap } from '../support/used-heap.ts'
import { type Call, calls, createWorld, logIn, type Said, type World } from './calls.ts'
import { type HostileServer, startHostileServer } from './hostile-server.ts'
import { abundant, brief, endless, type FaultCase } from './socket-faults.ts'

/** Bytes that are read of an answer, and what one read of a socket may bring beyond. */
const mostRead = 2 * 1024 * 1024 + 2 * 65_536

/** Milliseconds. No real time passes: the clock goes on when the test says so. */
const timeout = 4_000

const statuses = {
  server_timeout: 504,
  server_unavailable: 503,
  invalid_server_response: 502,
} as const

/** What the caller is to hear. */
function expected(call: Call, { outcome }: FaultCase): Said {
  if (call.path === '/revoke' && call.isCourtesy)
    return call.well === 302 ? { status: 302 } : { status: 200, revoked: outcome === 'no JSON' }
  if (call.path === '/revoke' && outcome === 'no JSON') return { status: 200 }
  // P10: whatever came of it, the tokens stay.
  if (call.isRefresh) return { status: 503, code: 'server_unavailable' }
  const code = outcome === 'no JSON' ? 'invalid_server_response' : outcome
  return { status: statuses[code], code }
}

describe('servers that fail', () => {
  let isGivenUp = false
  beforeEach(() => (isGivenUp = false))
  afterEach(() => (isGivenUp = true))
  const until = (condition: () => boolean) => untilTrue(() => isGivenUp || condition())

  for (const call of calls)
    describe(call.name, () => {
      let hostile: HostileServer
      let world: World
      const worlds: World[] = []

      async function createNext() {
        world = await createWorld(hostile, timeout, call.isOfSession)
        worlds.push(world)
      }

      before(async () => {
        mock.timers.enable({ apis: ['setTimeout', 'Date'], now: Date.now() })
        hostile = await startHostileServer({
          metadata: call.isPushed ? { require_pushed_authorization_requests: true } : {},
        })
        await createNext()
      })

      after(async () => {
        mock.timers.reset()
        for (const { app } of worlds) await app.close()
        await hostile.close()
      })

      /** Makes the call while the server does this, and the same again when it is well. */
      async function meet(fault: FaultCase, inBetween: () => Promise<void>) {
        if (call.isFirst) await createNext()
        const make = await call.prepare(world)
        const requests = hostile.count(call.path)
        const first = hostile.struck.length
        const behave = hostile.fail(call.path, fault.fault)
        let isOver = false
        const saying = make().finally(() => (isOver = true))
        await hostile.received(call.path, requests + 1)
        await inBetween()
        await until(() => isOver)
        expect(only(await saying)).to.deep.equal(expected(call, fault))
        behave()

        for (const connection of hostile.struck.slice(first)) {
          await until(() => connection.closed)
          expect(connection.bytesRead, 'bytes read').to.be.at.most(mostRead)
        }

        mock.timers.tick(31_000) // the longest back-off
        const again = call.isRefresh ? make : await call.prepare(world)
        const { status, code } = await again()
        expect({ status, code }, 'when it is well').to.deep.equal({
          status: call.well ?? 200,
          code: undefined,
        })
      }

      const chosen = (faults: readonly FaultCase[]) =>
        faults.filter((_fault, at) => call.isTwin !== true || at % 4 === 0)

      for (const fault of chosen(endless))
        it(`${fault.does}: ends after the timeout`, () =>
          meet(fault, async () => {
            mock.timers.tick(timeout - 1)
            await nextTurn()
            mock.timers.tick(1)
          }))

      for (const fault of [...chosen(abundant), ...chosen(brief)])
        it(`${fault.does}: ends at once`, () => meet(fault, () => Promise.resolve()))
    })

  describe('while one call hangs, others are answered', () => {
    const firsts = calls.filter(({ isTwin, isRefresh }) => isTwin !== true && isRefresh !== true)
    for (const call of firsts)
      it(`${call.name}: who is signed in, and a login at another server`, async () => {
        const hostile = await startHostileServer({
          metadata: call.isPushed ? { require_pushed_authorization_requests: true } : {},
        })
        const world = await createWorld(hostile, 60_000)
        const well = await startHostileServer()
        const others = await createWorld(well, 60_000)
        try {
          const signedIn = call.isFirst ? undefined : await logIn(world)
          const make = await call.prepare(world)
          let held: Socket | undefined
          let isOver = false
          const before = hostile.count(call.path)
          const behave = hostile.fail(call.path, (socket) => (held = socket))
          const saying = make().finally(() => (isOver = true))
          await hostile.received(call.path, before + 1)
          await until(() => held !== undefined)
          await logIn(others)
          if (call.path !== '/revoke') {
            const page = await signedIn?.request(world.app.url('/token'))
            expect(page?.status ?? 200).to.equal(200)
          }
          expect(isOver).to.equal(false)
          behave()
          held!.destroy()
          await saying
        } finally {
          for (const { app } of [world, others]) await app.close()
          for (const server of [hostile, well]) await server.close()
        }
      })
  })

  describe('a connection that is idle', () => {
    let hostile: HostileServer
    let world: World

    beforeEach(async () => {
      hostile = await startHostileServer()
      world = await createWorld(hostile, timeout)
    })

    afterEach(async () => {
      await world.app.close()
      await hostile.close()
    })

    const answer = 'HTTP/1.1 200 OK\r\ncontent-length: 15\r\n\r\n{"sub":"alice"}'
    const other = answer.replace('alice', 'mallo')
    for (const [what, text] of [
      ['one more answer', other],
      ['answers', other.repeat(1_000)],
      ['anything', 'x'.repeat(65_536)],
    ] as const)
      it(`is closed when ${what} comes, and nothing of it is taken for the next answer`, async () => {
        const browser = await logIn(world)
        let its: Socket | undefined
        const behave = hostile.fail('/userinfo', (socket) => {
          its = socket
          socket.write(answer)
        })
        const page = await browser.request(world.app.url('/info'))
        expect(page.status).to.equal(200)
        behave()
        its!.write(text)
        const connection = hostile.struck.at(-1)!
        await until(() => connection.closed)
        expect(connection.bytesRead).to.be.at.most(mostRead)
        expect((await browser.request(world.app.url('/info'))).status).to.equal(200)
      })
  })

  it('that pour out more than anybody wants, 300 times: nothing of it is kept', async () => {
    const hostile = await startHostileServer()
    const world = await createWorld(hostile, 60_000)
    try {
      const browser = await logIn(world)
      const sent: number[] = []
      const heaps: number[] = []
      for (let time = 0; time < 300; time += 1) {
        hostile.fail('/userinfo', abundant[time % abundant.length]!.fault)
        const page = await browser.request(world.app.url('/info'))
        expect(page.status).to.equal(502)
        sent.push(hostile.struck.at(-1)!.bytesRead)
        hostile.forgetConnections()
        if (time % 100 === 99) heaps.push(usedHeap())
      }
      expect(sum(sent.slice(100)) / 2 ** 20, 'MiB that came').to.be.above(100)
      expect((heaps.at(-1)! - heaps[0]!) / 2 ** 20, 'MiB that stayed').to.be.below(10)
    } finally {
      await world.app.close()
      await hostile.close()
    }
  })
})

const only = ({ status, code, revoked }: Said): Said => ({
  status,
  ...(code !== undefined && { code }),
  ...(revoked !== undefined && { revoked }),
})

const sum = (numbers: readonly number[]) => numbers.reduce((total, each) => total + each, 0)
