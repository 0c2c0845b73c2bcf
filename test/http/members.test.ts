import { deepStrictEqual } from 'node:assert'
import { inspect } from 'node:util'
import { expect } from 'chai'
import express, { type Request } from 'express'
import session, { MemoryStore } from 'express-session'
import { decodeJwt } from 'jose'
import request from 'supertest'
import {
  type Claims,
  type LoginStatus,
  type PkceFlow,
  pkceFlow,
  type Token,
} from '../../src/index.ts'
import { createTestAuthorizationServer } from '../../src/testing/index.ts'
import { startApp, type AppSetUp, type RunningApp } from '../support/app.ts'
import { createBrowser } from '../support/browser.ts'
import { clock } from '../support/clock.ts'
import { createFaultyStore } from '../support/faulty-store.ts'
import { withoutRefreshTokens } from '../support/refresh-tokens.ts'

/** What the members say in a handler. */
interface Told {
  token: Token | undefined
  claims: Claims | undefined
  status: LoginStatus
}

describe('members', () => {
  const running: { close(): Promise<void> }[] = []

  afterEach(async () => {
    clock.release()
    for (const each of running.splice(0).reverse()) await each.close()
  })

  /** An app whose page `/` asks the members, and a browser. */
  async function start(setUp: AppSetUp = {}) {
    const told: Told[] = []
    const ask = async (flow: PkceFlow, req: Request) => {
      told.push({
        token: await flow.token(req),
        claims: await flow.claims(req),
        status: await flow.status(req),
      })
    }
    const app = await startApp({
      routes: (routes, flow) => {
        routes.get('/', (req, res, next) => {
          ask(flow, req).then(() => res.end(), next)
        })
      },
      ...setUp,
    })
    running.push(app)
    const browser = createBrowser()
    /** What is told to this browser now. */
    async function tell(): Promise<Told> {
      await browser.request(app.url('/'))
      return told.at(-1)!
    }
    return { app, browser, tell }
  }

  const signIn = async ({ app, browser }: Awaited<ReturnType<typeof start>>) => {
    await browser.open(app.url('/login'))
    expect(app.errors).to.be.empty
  }

  it('of nobody: no token, no claims, not signed in', async () => {
    const { tell } = await start()
    expect(await tell()).to.deep.equal({
      token: undefined,
      claims: undefined,
      status: { signedIn: false, connected: false, scope: [] },
    })
  })

  describe('token', () => {
    it('has access token, type, scope, expiry, claims and ID Token; never the refresh token', async () => {
      clock.stop()
      const started = await start({ flow: { scope: 'openid email' } })
      withoutRefreshTokens(started.app.server)
      await signIn(started)
      const { token } = await started.tell()
      const [issued] = started.app.server.issued
      expect(token!.accessToken).to.equal(issued!.accessToken)
      expect(token!.idToken).to.equal(issued!.idToken)
      expect(token!.tokenType).to.equal('bearer')
      expect(token!.scope).to.deep.equal(['openid', 'email'])
      expect(token!.expiresAt).to.deep.equal(new Date(Date.now() + 3_600_000))
      expect(token!.claims).to.deep.equal(claimsWithoutNonce(issued!.idToken!))
      expect(token).not.to.have.any.keys('refreshToken', 'refresh_token')
    })

    it('has the ID Token of the newest refresh that brought one, and the claims of the login', async () => {
      const started = await start()
      const { server } = started.app
      await signIn(started)
      clock.advance(3_600_000)
      expect((await started.tell()).token!.idToken).to.equal(server.issued[1]!.idToken)
      server.misbehave('token', { tokenResponse: (usual) => ({ ...usual, id_token: undefined }) })
      clock.advance(3_600_000)
      const { token } = await started.tell()
      expect(server.count('token')).to.equal(3)
      expect(token!.idToken).to.equal(server.issued[1]!.idToken)
      expect(token!.claims).to.deep.equal(claimsWithoutNonce(server.issued[0]!.idToken!))
    })

    it('P7: shows no secret when it is printed, serialised, spread or cloned', async () => {
      const started = await start()
      await signIn(started)
      const { token } = await started.tell()
      const shown = [
        inspect(token, { depth: Infinity, getters: true }),
        JSON.stringify(token),
        inspect({ ...token }, { depth: Infinity }),
        inspect(structuredClone(token), { depth: Infinity }),
        JSON.stringify(Object.entries(token!)),
      ]
      for (const text of shown)
        for (const secret of started.app.server.secrets) expect(text).not.to.include(secret)
    })

    it('is the same through a proxy, as a prototype and in a copy of its descriptors', async () => {
      const started = await start()
      await signIn(started)
      const token = (await started.tell()).token!
      const { accessToken, idToken, claims } = token
      const others: Token[] = [
        new Proxy(token, {}),
        Object.create(token) as Token,
        Object.defineProperties({} as Token, Object.getOwnPropertyDescriptors(token)),
      ]
      for (const other of others)
        expect(other).to.deep.include({ accessToken, idToken, claims, tokenType: 'bearer' })
      // As tests compare it: with what it shows, and its prototype.
      deepStrictEqual(token, { ...token })
      deepStrictEqual((await started.tell()).token, token)
    })

    it('without a refresh token is undefined once it has expired', async () => {
      const started = await start()
      withoutRefreshTokens(started.app.server)
      await signIn(started)
      clock.advance(3_599_000)
      expect((await started.tell()).token).not.to.equal(undefined)
      clock.advance(1_000)
      expect((await started.tell()).token).to.equal(undefined)
    })

    it('without expiry lives as long as the session', async () => {
      const started = await start()
      started.app.server.misbehave('token', {
        tokenResponse: (usual) => ({ ...usual, expires_in: undefined }),
      })
      await signIn(started)
      const { token } = await started.tell()
      expect(token).not.to.have.property('expiresAt')
      for (let days = 0; days < 30; days += 0.9) {
        clock.advance(0.9 * 86_400_000)
        expect((await started.tell()).token, `after ${days} days`).not.to.equal(undefined)
      }
    })
  })

  describe('claims', () => {
    it('are those of the sign-in, without nonce, also when the token has expired', async () => {
      const started = await start()
      withoutRefreshTokens(started.app.server)
      await signIn(started)
      clock.advance(7_200_000)
      const { claims } = await started.tell()
      expect(claims).to.deep.equal(claimsWithoutNonce(started.app.server.issued[0]!.idToken!))
    })

    it('hold any text in any language', async () => {
      const name = 'Älice 😀 "<b>" \\ \u2028'
      const started = await start({ serverOptions: { users: [{ sub: 'ünï', name }] } })
      await signIn(started)
      expect((await started.tell()).claims).to.include({ sub: 'ünï', name })
    })

    it('are undefined without an ID Token', async () => {
      const server = await createTestAuthorizationServer()
      running.push(server)
      const started = await start({
        server,
        flow: { issuer: undefined, server: { rootUrl: server.origin } },
      })
      await signIn(started)
      const { claims, token, status } = await started.tell()
      expect(claims).to.equal(undefined)
      expect(token).not.to.have.any.keys('claims', 'idToken')
      expect(status).to.include({ signedIn: true, connected: true })
    })
  })

  describe('status', () => {
    it('says who is signed in and connected, with what scope, since when and until when', async () => {
      clock.stop()
      const started = await start({ flow: { scope: 'openid email' } })
      withoutRefreshTokens(started.app.server)
      await signIn(started)
      const now = Date.now()
      const expected = {
        signedIn: true,
        connected: true,
        scope: ['openid', 'email'],
        expiresAt: new Date(now + 3_600_000),
        connectedAt: new Date(now),
      }
      expect((await started.tell()).status).to.deep.equal(expected)
      clock.advance(3_600_000)
      expect((await started.tell()).status).to.include({ signedIn: true, connected: false })
    })
  })

  it('ask the store once a request, together with guards and attaching', async () => {
    const store = createFaultyStore()
    const started = await start({
      store,
      routes: (routes, flow) => {
        routes.get('/', (_req, res) => {
          res.end()
        })
        routes.get('/all', flow.requireToken(), flow.requireLogin(), (req, res, next) => {
          Promise.all([flow.token(req), flow.claims(req), flow.status(req), flow.status(req)])
            .then(() => res.end())
            .catch(next)
        })
      },
    })
    await signIn(started)
    const before = store.calls.length
    expect((await started.browser.request(started.app.url('/all'))).status).to.equal(200)
    const reads = store.calls
      .slice(before)
      .filter(({ operation, key }) => operation === 'get' && key.startsWith('tr.'))
    expect(reads).to.have.length(1)
  })

  it('reject with store_unavailable when that cannot be told', async () => {
    const store = createFaultyStore()
    const failures: unknown[] = []
    const started = await start({
      store,
      routes: (routes, flow) => {
        routes.get('/', (req, res) => {
          void Promise.allSettled([flow.token(req), flow.claims(req), flow.status(req)])
            .then((results) => {
              for (const result of results)
                failures.push(result.status === 'rejected' ? result.reason : result.value)
            })
            .then(() => res.end())
        })
      },
    })
    await signIn(started)
    failures.length = 0
    store.fail(({ key }) => key.startsWith('tr.'))
    await started.browser.request(started.app.url('/'))
    expect(failures).to.have.length(3)
    const flow = new URL(started.app.server.issuer).host
    for (const failure of failures)
      expect(failure).to.include({ code: 'store_unavailable', flow, loginUrl: '/login' })
  })

  it('work above the router, too: they need the session only', async () => {
    const store = new MemoryStore()
    const above: { flow?: PkceFlow } = {}
    const seen: unknown[] = []
    const started = await start({
      store,
      before: (app) => {
        const secret = 'session-secret-of-the-tests'
        app.use(session({ secret, resave: false, saveUninitialized: false, store }))
        app.get('/above', (req, res, next) => {
          const told = above.flow!.claims(req).then((claims) => seen.push(claims?.sub))
          told.then(() => res.end(), next)
        })
      },
    })
    above.flow = started.app.flow
    await signIn(started)
    await started.browser.request(started.app.url('/above'))
    expect(seen).to.deep.equal(['alice'])
  })

  it('say of a request without session that nobody is signed in', async () => {
    const flow = pkceFlow({
      issuer: 'https://server.example',
      clientId: 'client',
      redirectUri: 'https://app.example/callback',
    })
    const app = express()
    app.get('/', (req, res, next) => {
      Promise.all([flow.token(req), flow.claims(req), flow.status(req)])
        .then(([token, claims, status]) => res.json([token ?? null, claims ?? null, status]))
        .catch(next)
    })
    const answer = await request(app).get('/')
    expect(answer.body).to.deep.equal([
      null,
      null,
      { signedIn: false, connected: false, scope: [] },
    ])
  })

  describe('ready', () => {
    const ready = ({ flow }: RunningApp): Promise<unknown> =>
      flow.ready().then(
        () => 'ready',
        (error: unknown) => error,
      )

    it('discovers now, once', async () => {
      const { app } = await start()
      expect(app.server.count('discovery')).to.equal(0)
      await Promise.all([app.flow.ready(), app.flow.ready()])
      await app.flow.ready()
      expect(app.server.count('discovery')).to.equal(1)
    })

    it('needs nothing for metadata by hand', async () => {
      const { app } = await start({
        flow: { issuer: undefined, server: { rootUrl: 'https://server.example' } },
      })
      expect(await ready(app)).to.equal('ready')
    })

    for (const [what, fault, code] of [
      ['does not answer well', { answer: { status: 500 } }, 'server_unavailable'],
      ['does not answer at all', { hang: true }, 'server_timeout'],
      ['publishes nonsense', { answer: { json: [] } }, 'invalid_server_response'],
    ] as const)
      it(`rejects with ${code} if the server ${what}, and knows the flow`, async () => {
        const { app } = await start({ flow: { timeout: 1_000 } })
        app.server.misbehave('discovery', fault)
        const error = await ready(app)
        expect(error).to.include({ code, flow: new URL(app.server.issuer).host })
      })

    it('rejects with configuration if metadata by hand differ', async () => {
      const { app } = await start({ flow: { server: { jwks_uri: 'https://other.example/jwks' } } })
      expect(await ready(app)).to.include({ code: 'configuration' })
    })

    it('P12: recovers alone when the back-off is over', async () => {
      clock.stop()
      const { app } = await start()
      const stop = app.server.misbehave('discovery', { answer: { status: 500 } })
      expect(await ready(app)).to.include({ code: 'server_unavailable' })
      stop()
      expect(await ready(app)).to.include({ code: 'server_unavailable', retryAfter: 1 })
      expect(app.server.count('discovery')).to.equal(1)
      clock.advance(1_000)
      expect(await ready(app)).to.equal('ready')
    })
  })
})

function claimsWithoutNonce(idToken: string) {
  const claims = decodeJwt(idToken)
  delete claims.nonce
  return claims
}
