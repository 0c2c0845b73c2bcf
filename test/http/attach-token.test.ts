import { expect } from 'chai'
import type { RequestHandler } from 'express'
import { pkceFlow } from '../../src/index.ts'
import { logIn } from '../protocol/attempt.ts'
import { startApp, type AppSetUp, type RunningApp } from '../support/app.ts'
import { createBrowser } from '../support/browser.ts'
import { clock } from '../support/clock.ts'
import { createFaultyStore, type StoreCall } from '../support/faulty-store.ts'
import { json, program } from './steps.ts'
import { withoutRefreshTokens } from '../support/refresh-tokens.ts'

const ofTokens = ({ key }: StoreCall) => key.startsWith('tr.')
const readsOfTokens = (call: StoreCall) => call.operation === 'get' && ofTokens(call)

describe('attaching the token', () => {
  const running: RunningApp[] = []

  async function start(setUp: AppSetUp = {}): Promise<RunningApp> {
    const app = await startApp(setUp)
    running.push(app)
    return app
  }

  afterEach(async () => {
    clock.release()
    for (const app of running.splice(0)) await app.close()
  })

  it('puts it on the request for what comes after the router, and only there', async () => {
    const seen: unknown[] = []
    const app = await start({
      before: (early) => {
        early.use((req, _res, next) => {
          seen.push('token' in req)
          next()
        })
      },
    })
    const browser = await logIn(app)
    seen.length = 0
    expect(json(await browser.request(app.url('/public')))).to.deep.equal({
      token: app.server.issued[0]!.accessToken,
    })
    expect(seen).to.deep.equal([false])
  })

  it('leaves a request of nobody alone: no token, no session, no read', async () => {
    const store = createFaultyStore()
    const app = await start({ store })
    const page = await createBrowser().request(app.url('/public'))
    expect(json(page)).to.deep.equal({ token: null })
    expect(page.headers).not.to.have.property('set-cookie')
    expect(store.calls).to.be.empty
  })

  it('needs one read of its own for a request of somebody', async () => {
    const store = createFaultyStore()
    const app = await start({ store })
    const browser = await logIn(app)
    const before = store.calls.length
    await browser.request(app.url('/public'))
    expect(
      store.calls
        .slice(before)
        .filter(ofTokens)
        .map(({ operation }) => operation),
    ).to.deep.equal(['get'])
  })

  it('leaves out one that has expired and cannot be refreshed', async () => {
    const app = await start()
    withoutRefreshTokens(app.server)
    const browser = await logIn(app)
    clock.advance(3_600_000)
    expect(json(await browser.request(app.url('/public')))).to.deep.equal({ token: null })
  })

  describe('attach: false', () => {
    it('needs no read and puts nothing on the request; guards do', async () => {
      const store = createFaultyStore()
      const app = await start({ store, flow: { attach: false } })
      const browser = await logIn(app)
      const before = store.calls.length
      expect(json(await browser.request(app.url('/public')))).to.deep.equal({ token: null })
      expect(store.calls.slice(before).filter(ofTokens)).to.be.empty
      expect(json(await browser.request(app.url('/token')))).to.deep.equal({
        token: app.server.issued[0]!.accessToken,
      })
    })
  })

  describe('requestProperty', () => {
    it('is where it is put, by the guard, too', async () => {
      const app = await start({
        flow: { requestProperty: 'gitlab' },
        routes: (routes, flow) => {
          const show: RequestHandler = (req, res) => {
            const { gitlab } = req as { gitlab?: { accessToken: string } }
            res.json({ gitlab: gitlab?.accessToken ?? null, token: 'token' in req })
          }
          routes.get('/', (req, res, next) => {
            flow.status(req).then((status) => res.json({ status }), next)
          })
          routes.get('/attached', show)
          routes.get('/guarded', flow.requireToken(), show)
        },
      })
      const browser = await logIn(app)
      const expected = { gitlab: app.server.issued[0]!.accessToken, token: false }
      for (const path of ['/attached', '/guarded'])
        expect(json(await browser.request(app.url(path)))).to.deep.equal(expected)
    })

    it('two flows of one app keep theirs apart', async () => {
      const app = await start({
        routes: (routes, flow) => {
          const second = pkceFlow({
            issuer: 'https://server.example',
            name: 'second',
            clientId: 'test-client',
            clientSecret: 'test-client-secret',
            redirectUri: 'http://127.0.0.1/second/callback',
            requestProperty: 'second',
          })
          routes.use(second)
          routes.get('/', (req, res, next) => {
            Promise.all([flow.status(req), second.status(req)])
              .then(([status, other]) =>
                res.json({ status, other, both: ['token', 'second'].map((name) => name in req) }),
              )
              .catch(next)
          })
        },
      })
      const browser = await logIn(app)
      expect(json(await browser.request(app.url('/')))).to.deep.include({
        other: { signedIn: false, connected: false, scope: [] },
        both: [true, false],
      })
    })
  })

  describe('never answers and never fails a request', () => {
    const faults: [string, (store: ReturnType<typeof createFaultyStore>) => void][] = [
      ['fails', (store) => void store.fail(readsOfTokens)],
      [
        'throws',
        (store) =>
          void Object.assign(store, {
            get: breakFor(store.get.bind(store), () => {
              throw new Error('The store is broken')
            }),
          }),
      ],
      [
        'calls back with garbage',
        (store) =>
          void Object.assign(store, {
            get: breakFor(store.get.bind(store), (done) => {
              done(null, 'garbage')
            }),
          }),
      ],
      [
        'has lost the record',
        (store) =>
          void Object.assign(store, {
            get: breakFor(store.get.bind(store), (done) => {
              done(null, null)
            }),
          }),
      ],
    ]
    for (const [what, spoil] of faults)
      it(`when the store ${what}`, async () => {
        const store = createFaultyStore()
        const app = await start({ store })
        const browser = await logIn(app)
        spoil(store)
        const page = await browser.request(app.url('/public'))
        expect(page.status).to.equal(200)
        expect(json(page)).to.deep.equal({ token: null })
        expect(app.errors).to.be.empty
        const guarded = await browser.request(app.url('/token'), { headers: program })
        expect(guarded.status).to.be.oneOf([401, 503])
      })

    it('when the session middleware has not run', async () => {
      const app = await start({ session: { cookie: { path: '/elsewhere' } } })
      expect(json(await createBrowser().request(app.url('/public')))).to.deep.equal({ token: null })
    })
  })

  it('does not take a reference in the session for more than a key of ours', async () => {
    const app = await start({
      routes: (routes, flow) => {
        routes.get('/plant', (req, res) => {
          const { searchParams } = new URL(req.url, 'http://localhost')
          Object.assign(req.session, {
            pkceFlow: JSON.parse(searchParams.get('value')!) as unknown,
          })
          res.end()
        })
        routes.get('/', (req, res, next) => {
          flow.status(req).then((status) => res.json({ status }), next)
        })
      },
    })
    const name = new URL(app.server.issuer).host
    for (const value of [
      ...[null, 'text', 5, [], { [name]: 5 }, { [name]: null }, { [name]: {} }],
      ...[{ [name]: '../../etc/passwd' }, { [name]: 'x'.repeat(32) }, { [name]: 'a'.repeat(33) }],
    ]) {
      const browser = createBrowser()
      const query = new URLSearchParams({ value: JSON.stringify(value) })
      await browser.request(app.url(`/plant?${query.toString()}`))
      const page = await browser.request(app.url('/'))
      expect(page.status, JSON.stringify(value)).to.equal(200)
      expect(json(page).status).to.include({ signedIn: false })
    }
  })
})

type Get = (key: string, done: (error: unknown, found?: unknown) => void) => void

/** A store's `get` that does something else for token records. */
function breakFor(usual: Get, instead: (done: Parameters<Get>[1]) => void): Get {
  return (key, done) => {
    if (key.startsWith('tr.')) instead(done)
    else usual(key, done)
  }
}
