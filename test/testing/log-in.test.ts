import { expect } from 'chai'
import request from 'supertest'
import {
  createTestAuthorizationServer,
  createTestBrowser,
  logIn,
  type TestAuthorizationServer,
  TestLoginError,
} from '../../src/testing/index.ts'
import { startConnectApp } from '../http/connect-app.ts'
import { type AppSetUp, type RunningApp, startApp } from '../support/app.ts'

async function reasonOf(promise: Promise<unknown>): Promise<unknown> {
  const [outcome] = await Promise.allSettled([promise])
  if (outcome.status === 'fulfilled') throw new Error('It should have been rejected')
  return outcome.reason
}

describe('logIn', () => {
  let server: TestAuthorizationServer
  let app: RunningApp | undefined

  before(async () => {
    server = await createTestAuthorizationServer()
  })
  beforeEach(() => server.reset())
  afterEach(async () => {
    await app?.close()
    app = undefined
  })
  after(() => server.close())

  async function start(setUp: AppSetUp = {}): Promise<RunningApp> {
    app = await startApp({ server, ...setUp })
    return app
  }

  const agents = {
    'supertest agent': ({ app: express }: RunningApp) => request.agent(express),
    'test browser': ({ origin }: RunningApp) =>
      createTestBrowser(origin.replace('https:', 'http:'), { publicOrigin: origin }),
  }

  type Agent = ReturnType<(typeof agents)[keyof typeof agents]>

  async function get(agent: Agent, path: string): Promise<{ status: number; body: unknown }> {
    const headers = { accept: 'application/json' }
    if ('fetch' in agent) {
      const response = await agent.fetch(path, { headers })
      return { status: response.status, body: await response.json() }
    }
    const response = await agent.get(path).set(headers)
    return { status: response.status, body: response.body as unknown }
  }

  for (const [kind, agentOf] of Object.entries(agents)) {
    describe(`of a ${kind}`, () => {
      it('leaves it signed in as the named user', async () => {
        const agent = agentOf(await start())
        expect(await get(agent, '/token')).to.have.property('status', 401)
        const { landing, tokens } = await logIn(agent, { server, user: 'bob' })
        expect(landing).to.equal('/')
        expect(tokens).to.include({ sub: 'bob', scope: 'openid', active: true })
        expect(await get(agent, '/token')).to.deep.equal({
          status: 200,
          body: { token: tokens.accessToken },
        })
        expect((await get(agent, '/')).body).to.have.property('sub', 'bob')
      })

      it('begins at a guarded page, query and all, and leads back there', async () => {
        const agent = agentOf(await start())
        const { landing } = await logIn(agent, { server, path: '/token?page=2' })
        expect(landing).to.equal('/token?page=2')
        expect((await get(agent, '/')).body).to.have.property('sub', 'alice')
      })

      it('many at the same time stay apart', async () => {
        const running = await start()
        const users = ['alice', 'bob', 'alice', 'bob', 'bob']
        const signedIn = await Promise.all(
          users.map(async (user) => {
            const agent = agentOf(running)
            const { tokens } = await logIn(agent, { server, user })
            return { agent, user, tokens }
          }),
        )
        for (const { agent, user, tokens } of signedIn) {
          expect((await get(agent, '/')).body).to.have.property('sub', user)
          expect((await get(agent, '/token')).body).to.deep.equal({ token: tokens.accessToken })
        }
      })

      it('grants less or more than the app asked for', async () => {
        const running = await start({ flow: { scope: 'openid read write' } })
        const options = { server, user: 'alice' }
        const usual = await logIn(agentOf(running), options)
        expect(usual.tokens.scope).to.equal('openid read write')
        const less = await logIn(agentOf(running), { ...options, scope: 'read' })
        expect(less.tokens.scope).to.equal('openid read')
        const more = await logIn(agentOf(running), { ...options, scope: ['read', 'admin'] })
        expect(more.tokens.scope).to.equal('openid read admin')
      })

      it('with an access token that has expired: the next request refreshes it, once', async () => {
        const agent = agentOf(await start())
        const { tokens } = await logIn(agent, { server, expired: true })
        expect(tokens.lifetime).to.equal(0)
        const { status, body } = await get(agent, '/token')
        expect(status).to.equal(200)
        expect(body).to.deep.equal({ token: server.issued[1]?.accessToken })
        expect((await get(agent, '/token')).body).to.deep.equal(body)
        expect(server.count('token')).to.equal(2)
      })

      it('again, as somebody else', async () => {
        const agent = agentOf(await start())
        await logIn(agent, { server, user: 'alice' })
        await logIn(agent, { server, user: 'bob' })
        expect((await get(agent, '/')).body).to.have.property('sub', 'bob')
      })

      const secure = { cookie: { secure: true } } as const
      const setUps: Record<string, AppSetUp> = {
        'an app behind a proxy that ends TLS': { tlsProxy: true, session: secure },
        'an answer that is posted': {
          tlsProxy: true,
          session: secure,
          flow: { responseMode: 'form_post' },
        },
        'a strict session cookie': { session: { cookie: { sameSite: 'strict' } } },
        'a redirect URI on another host': {
          flow: { redirectUri: 'http://localhost:3000/callback' },
        },
      }
      for (const [what, setUp] of Object.entries(setUps))
        it(what, async () => {
          const agent = agentOf(await start(setUp))
          const { landing } = await logIn(agent, { server, path: '/token', user: 'bob' })
          expect(landing).to.equal('/token')
          expect(await get(agent, '/token')).to.have.property('status', 200)
          expect((await get(agent, '/')).body).to.have.property('sub', 'bob')
        })

      it('an account that is connected', async () => {
        app = await startConnectApp({ server })
        const agent = agentOf(app)
        await get(agent, '/own/login/ann')
        const { landing } = await logIn(agent, { server, user: 'bob' })
        expect(landing).to.equal('/connected')
        expect(server.issued.map(({ sub }) => sub)).to.deep.equal(['bob'])
      })

      it('says what the app answered to a login that failed', async () => {
        const agent = agentOf(await start())
        server.misbehave('authorization', { authorizationError: 'access_denied' })
        const error = await reasonOf(logIn(agent, { server }))
        expect(error).to.be.an.instanceOf(TestLoginError)
        expect(error).to.include({ status: 403, code: 'access_denied' })
        expect(error).to.have.property('message').that.includes('GET /callback answered 403')
        const state = server.requests.at(-1)?.query.get('state')
        expect(error).to.have.property('message').that.does.not.include(state)
        expect(await get(agent, '/token')).to.have.property('status', 401)
      })

      it('says so of a path that asks nobody to log in', async () => {
        const agent = agentOf(await start())
        const error = await reasonOf(logIn(agent, { server, path: '/public' }))
        expect(error).to.be.an.instanceOf(TestLoginError).with.property('status', 200)
        expect(error)
          .to.have.property('message')
          .that.matches(/^GET \/public answered 200 and sent nobody/)
      })

      it('says so of an authorization server that refuses, or does not answer', async () => {
        const agent = agentOf(await start({ flow: { clientId: 'unknown' } }))
        const error = await reasonOf(logIn(agent, { server }))
        expect(error).to.include({ status: 400 })
        expect(error).to.have.property('message').that.includes('Unknown client_id')
        server.misbehave('authorization', { reset: 'before-response' })
        expect(await reasonOf(logIn(agent, { server })))
          .to.be.an.instanceOf(TestLoginError)
          .with.property('cause')
      })
    })
  }

  it('an error page that the app redirects to is no login', async () => {
    const running = await start({
      routes(express) {
        express.use(
          (_error: unknown, _req: unknown, res: { redirect(to: string): void }, _: unknown) => {
            res.redirect('/sorry')
          },
        )
      },
    })
    server.misbehave('token', { answer: { status: 400, json: { error: 'invalid_grant' } } })
    const error = await reasonOf(logIn(request.agent(running.app), { server }))
    expect(error)
      .to.have.property('message')
      .that.matches(/^The login led to \/sorry, but no tokens/)
  })

  it('a proxy that ends TLS but is not trusted: the app’s error says what to do', async () => {
    const running = await start({ tlsProxy: true, session: { cookie: { secure: true } } })
    running.app.set('trust proxy', false)
    const error = await reasonOf(logIn(request.agent(running.app), { server }))
    expect(error).to.include({ status: 500, code: 'insecure_cookie' })
  })

  it('refuses a user whom the server does not know', async () => {
    const agent = request.agent((await start()).app)
    expect(await reasonOf(logIn(agent, { server, user: 'mallory' })))
      .to.be.an.instanceOf(TypeError)
      .with.property('message')
      .that.includes('"mallory"')
    expect(server.requests).to.be.empty
  })

  it('says what was forgotten or misspelt', async () => {
    const { app: express } = await start()
    const agent = request.agent(express)
    const promised = Promise.resolve(server) as unknown as TestAuthorizationServer
    const wrong: [object, object, string][] = [
      [agent, { server, usr: 'bob' }, '"usr"'],
      [agent, {}, 'createTestAuthorizationServer()'],
      [agent, { server: promised }, 'createTestAuthorizationServer()'],
      [agent, { server, path: 'login' }, 'slash'],
      [request(express), { server }, 'request.agent(app)'],
      [express, { server }, 'request.agent(app)'],
    ]
    for (const [given, options, message] of wrong)
      expect(await reasonOf(logIn(given as typeof agent, options as { server: typeof server })))
        .to.be.an.instanceOf(TypeError)
        .with.property('message')
        .that.includes(message)
    expect(server.requests).to.be.empty
  })

  it('says so if the app logs in at another server', async () => {
    const agent = request.agent((await start()).app)
    const other = await createTestAuthorizationServer()
    expect(await reasonOf(logIn(agent, { server: other })))
      .to.be.an.instanceOf(TestLoginError)
      .with.property('message')
      .that.includes(`logs in at ${server.origin}`)
      .and.includes(other.origin)
    await other.close()
  })

  it('says of an agent that is signed in that it may be', async () => {
    const agent = request.agent((await start()).app)
    await logIn(agent, { server })
    const error = await reasonOf(logIn(agent, { server, user: 'bob', path: '/token' }))
    expect(error).to.have.property('message').that.includes('signed in already')
  })

  it('sends no cookie of the app to the authorization server, nor the other way round', async () => {
    const running = await start()
    const agent = createTestBrowser(running.origin)
    agent.cookies.set('mine', 'alone')
    await logIn(agent, { server })
    for (const { headers } of server.requests) expect(headers.cookie ?? '').not.to.include('mine')
    expect([...agent.cookies.keys()].filter((name) => name.startsWith('test_'))).to.be.empty
  })

  describe('test browser', () => {
    it('posts forms, keeps cookies, follows nothing, and goes nowhere else', async () => {
      const running = await start({
        before(express) {
          express.post('/echo', (req, res) => {
            res.cookie('a', '1').cookie('b', '2').clearCookie('c').status(303).location('/next')
            req.pipe(res)
          })
        },
      })
      const browser = createTestBrowser(running.origin)
      browser.cookies.set('c', '3')
      const response = await browser.fetch('/echo', {
        method: 'POST',
        body: new URLSearchParams({ x: 'y z' }),
      })
      expect(response.status).to.equal(303)
      expect(response.headers.get('location')).to.equal('/next')
      expect(await response.text()).to.equal('x=y+z')
      expect([...browser.cookies]).to.deep.equal([
        ['a', '1'],
        ['b', '2'],
      ])
      const elsewhere = await reasonOf(browser.fetch('http://localhost:1/'))
      expect(elsewhere).to.be.an.instanceOf(TypeError)
    })
  })
})
