import cluster from 'node:cluster'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import session from 'express-session'
import createMemoryStore from 'memorystore'
import createFileStore from 'session-file-store'
import type { Finding } from '../../src/index.ts'
import { createTestAuthorizationServer } from '../../src/testing/index.ts'
import type { AppSetUp, RunningApp } from '../support/app.ts'
import { everythingIn } from '../support/everything-in.ts'
import { codesOf, findingsOf, startDoctorApp } from './doctor-app.ts'

const LimitedStore = createMemoryStore(session)
const FileStore = createFileStore(session)

describe('diagnose: what is wrong with the server, the stores and the process', () => {
  let app: RunningApp | undefined
  let folder: string | undefined
  const isWorker = cluster.isWorker

  async function start(setUp: AppSetUp = {}): Promise<RunningApp> {
    await app?.close()
    app = await startDoctorApp(setUp)
    return app
  }

  afterEach(async () => {
    Object.assign(cluster, { isWorker })
    await app?.close()
    app = undefined
    if (folder) rmSync(folder, { recursive: true, force: true })
  })

  /** A store that processes may share. */
  function sharedStore() {
    folder = mkdtempSync(join(tmpdir(), 'sessions-'))
    return new FileStore({ path: folder, retries: 0, reapInterval: -1, logFn: () => undefined })
  }

  const lock = { acquire: () => Promise.reject(new Error('not asked for')) }
  const inProduction: AppSetUp['before'] = (routes) => routes.set('env', 'production')

  async function found(setUp: AppSetUp): Promise<string[]> {
    return codesOf(await findingsOf(await start(setUp)))
  }

  it('nothing is wrong: nothing is found, with a request and without', async () => {
    const { flow } = await start()
    expect(await flow.diagnose()).to.deep.equal([])
    expect(await findingsOf(app!)).to.deep.equal([])
  })

  it('nothing is stored for it, and no session made', async () => {
    await findingsOf(await start())
    await app!.flow.diagnose()
    expect(Object.keys((app!.store as unknown as { sessions: object }).sessions)).to.deep.equal([])
  })

  describe('memory_store', () => {
    it('found: MemoryStore, and NODE_ENV is production', async () => {
      expect(await found({ before: inProduction })).to.deep.equal(['memory_store'])
    })

    it('found: a Map that keeps the tokens of users', async () => {
      const store = new LimitedStore({ checkPeriod: 60_000 })
      const flow = { tokenStore: new Map(), userId: () => undefined }
      const codes = await found({ before: inProduction, session: { store }, flow })
      store.stopInterval()
      expect(codes).to.deep.equal(['memory_store'])
    })

    it('not found: in development, where NODE_ENV is another or none', async () => {
      for (const env of ['development', 'test', undefined])
        expect(await found({ before: (routes) => routes.set('env', env) })).to.deep.equal([])
    })

    it('not found: a store in memory that has a limit', async () => {
      const store = new LimitedStore({ checkPeriod: 60_000 })
      const codes = await found({ before: inProduction, session: { store } })
      store.stopInterval()
      expect(codes).to.deep.equal([])
    })

    it('not found without a request, which says what store there is', async () => {
      expect(await (await start({ before: inProduction })).flow.diagnose()).to.deep.equal([])
    })
  })

  describe('lock_missing', () => {
    it('found: a store that processes may share, and no lock', async () => {
      const store = sharedStore()
      expect(await found({ session: { store } })).to.deep.equal(['lock_missing'])
      expect(codesOf(await app!.flow.diagnose()), 'without a request').to.deep.equal([])
    })

    it('found, also without a request: a store in the options', async () => {
      const { flow } = await start({ flow: { store: sharedStore() } })
      expect(codesOf(await flow.diagnose())).to.deep.equal(['lock_missing'])
    })

    it('not found: with a lock, or if this is said to be the only process', async () => {
      const store = sharedStore()
      for (const given of [lock, 'process'])
        expect(await found({ session: { store }, flow: { lock: given } })).to.deep.equal([])
    })
  })

  describe('store_not_shared', () => {
    it('found: a worker of a cluster with sessions in its memory', async () => {
      Object.assign(cluster, { isWorker: true })
      for (const flow of [{}, { lock }])
        expect(await found({ flow })).to.deep.equal(['store_not_shared'])
    })

    it('not found: the only worker, or a store that they share', async () => {
      Object.assign(cluster, { isWorker: true })
      expect(await found({ flow: { lock: 'process' } })).to.deep.equal([])
      expect(await found({ session: { store: sharedStore() }, flow: { lock } })).to.deep.equal([])
    })

    it('not found: no worker', async () => {
      expect(await found({ flow: { lock } })).to.deep.equal([])
    })
  })

  describe('the authorization server', () => {
    it('server_unavailable: it is down, also while that is remembered', async () => {
      const { server, flow } = await start()
      await server.stop()
      expect(codesOf(await flow.diagnose())).to.deep.equal(['server_unavailable'])
      expect(codesOf(await findingsOf(app!))).to.deep.equal(['server_unavailable'])
    })

    it('server_unavailable: it does not answer in time', async () => {
      const { server, flow } = await start({ flow: { timeout: 1_000 } })
      server.misbehave('discovery', { hang: true })
      expect(codesOf(await flow.diagnose())).to.deep.equal(['server_unavailable'])
    })

    it('server_unavailable: it is known, and its keys are not to be had', async () => {
      const { server, flow } = await start()
      await flow.ready()
      const stop = server.misbehave('jwks', { answer: { status: 503 } })
      expect(codesOf(await flow.diagnose())).to.deep.equal(['server_unavailable'])
      stop()
      expect(await flow.diagnose()).to.deep.equal([])
    })

    it('server_unusable: it is another one than issuer says', async () => {
      const metadata = { issuer: 'https://other.example' }
      const { flow } = await start({ serverOptions: { metadata } })
      expect(codesOf(await flow.diagnose())).to.deep.equal(['server_unusable'])
    })

    it('server_unusable: no keys where they should be', async () => {
      const { server, flow } = await start()
      server.misbehave('jwks', { answer: { status: 404 } })
      expect(codesOf(await flow.diagnose())).to.deep.equal(['server_unusable'])
    })

    it('s256_missing: it announces methods without S256, also while that is remembered', async () => {
      const metadata = { code_challenge_methods_supported: ['plain'] }
      const { flow } = await start({ serverOptions: { metadata } })
      for (let times = 0; times < 2; times += 1)
        expect(codesOf(await flow.diagnose())).to.deep.equal(['s256_missing'])
    })

    it('not found: it announces S256 among others, or no methods at all', async () => {
      for (const methods of [['plain', 'S256'], undefined]) {
        const metadata = { code_challenge_methods_supported: methods }
        const { flow } = await start({ serverOptions: { metadata } })
        expect(await flow.diagnose()).to.deep.equal([])
      }
    })

    it('one by hand without keys is not asked anything', async () => {
      const server = await createTestAuthorizationServer()
      const { flow } = await start({
        server,
        flow: {
          issuer: undefined,
          server: {
            authorization_endpoint: `${server.issuer}/authorize`,
            token_endpoint: `${server.issuer}/token`,
          },
        },
      })
      expect(await flow.diagnose()).to.deep.equal([])
      expect(server.requests).to.have.length(0)
      await server.close()
    })
  })

  describe('clock_skew', () => {
    async function withDate(date: string | undefined, headers = {}, flow = {}): Promise<Finding[]> {
      const { server } = await start({ flow })
      const answer = { json: { keys: [] }, headers: { ...(date && { date }), ...headers } }
      server.misbehave('jwks', { answer })
      return app!.flow.diagnose()
    }
    const apart = (milliseconds: number) => new Date(Date.now() + milliseconds).toUTCString()

    for (const [what, milliseconds] of [
      ['ahead of', 120_000],
      ['behind', -120_000],
    ] as const)
      it(`found: the server’s clock is two minutes ${what} ours`, async () => {
        const findings = await withDate(apart(milliseconds))
        expect(codesOf(findings)).to.deep.equal(['clock_skew'])
        expect(findings[0]!.message).to.match(new RegExp(`(118|119|120|121) seconds ${what} ours`))
      })

    it('not found: within clockTolerance', async () => {
      expect(await withDate(apart(25_000))).to.deep.equal([])
      expect(await withDate(apart(-25_000))).to.deep.equal([])
      expect(await withDate(apart(120_000), {}, { clockTolerance: 200_000 })).to.deep.equal([])
    })

    it('not found: the answer was kept by a cache for as long', async () => {
      expect(await withDate(apart(-3_600_000), { age: '3600' })).to.deep.equal([])
    })

    it('not found: there are no ID Tokens that it matters to', async () => {
      expect(await withDate(apart(120_000), {}, { scope: 'api' })).to.deep.equal([])
    })

    it('not found: a server that publishes no keys', async () => {
      const { flow } = await start({ serverOptions: { metadata: { jwks_uri: undefined } } })
      expect(await flow.diagnose()).to.deep.equal([])
    })

    it('not found: a date that is none', async () => {
      expect(await withDate('yesterday')).to.deep.equal([])
    })
  })

  it('P7: no finding holds a client secret, or what a stranger sent', async () => {
    const { flow, server } = await start({ before: inProduction })
    await server.stop()
    const strange = '<b>stranger</b>'
    const findings = await findingsOf(app!, {
      ...{ accept: 'text/html', host: `${strange}:80`, 'x-forwarded-proto': 'https' },
      ...{ 'x-forwarded-prefix': `/${strange}`, cookie: `connect.sid=${strange}` },
    })
    findings.push(...(await flow.diagnose()))
    expect(codesOf(findings)).to.include.members(['server_unavailable', 'other_origin'])
    const text = everythingIn(findings)
    expect(text).not.to.include('test-client-secret').and.not.to.include('stranger')
  })
})
