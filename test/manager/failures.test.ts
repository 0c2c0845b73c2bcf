import http from 'node:http'
import { inspect } from 'node:util'
import { expect } from 'chai'
import type { PkceFlowErrorCode } from '../../src/index.ts'
import {
  createTestAuthorizationServer,
  type FaultyAnswer,
  type TestAuthorizationServer,
} from '../../src/testing/index.ts'
import { rejection } from '../support/rejection.ts'
import { createManager, createOpenIdManager, startLogin } from './memory-manager.ts'

/** Pauses are told by which timers fire in them: however slow a machine is, timers keep their order. */
const marks = [190, 390, 790, 1_580]

/**
 * An agent whose first connections fail in this way, and of each the longest mark, in milliseconds, that
 * had passed since the one before.
 */
function failingAgent(failures: number, failure: object) {
  const passed: number[] = []
  let last = 0
  let timers: NodeJS.Timeout[] = []
  const agent = new http.Agent()
  const connect = agent.createConnection.bind(agent)
  agent.createConnection = (options, done) => {
    passed.push(last)
    for (const timer of timers) clearTimeout(timer)
    last = 0
    timers = marks.map((mark) => setTimeout(() => (last = mark), mark).unref())
    if (passed.length > failures) return connect(options, done)
    setImmediate(() => done?.(Object.assign(new Error('it failed'), failure), undefined as never))
    return undefined
  }
  return { agent, passed }
}

