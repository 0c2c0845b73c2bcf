import { inspect } from 'node:util'
import { mock } from 'node:test'
import { expect } from 'chai'
import {
  createTestAuthorizationServer,
  type RecordedRequest,
  type TestAuthorizationServer,
} from '../../src/testing/index.ts'
import { startApp, type RunningApp } from '../support/app.ts'
import { createBrowser } from '../support/browser.ts'
import { createGate } from '../support/gate.ts'
import { attemptLogin, failLogin, logIn } from './attempt.ts'

const mebibyte = 1024 * 1024

describe('transport: every request to the authorization server', () => {
  let server: TestAuthorizationServer
  let app: RunningApp

  beforeEach(async () => {
    server = await createTestAuthorizationServer()
    app = await startApp({ server, flow: { timeout: 1_000 } })
  })

  afterEach(async () => {
    mock.timers.reset()
    mock.restoreAll()
    await app.close()
    await server.close()
  })

  const ours = (): RecordedRequest[] =>
    server.requests.filter(({ endpoint }) => endpoint !== 'authorization')

  describe('connections', () => {
    it('are kept alive: two logins, one after another, need one', async () => {
      await logIn(app)
      await logIn(app)
      expect(ours().map(({ endpoint }) => endpoint)).to.deep.equal([
        ...['discovery', 'token', 'jwks', 'token'],
      ])
      expect(new Set(ours().map(({ remotePort }) => remotePort)).size).to.equal(1)
    })

    it('that the server closed while they were idle are not used again', async () => {
      await logIn(app)
      await server.restart()
      await logIn(app)
      expect(new Set(ours().map(({ remotePort }) => remotePort)).size).to.equal(2)
    })
  })

  it('says what it accepts, and nothing about who we are beyond that', async () => {
    await logIn(app)
    for (const { headers } of ours()) {
      expect(headers.accept).to.include('application/json')
      expect(headers).not.to.have.any.keys('cookie', 'referer', 'origin')
    }
    expect((await server.received('token')).headers['content-type']).to.match(
      /^application\/x-www-form-urlencoded/,
    )
  })

  describe('size: at most 1 MiB', () => {
    for (const endpoint of ['discovery', 'jwks', 'token'] as const)
      it(`${endpoint}: 2 MiB are refused`, async () => {
        server.misbehave(endpoint, { huge: 2 })
        const { message } = await failLogin(app, 'invalid_server_response')
        expect(message).to.include('1 MiB')
      })

    it('1 MiB is read, a byte more is not', async () => {
      for (const size of [mebibyte, mebibyte + 1]) {
        const stop = server.misbehave('token', {
          tokenResponse: (tokens) => {
            const padding = 'x'.repeat(size - JSON.stringify({ ...tokens, padding: '' }).length)
            return { ...tokens, padding }
          },
        })
        if (size === mebibyte) await logIn(app)
        else await failLogin(app, 'invalid_server_response')
        stop()
      }
    })
  })

  describe('time: one limit for the whole exchange', () => {
    it('5 seconds by default', async () => {
      const patient = await startApp({ server })
      try {
        server.misbehave('discovery', { hang: true })
        mock.timers.enable({ apis: ['setTimeout'] })
        const attempt = attemptLogin(patient)
        await server.received('discovery')
        mock.timers.tick(4_999)
        await turn()
        expect(patient.errors).to.be.empty
        mock.timers.tick(1)
        expect((await attempt).error).to.include({ code: 'server_timeout', status: 504 })
      } finally {
        await patient.close()
      }
    })

    for (const endpoint of ['discovery', 'jwks', 'token'] as const) {
      it(`${endpoint}: no answer`, async () => {
        server.misbehave(endpoint, { hang: true })
        const error = await failLogin(app, 'server_timeout')
        expect(error).to.include({ status: 504 })
        expect(error.retryAfter).to.be.at.least(1)
        expect(server.count(endpoint)).to.equal(1)
      })

      it(`${endpoint}: a body that drips, though something comes all the time`, async () => {
        server.misbehave(endpoint, { drip: 20 })
        await failLogin(app, 'server_timeout')
      })
    }

    it('redirects do not start it anew', async () => {
      const gate = createGate()
      const location = `${server.issuer}/.well-known/openid-configuration?moved`
      server.misbehave('discovery', { delay: gate.pass() }, { times: 1 })
      server.misbehave(
        'discovery',
        { answer: { status: 302, headers: { location } } },
        { times: 1 },
      )
      server.misbehave('discovery', { hang: true })
      mock.timers.enable({ apis: ['setTimeout'] })
      let now = performance.now()
      mock.method(performance, 'now', () => now)
      const attempt = attemptLogin(app)
      await server.received('discovery', 1)
      now += 600
      mock.timers.tick(600)
      gate.open()
      await server.received('discovery', 2)
      mock.timers.tick(399)
      await turn()
      expect(app.errors).to.be.empty
      mock.timers.tick(1)
      expect((await attempt).error).to.include({ code: 'server_timeout' })
    })
  })

  describe('broken connections', () => {
    for (const endpoint of ['discovery', 'jwks', 'token'] as const)
      for (const reset of ['before-response', 'mid-body'] as const)
        it(`${endpoint}: reset ${reset}, with the cause`, async () => {
          server.misbehave(endpoint, { reset })
          const error = await failLogin(app, 'server_unavailable')
          expect(error).to.include({ status: 503 })
          expect(error.headers).to.have.property('Retry-After')
          expect(error.cause).to.include({ code: 'ECONNRESET' })
          expect(server.count(endpoint), 'the code is not sent twice').to.equal(1)
        })

    it('nobody listens: server_unavailable, with the cause', async () => {
      await server.stop()
      const error = await failLogin(app, 'server_unavailable')
      expect(error.cause).to.include({ code: 'ECONNREFUSED' })
    })
  })

  describe('status', () => {
    const values: [header: string | undefined, seconds: number][] = [
      ['7', 7],
      ['0', 1],
      ['86400', 3_600],
      ['soon', 1],
      ['-5', 1],
      ['1e9', 1],
      ['Sun, 06 Nov 1994 08:49:37 GMT', 1],
      [undefined, 1],
    ]
    for (const [header, seconds] of values)
      it(`503 with Retry-After: ${header ?? 'none'} asks to come back in ${seconds} s`, async () => {
        const headers = header === undefined ? {} : { 'retry-after': header }
        server.misbehave('token', { answer: { status: 503, headers } })
        const error = await failLogin(app, 'server_unavailable')
        expect(error.retryAfter).to.equal(seconds)
        expect(error.headers).to.deep.equal({ 'Retry-After': String(seconds) })
      })

    it('Retry-After as a date (RFC 9110 section 10.2.3)', async () => {
      const headers = { 'retry-after': new Date(Date.now() + 120_000).toUTCString() }
      server.misbehave('token', { answer: { status: 429, headers } })
      const error = await failLogin(app, 'server_unavailable')
      expect(error.retryAfter).to.be.within(100, 120)
    })

    for (const endpoint of ['discovery', 'jwks', 'token'] as const)
      for (const status of [429, 500, 502, 503])
        it(`${endpoint}: ${status} may pass: server_unavailable`, async () => {
          server.misbehave(endpoint, { answer: { status, body: '<h1>Sorry</h1>' } })
          await failLogin(app, 'server_unavailable')
        })
  })

  describe('redirects of what carries a code or a token are refused', () => {
    for (const status of [301, 302, 303, 307, 308])
      it(`token endpoint: ${status}`, async () => {
        const other = await createTestAuthorizationServer()
        try {
          for (const location of [
            `${other.origin}/token`,
            server.metadata.token_endpoint,
            '/token',
          ]) {
            server.reset()
            server.misbehave('token', { answer: { status, headers: { location } } })
            await failLogin(app, 'invalid_server_response')
            expect(server.count('token')).to.equal(1)
          }
          expect(other.requests).to.be.empty
        } finally {
          await other.close()
        }
      })

    it('revocation endpoint: the redirect is not followed', async () => {
      const other = await createTestAuthorizationServer()
      const refusing = await startApp({
        server,
        flow: {
          onLogin: () => {
            throw new Error('not today')
          },
        },
      })
      try {
        const headers = { location: `${other.origin}/revoke` }
        server.misbehave('revocation', { answer: { status: 307, headers } })
        await createBrowser().open(refusing.url('/login'))
        await server.received('revocation', 2)
        expect(other.requests).to.be.empty
      } finally {
        await refusing.close()
        await other.close()
      }
    })
  })

  it('P7: no error of a broken exchange shows what was sent or received', async () => {
    const faults = [
      { answer: { status: 500, body: 'oops' } },
      { answer: { status: 400, json: { error: 'invalid_grant' } } },
      { reset: 'mid-body' },
      { hang: true },
      { huge: 2 },
    ] as const
    for (const fault of faults) {
      const stop = server.misbehave('token', fault, { processed: true })
      const { error } = await attemptLogin(app)
      const shown = inspect(error, { depth: Infinity, showHidden: true, getters: true })
      for (const secret of server.secrets) expect(shown).not.to.include(secret)
      stop()
    }
    expect(server.secrets.size).to.be.greaterThan(10)
  })
})

/** Lets everything run that is due. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
