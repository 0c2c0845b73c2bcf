import { expect } from 'chai'
import type { Express } from 'express'
import type { PkceFlow, Token } from '../../src/index.ts'
import { startApi, type ApiServer } from '../http/api-server.ts'
import { json, program } from '../http/steps.ts'
import { logInAs, startUserApp, userOf } from '../http/user-app.ts'
import { type RunningApp, startApp } from '../support/app.ts'
import { type Browser, createBrowser } from '../support/browser.ts'
import { clock } from '../support/clock.ts'
import { seed, shuffled } from '../support/shuffle.ts'

const hour = 3_600_000
const people = ['alice', 'bob'] as const
type Person = (typeof people)[number]

/** 5,000 for each kind of flow. */
const reads = 4_950
const relogins = 50
/** While somebody disconnects, or sends the cookie that a login has just replaced. */
const noTokenNow = ['not_connected', 'reauthorization_required', 'login_required']
/** Browsers of each person. */
const browsersEach = 4

describe(`P16: two users, 10,000 times over all paths (seed ${seed})`, () => {
  let app: RunningApp
  let api: ApiServer

  /** Whose an access token is. */
  const owner = (accessToken: string | undefined): string | null =>
    app.server.issued.findLast((tokens) => tokens.accessToken === accessToken)?.sub ?? null

  function routes(express: Express, flow: PkceFlow) {
    const attached = (req: unknown) => (req as { token?: Token }).token
    const paths: Record<string, (req: Parameters<typeof userOf>[0]) => unknown> = {
      attached: (req) => owner(attached(req)?.accessToken),
      token: async (req) => owner((await flow.token(req))?.accessToken),
      claims: async (req) => (await flow.token(req))?.claims?.sub ?? null,
      fetch: async (req) => (await flow.fetch(req, api.origin)).text(),
      userInfo: async (req) => (await flow.userInfo(req)).sub,
    }
    for (const [name, tell] of Object.entries(paths))
      express.get(`/${name}`, (req, res, next) => {
        Promise.resolve(tell(req))
          .then((person) => res.json({ person }))
          .catch(next)
      })
    express.get('/guarded', flow.requireToken({ unauthenticated: 'problem' }), (req, res) => {
      res.json({ person: owner(attached(req)?.accessToken) })
    })
    express.get('/disconnect', (req, res, next) => {
      flow.disconnect(req).then((done) => res.json(done), next)
    })
    express.get('/', (_req, res) => {
      res.json({})
    })
  }

  const sessionPaths = ['attached', 'guarded', 'token', 'claims', 'fetch', 'userInfo'] as const
  const jobPaths = ['job token', 'job fetch', 'job userInfo'] as const
  type Path = (typeof sessionPaths)[number] | (typeof jobPaths)[number] | 'log in again'

  beforeEach(async () => {
    api = await startApi(({ headers }, response) => {
      response.end(owner(headers.authorization?.replace('Bearer ', '')) ?? 'nobody')
    })
  })

  afterEach(async () => {
    await app.close()
    await api.close()
    clock.release()
  })

  /** Who a path says that this is; `null`: nobody at the moment. */
  async function personAt(path: Path, browser: Browser, person: Person): Promise<unknown> {
    const job = () => app.flow.forUser(person)
    const quietly = (told: Promise<unknown>) =>
      told.catch((error: unknown) => {
        expect((error as { code: string }).code).to.be.oneOf(noTokenNow)
        return null
      })
    if (path === 'job token') return owner((await job().token())?.accessToken)
    if (path === 'job fetch')
      return quietly(
        job()
          .fetch(api.origin)
          .then((answer) => answer.text()),
      )
    if (path === 'job userInfo')
      return quietly(
        job()
          .userInfo()
          .then(({ sub }) => sub),
      )
    const page = await browser.request(app.url(`/${path}`), { headers: program })
    if (page.status !== 200) {
      expect(json(page).code).to.be.oneOf(noTokenNow)
      return null
    }
    return json(page).person
  }

  /** One at a time: the authorization server signs in whom it was told last. */
  let logins = Promise.resolve()
  function logInAgain(browser: Browser, person: Person): Promise<void> {
    logins = logins.then(async () => {
      await browser.request(app.url('/disconnect'))
      await logInAs(app, person, browser)
    })
    return logins
  }

  /** Everything, in an order that only the seed decides, eight at a time. Gives what was told. */
  async function interleave(paths: readonly Path[]) {
    const visitors: { browser: Browser; person: Person }[] = []
    for (let each = 0; each < browsersEach; each += 1)
      for (const person of people)
        visitors.push({ person, browser: (await logInAs(app, person, createBrowser())).browser })
    const work = Array.from({ length: reads + relogins }, (_, at) => ({
      ...visitors[at % visitors.length]!,
      path: at < reads ? paths[Math.floor(at / visitors.length) % paths.length]! : 'log in again',
    })) as { browser: Browser; person: Person; path: Path }[]
    const queue = shuffled(work)
    let own = 0
    let nobody = 0
    let done = 0
    async function worker() {
      for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
        done += 1
        if (done % 500 === 0) clock.advance(hour)
        const { browser, person, path } = next
        if (path === 'log in again') {
          await logInAgain(browser, person)
          continue
        }
        const told = await personAt(path, browser, person)
        expect(told, `${path}, SEED=${seed}`).to.be.oneOf([person, null])
        if (told === null) nobody += 1
        else own += 1
      }
    }
    await Promise.all(Array.from({ length: 8 }, worker))
    expect(done).to.equal(reads + relogins)
    expect(own + nobody).to.equal(reads)
    return { own, nobody }
  }

  it('P16: tokens of sessions: never the other’s', async function () {
    this.timeout(60_000).slow(60_000)
    clock.stop()
    app = await startApp({ routes, flow: { apiOrigins: [api.origin] } })
    const { own } = await interleave(sessionPaths)
    expect(own).to.be.above(reads / 2)
    expect(app.server.count('token')).to.be.above(relogins)
  })

  it('P16: tokens of users, in requests and in jobs: never the other’s', async function () {
    this.timeout(60_000).slow(60_000)
    clock.stop()
    app = await startUserApp({ routes, flow: { apiOrigins: [api.origin] } })
    const { own } = await interleave([...sessionPaths, ...jobPaths])
    expect(own).to.be.above(reads / 2)
  })
})