describe('PkceFlowManager: failures', () => {
  let server: TestAuthorizationServer

  beforeEach(async () => {
    server = await createTestAuthorizationServer()
  })

  afterEach(() => server.close())

  const error = (status: number, name: string): FaultyAnswer => ({ status, json: { error: name } })
  const page = (status: number): FaultyAnswer => ({ status, body: '<h1>No</h1>' })

  describe("fetchAccessToken() says the server's status and OAuth error", () => {
    const cases: [what: FaultyAnswer, code: PkceFlowErrorCode, oauthError?: string][] = [
      [error(400, 'invalid_grant'), 'code_rejected', 'invalid_grant'],
      [error(401, 'invalid_client'), 'client_rejected', 'invalid_client'],
      [error(400, 'unauthorized_client'), 'client_rejected', 'unauthorized_client'],
      [error(200, 'invalid_grant'), 'code_rejected', 'invalid_grant'],
      [error(400, 'made-up'), 'code_rejected'],
      [error(400, '<script>'), 'code_rejected'],
      [page(400), 'code_rejected'],
      [page(401), 'client_rejected'],
      [page(403), 'invalid_server_response'],
      [page(404), 'invalid_server_response'],
      [page(302), 'invalid_server_response'],
      [page(429), 'server_unavailable'],
      [page(500), 'server_unavailable'],
      [page(503), 'server_unavailable'],
    ]
    for (const [answer, code, oauthError] of cases)
      it(`${inspect(answer)} is ${code}, after one request`, async () => {
        const manager = createManager(server)
        const login = await startLogin(manager)
        server.misbehave('token', { answer })
        const thrown = await rejection(manager.fetchAccessToken(login))
        expect(thrown).to.include({ code, serverStatus: answer.status })
        expect(thrown.oauthError).to.equal(oauthError)
        expect(server.count('token')).to.equal(1)
      })

    it('the status for your own answer is that of the code', async () => {
      const manager = createManager(server)
      const login = await startLogin(manager)
      server.misbehave('token', { answer: error(401, 'invalid_client') })
      expect(await rejection(manager.fetchAccessToken(login))).to.include({ status: 500 })
    })
  })

  describe('the code is sent again only if nothing was sent', () => {
    const refused = { code: 'ECONNREFUSED', syscall: 'connect' }
    const unsent: [what: string, failure: object][] = [
      ['connection refused', refused],
      ['connection refused at every address', { code: 'ECONNREFUSED' }],
      ['no route', { code: 'EHOSTUNREACH', syscall: 'connect' }],
      ['host not found', { code: 'ENOTFOUND', syscall: 'getaddrinfo' }],
      ['name service busy', { code: 'EAI_AGAIN', syscall: 'getaddrinfo' }],
    ]
    for (const [what, failure] of unsent)
      it(`${what}: again, and it is exchanged once`, async () => {
        const { agent, passed } = failingAgent(1, failure)
        const manager = createManager(server, { agent })
        await manager.fetchAccessToken(await startLogin(manager))
        expect(passed).to.have.length(2)
        expect(server.count('token')).to.equal(1)
      })

    it('four times at most, after 200, 400 and 800 ms; the state is used by then', async () => {
      const { agent, passed } = failingAgent(Infinity, refused)
      const manager = createManager(server, { agent })
      const login = await startLogin(manager)
      const thrown = await rejection(manager.fetchAccessToken(login))
      expect(thrown).to.include({ code: 'server_unavailable', status: 503 })
      expect(passed).to.deep.equal([0, 190, 390, 790])
      expect(await rejection(manager.fetchAccessToken(login))).to.include({
        code: 'login_not_found',
      })
    })

    it('a server that is really away, and comes back', async () => {
      const manager = createManager(server)
      const login = await startLogin(manager)
      await server.stop()
      const tokens = manager.fetchAccessToken(login)
      await new Promise((resolve) => setTimeout(resolve, 50))
      await server.start()
      expect((await tokens).accessToken).to.equal(server.issued[0]!.accessToken)
    })

    for (const fault of [
      { reset: 'before-response' },
      { reset: 'mid-body' },
      { hang: true },
    ] as const)
      it(`${inspect(fault)}: not again, it may have been sent`, async () => {
        const manager = createManager(server, { timeout: 1_000 })
        const login = await startLogin(manager)
        server.misbehave('token', fault)
        const thrown = await rejection(manager.fetchAccessToken(login))
        expect(thrown.code).to.match(/^server_(unavailable|timeout)$/)
        expect(server.count('token')).to.equal(1)
      })

    it('keys that cannot be had after the exchange: the code is not sent again', async () => {
      const jwks_uri = 'http://127.0.0.1:1/jwks'
      const where = { issuer: undefined, server: { ...endpoints(server), jwks_uri } }
      const manager = createOpenIdManager(server, where)
      const login = await startLogin(manager)
      expect(await rejection(manager.fetchAccessToken(login))).to.include({
        code: 'server_unavailable',
      })
      expect(server.count('token')).to.equal(1)
    })
  })

  it('a failed discovery uses up no state', async () => {
    const manager = createOpenIdManager(server)
    const login = await startLogin(manager)
    const fresh = createOpenIdManager(server, { kept: manager.kept })
    const stop = server.misbehave('discovery', { answer: { status: 503 } })
    expect(await rejection(fresh.fetchAccessToken(login))).to.include({
      code: 'server_unavailable',
    })
    stop()
    await createOpenIdManager(server, { kept: manager.kept }).fetchAccessToken(login)
  })

  describe('refresh and revocation are sent again when nothing was sent, after 429 and after 503', () => {
    const requests = ['refresh', 'revoke'] as const
    const endpointOf = { refresh: 'token', revoke: 'revocation' } as const

    for (const request of requests)
      for (const status of [429, 503])
        it(`${request}: ${status}, Retry-After honoured`, async () => {
          const manager = createManager(server)
          const { refreshToken } = await manager.fetchAccessToken(await startLogin(manager))
          const before = server.count(endpointOf[request])
          const headers = { 'retry-after': '1' }
          server.misbehave(endpointOf[request], { answer: { status, headers } }, { times: 1 })
          const times: string[] = []
          for (const time of [900, 1_900]) setTimeout(() => times.push(`${time} ms`), time).unref()
          await manager[request](refreshToken!)
          expect(times).to.deep.equal(['900 ms'])
          expect(server.count(endpointOf[request]) - before).to.equal(2)
        })

    for (const request of requests)
      it(`${request}: a Retry-After of more than ten seconds is handed on at once`, async () => {
        const headers = { 'retry-after': '11' }
        server.misbehave(endpointOf[request], { answer: { status: 503, headers } })
        const thrown = await rejection(createManager(server)[request]('token'))
        expect(thrown).to.include({ code: 'server_unavailable', retryAfter: 11, serverStatus: 503 })
        expect(server.count(endpointOf[request])).to.equal(1)
      })

    for (const request of requests)
      it(`${request}: four times at most`, async () => {
        server.misbehave(endpointOf[request], { answer: { status: 429 } })
        expect(await rejection(createManager(server)[request]('token'))).to.include({
          serverStatus: 429,
        })
        expect(server.count(endpointOf[request])).to.equal(4)
      })

    for (const request of requests)
      it(`${request}: connection refused`, async () => {
        const { agent, passed } = failingAgent(2, { code: 'ECONNREFUSED', syscall: 'connect' })
        const manager = createManager(server)
        const { refreshToken } = await manager.fetchAccessToken(await startLogin(manager))
        await createManager(server, { agent })[request](refreshToken!)
        expect(passed).to.have.length(3)
      })

    for (const request of requests)
      for (const fault of [
        { answer: { status: 500 } },
        { answer: { status: 400, json: { error: 'invalid_request' } } },
        { answer: { status: 401 } },
        { reset: 'before-response' },
      ] as const)
        it(`${request}: ${inspect(fault)} is final`, async () => {
          server.misbehave(endpointOf[request], fault)
          await rejection(createManager(server)[request]('token'))
          expect(server.count(endpointOf[request])).to.equal(1)
        })
  })
})

/** Metadata with the members that the package knows. */
function endpoints(server: TestAuthorizationServer) {
  const { issuer, authorization_endpoint, token_endpoint } = server.metadata
  return { issuer, authorization_endpoint, token_endpoint }
}
