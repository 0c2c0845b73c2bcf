import { expect } from 'chai'
import type { Request } from 'express'
import { type PkceFlow, pkceFlow, type PkceFlowOptions, type Token } from '../../src/index.ts'
import {
  createTestAuthorizationServer,
  type TestAuthorizationServer,
} from '../../src/testing/index.ts'
import { startApp, type RunningApp } from '../support/app.ts'
import { type Browser, createBrowser } from '../support/browser.ts'
import { ask, ownPage } from './connect-app.ts'
import { json } from './steps.ts'

type Name = 'one' | 'two'

/** A login flow, and two that connect accounts elsewhere for whoever logged in. */
describe('several flows in one app', () => {
  const running: { close(): Promise<void> }[] = []
  let app: RunningApp
  let browser: Browser
  let servers: Record<Name, TestAuthorizationServer>

  /** @param others over the options of the flows that connect */
  async function start({ announceIss = true, others = {}, atOneServer = false } = {}) {
    servers = {
      one: await createTestAuthorizationServer({ announceIss }),
      two: await createTestAuthorizationServer({ announceIss }),
    }
    running.push(servers.one, servers.two)
    if (atOneServer) servers.two = servers.one
    app = await startApp({
      flow: { name: 'main' },
      routes(routes) {
        const flows = (['one', 'two'] as const).map((name) => {
          const flow: PkceFlow<string> = pkceFlow(optionsOf(name, others))
          routes.use(flow)
          routes.get(`/${name}/status`, (req, res, next) => {
            flow.status(req).then((status) => res.json(status), next)
          })
          return flow
        })
        routes.get('/tokens', (req, res) => {
          const { token, one, two } = req as unknown as Record<string, Token | undefined>
          res.json([token, one, two].map((each) => each?.accessToken ?? null))
        })
        routes.get('/both', ...flows.map((flow) => flow.requireToken()), (_req, res) => {
          res.json({ both: true })
        })
        routes.get('/', (_req, res) => {
          res.json({})
        })
      },
    })
    running.push(app)
    browser = createBrowser()
  }

  const optionsOf = (name: Name, others: object): PkceFlowOptions<string> => ({
    ...{ clientId: 'test-client', clientSecret: 'test-client-secret' },
    name,
    requestProperty: name,
    issuer: servers[name].issuer,
    redirectUri: `http://127.0.0.1/${name}/callback`,
    purpose: 'connect',
    userId: (req: Request & { token?: Token }) => req.token?.claims?.sub,
    ...others,
  })

  afterEach(async () => {
    for (const each of running.splice(0)) await each.close()
  })

  /** Starts a login of a flow; gives the answer, where it would go in this app. */
  async function answerOf(name: Name): Promise<URL> {
    const page = await browser.request(app.url(`/${name}/login?pkce-flow-moved=1`), {
      headers: ownPage,
    })
    const url = await browser.openUntil('http://127.0.0.1/', page.headers.location!)
    return new URL(new URL(url).pathname + new URL(url).search, app.origin)
  }

  const tokens = () => ask(app, browser, '/tokens') as unknown as Promise<(string | null)[]>
  const issuedBy = (server: TestAuthorizationServer) => server.issued[0]?.accessToken ?? null

  it('each has tokens of its own, on a member of its own', async () => {
    await start()
    expect(await tokens()).to.deep.equal([null, null, null])
    await browser.open(app.url('/login'))
    const main = issuedBy(app.server)
    expect(await tokens()).to.deep.equal([main, null, null])
    await browser.request((await answerOf('two')).href)
    expect(await tokens()).to.deep.equal([main, null, issuedBy(servers.two)])
    await browser.request((await answerOf('one')).href)
    expect(await tokens()).to.deep.equal([main, issuedBy(servers.one), issuedBy(servers.two)])
    expect(await ask(app, browser, '/both')).to.deep.equal({ both: true })
    await browser.request(app.url('/one/logout'))
    expect(await tokens()).to.deep.equal([main, null, issuedBy(servers.two)])
    expect(servers.one.issued[0]).to.include({ active: false })
    expect(await ask(app, browser, '/one/status')).to.include({ connected: false })
    expect(await ask(app, browser, '/two/status')).to.include({ connected: true })
  })

  it('P16: who logs out has none of them, and the next one neither', async () => {
    await start()
    await browser.open(app.url('/login'))
    await browser.request((await answerOf('one')).href)
    await browser.request(app.url('/logout'))
    expect(await tokens()).to.deep.equal([null, null, null])
    app.server.authorizeAs('bob')
    await browser.open(app.url('/login'))
    expect((await tokens()).slice(1)).to.deep.equal([null, null])
  })

  for (const announceIss of [true, false])
    it(`an answer is refused at another flow’s callback${announceIss ? '' : ', without iss (RFC 9207), too'}`, async () => {
      await start({ announceIss })
      await browser.open(app.url('/login'))
      const answer = await answerOf('one')
      expect(answer.searchParams.has('iss')).to.equal(announceIss)
      for (const path of ['/two/callback', '/callback']) {
        const page = await browser.request(app.url(path + answer.search))
        expect(page.status).to.equal(400)
        expect(json(page)).to.include({ code: 'login_not_found' })
      }
      // Nothing was used up.
      expect((await browser.request(answer.href)).status).to.equal(302)
      expect((await tokens())[1]).to.equal(issuedBy(servers.one))
    })

  it('an answer of one server to the login at another one is refused (RFC 9207)', async () => {
    await start()
    await browser.open(app.url('/login'))
    const [one, two] = [await answerOf('one'), await answerOf('two')]
    two.searchParams.set('state', one.searchParams.get('state')!)
    const page = await browser.request(app.url(`/one/callback${two.search}`))
    expect(json(page)).to.include({ code: 'issuer_mismatch' })
    expect(servers.one.count('token') + servers.two.count('token')).to.equal(0)
    expect((await tokens()).slice(1)).to.deep.equal([null, null])
  })

  it('two flows at one server, finished at the same time, are independent', async () => {
    await start({ atOneServer: true })
    await browser.open(app.url('/login'))
    const [one, two] = [await answerOf('one'), await answerOf('two')]
    await Promise.all([browser.request(one.href), browser.request(two.href)])
    const [, first, second] = await tokens()
    expect(first).not.to.equal(second)
    expect(servers.one.issued.map(({ accessToken }) => accessToken)).to.include.members([
      first,
      second,
    ])
  })

  describe('clashes are errors with both names', () => {
    const clashes: [string, object, RegExp][] = [
      ['a name', { name: 'main', requestProperty: 'x' }, /"main" and "main".*same name/],
      [
        'a member of req',
        { requestProperty: 'token', name: 'other' },
        /"main" and "other".*req\.token/,
      ],
      [
        'a route',
        { routes: { login: '/login' }, requestProperty: 'y', name: 'third' },
        /"main" and "third".*\/login/,
      ],
    ]
    for (const [what, others, message] of clashes)
      it(what, async () => {
        await start({ others })
        const page = await browser.request(app.url('/tokens'))
        expect(page.status).to.equal(500)
        expect(json(page)).to.include({ code: 'configuration' })
        expect(json(page).error).to.match(message)
      })
  })
})
