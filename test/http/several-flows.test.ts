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
      serverOptions: { announceIss },
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

  /** The callback that each flow's answers come to. */
  const callbacks = { main: '/callback', one: '/one/callback', two: '/two/callback' }
  type Flow = keyof typeof callbacks
  const flows = Object.keys(callbacks) as Flow[]
  const pairs = flows.flatMap((from) =>
    flows.filter((at) => at !== from).map((at) => [from, at] as const),
  )
  const serverOf = (flow: Flow) => (flow === 'main' ? app.server : servers[flow])
  const codes = () => flows.map((flow) => serverOf(flow).count('token'))

  /** Logs in, then has an answer of each flow under way; no request has brought one yet. */
  async function answersUnderWay(): Promise<Record<Flow, URL>> {
    await browser.open(app.url('/login'))
    const main = new URL(await browser.openUntil(app.url('/callback'), app.url('/login')))
    return { main, one: await answerOf('one'), two: await answerOf('two') }
  }

  for (const announceIss of [true, false])
    for (const [from, at] of pairs) {
      const what = `an answer to ${from} at the callback of ${at}, ${announceIss ? 'with' : 'without'} iss`

      it(`P16: ${what}: is refused by its path, and stays good for its own`, async () => {
        await start({ announceIss })
        const answers = await answersUnderWay()
        expect(answers[from].searchParams.has('iss')).to.equal(announceIss)
        const before = codes()
        const page = await browser.request(app.url(callbacks[at] + answers[from].search))
        expect(page.status).to.equal(400)
        expect(json(page)).to.include({ code: 'login_not_found' })
        expect(codes(), 'no code is sent').to.deep.equal(before)
        for (const flow of flows)
          expect((await browser.request(answers[flow].href)).status, flow).to.equal(302)
        expect((await tokens()).slice(1)).to.deep.equal([
          issuedBy(servers.one),
          issuedBy(servers.two),
        ])
      })
    }

  // An attacker who knows the state of the login that is pending there.
  for (const [from, at] of pairs) {
    for (const [how, announceIss] of [
      ['with iss', true],
      ['its iss taken out, where it is announced', true],
      ['an iss that nobody announced', false],
    ] as const)
      it(`P16: an answer to ${from}, with the state of ${at}, ${how} (RFC 9207): issuer_mismatch`, async () => {
        await start({ announceIss })
        const answers = await answersUnderWay()
        const forged = new URL(answers[at])
        forged.search = answers[from].search
        forged.searchParams.set('state', answers[at].searchParams.get('state')!)
        if (how.includes('taken out')) forged.searchParams.delete('iss')
        if (!announceIss) forged.searchParams.set('iss', serverOf(from).issuer)
        const before = codes()
        const page = await browser.request(forged.href)
        expect(page.status).to.equal(400)
        expect(json(page)).to.include({ code: 'issuer_mismatch' })
        expect(codes(), 'no code is sent').to.deep.equal(before)
        expect((await tokens()).slice(1)).to.deep.equal([null, null])
      })
  }

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
