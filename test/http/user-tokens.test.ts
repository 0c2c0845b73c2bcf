import { expect } from 'chai'
import type { LoginEvent } from '../../src/index.ts'
import { createBrowser } from '../support/browser.ts'
import { clock } from '../support/clock.ts'
import type { AppSetUp, RunningApp } from '../support/app.ts'
import { createFaultyStore } from '../support/faulty-store.ts'
import { rows } from '../support/rows.ts'
import { until } from '../support/until.ts'
import { ask, logInAs, startUserApp } from './user-app.ts'

const hour = 3_600_000

describe('tokens kept per user (userId, tokenStore)', () => {
  const running: RunningApp[] = []
  let tokenStore: Map<string, unknown>

  async function start({ flow, ...setUp }: AppSetUp = {}): Promise<RunningApp> {
    const app = await startUserApp({ ...setUp, flow: { tokenStore, ...flow } })
    running.push(app)
    return app
  }

  beforeEach(() => {
    tokenStore = new Map()
  })

  afterEach(async () => {
    clock.release()
    for (const app of running.splice(0).reverse()) await app.close()
  })

  /** Tokens that the server handed out, newest last, by who owns them. */
  const issued = ({ server }: RunningApp, sub: string) =>
    server.issued.filter((tokens) => tokens.sub === sub)
  const newest = (app: RunningApp, sub: string) => issued(app, sub).at(-1)!

  it('are in that store only: the session and its record have none', async () => {
    const app = await start()
    await logInAs(app, 'alice')
    const { accessToken, refreshToken } = newest(app, 'alice')
    const { sessions, tokens } = await rows(app.store)
    for (const secret of [accessToken, refreshToken!]) {
      expect(JSON.stringify([sessions, tokens])).not.to.include(secret)
      expect(JSON.stringify([...tokenStore])).to.include(secret)
    }
    expect(tokenStore.size).to.equal(1)
    expect([...tokenStore.keys()].join()).not.to.include('alice')
  })

  it('outlive the session', async () => {
    const app = await start()
    const { browser } = await logInAs(app, 'alice')
    const old = browser.copy()
    await browser.open(app.url('/logout'))
    for (const nobody of [browser, old]) {
      expect(await ask(app, nobody, '/public')).to.deep.equal({ token: null })
      expect(await ask(app, nobody, '/token')).to.include({ code: 'login_required' })
      expect(await ask(app, nobody, '/member')).to.include({ code: 'login_required' })
    }
    expect(newest(app, 'alice')).to.include({ active: true, refreshable: true })
    await browser.request(app.url('/own/alice'))
    expect(await ask(app, browser, '/token')).to.deep.equal({
      token: newest(app, 'alice').accessToken,
    })
    // By the app's own sign-in, not by this flow's.
    expect(await ask(app, browser, '/member')).to.include({ code: 'login_required' })
  })

  it('P17: a slow request that brings the session back after a logout brings no tokens', async () => {
    const app = await start()
    const { browser } = await logInAs(app, 'alice')
    const old = browser.copy()
    const [row] = (await rows(app.store)).sessions
    await browser.open(app.url('/logout'))
    app.store.set(row!.key, row!.content as never)
    expect(await ask(app, old, '/token')).to.include({ code: 'login_required' })
    app.store.set(row!.key, row!.content as never)
    expect(await ask(app, old, '/public')).to.deep.equal({ token: null })
  })

  it('all sessions of a user share them: one refresh, in two apps that share the store', async () => {
    clock.stop()
    const app = await start()
    const other = await start({
      server: app.server,
      store: app.store,
      flow: { redirectUri: app.url('/callback') },
    })
    const { browser } = await logInAs(app, 'alice')
    const second = createBrowser()
    await second.request(app.url('/own/alice'))
    clock.advance(hour)
    const before = app.server.count('token')
    const asked = [browser, second, browser.copy()].flatMap((each) => [
      ask(app, each, '/token'),
      ask(other, each, '/token'),
    ])
    const answers = await Promise.all(asked)
    for (const answer of answers)
      expect(answer).to.deep.equal({ token: newest(app, 'alice').accessToken })
    expect(app.server.count('token') - before).to.equal(1)
    expect(tokenStore.size).to.equal(1)
  })

  it('P16: two users in two browsers get their own, each', async () => {
    const app = await start()
    const { browser: alice } = await logInAs(app, 'alice')
    const { browser: bob } = await logInAs(app, 'bob')
    for (const [browser, sub] of [
      [alice, 'alice'],
      [bob, 'bob'],
    ] as const) {
      const { accessToken } = newest(app, sub)
      expect(await ask(app, browser, '/public')).to.deep.equal({ token: accessToken })
      expect(await ask(app, browser, '/info')).to.include({ sub })
    }
    expect(tokenStore.size).to.equal(2)
  })

  it('P16: the user of a session changes: so do the tokens', async () => {
    const app = await start()
    const { browser } = await logInAs(app, 'alice')
    await logInAs(app, 'bob')
    for (const sub of ['bob', 'alice', 'bob']) {
      await browser.request(app.url(`/own/${sub}`))
      expect(await ask(app, browser, '/token')).to.deep.equal({
        token: newest(app, sub).accessToken,
      })
    }
    await browser.request(app.url('/own/carol'))
    expect(await ask(app, browser, '/public')).to.deep.equal({ token: null })
    expect(await ask(app, browser, '/token')).to.include({ code: 'not_connected', status: 401 })
  })

  describe('a second login', () => {
    const withoutRefreshToken = (usual: Record<string, unknown>) => ({
      ...usual,
      refresh_token: undefined,
    })

    it('of the same account keeps the refresh token if the new answer has none, and revokes nothing', async () => {
      const app = await start()
      const { browser } = await logInAs(app, 'alice')
      app.server.misbehave('token', { tokenResponse: withoutRefreshToken }, { times: 1 })
      await logInAs(app, 'alice', browser)
      const [first, second] = issued(app, 'alice')
      expect(await ask(app, browser, '/token')).to.deep.equal({ token: second!.accessToken })
      expect(JSON.stringify([...tokenStore])).to.include(first!.refreshToken)
      expect(app.server.count('revocation')).to.equal(0)
      clock.advance(hour)
      expect(await ask(app, browser, '/token')).to.deep.equal({
        token: newest(app, 'alice').accessToken,
      })
      expect(issued(app, 'alice')).to.have.length(3)
    })

    it('of another account replaces the first, which is revoked', async () => {
      const toCarol = ({ req }: LoginEvent) => void (req.session.user = 'carol')
      const app = await start({ flow: { onLogin: toCarol } })
      const { browser } = await logInAs(app, 'alice')
      app.server.misbehave('token', { tokenResponse: withoutRefreshToken }, { times: 1 })
      await logInAs(app, 'bob', browser)
      expect(await ask(app, browser, '/token')).to.deep.equal({
        token: newest(app, 'bob').accessToken,
      })
      await until(() => !newest(app, 'alice').active && !newest(app, 'alice').refreshable)
      expect(JSON.stringify([...tokenStore])).not.to.include(newest(app, 'alice').refreshToken)
      expect(newest(app, 'bob')).to.include({ active: true })
    })

    for (const before of ['alice', undefined])
      it(`that cannot be saved puts back what was there before (${before ?? 'nothing'}), and revokes what came`, async () => {
        const store = createFaultyStore()
        const app = await start({ store })
        const { browser } = await logInAs(app, before ?? 'bob')
        const status = () => app.flow.forUser('alice').status()
        const statusBefore = await status()
        const mend = store.fail(({ operation, key }) => operation === 'set' && !key.includes('.'))
        const other = createBrowser()
        const { page } = await logInAs(app, 'alice', other)
        mend()
        expect(page.status).to.equal(503)
        const { accessToken, refreshToken } = newest(app, 'alice')
        await until(() => !newest(app, 'alice').active)
        const stored = JSON.stringify([...tokenStore])
        expect(stored).not.to.include(accessToken).and.not.to.include(refreshToken)
        expect(await status()).to.deep.equal(statusBefore)
        if (before === undefined) {
          await other.request(app.url('/own/alice'))
          expect(await ask(app, other, '/token')).to.include({ code: 'not_connected' })
        } else
          expect(await ask(app, browser, '/token')).to.deep.equal({
            token: issued(app, before)[0]!.accessToken,
          })
      })
  })

  it('live as long as the refresh token says, else for tokenLifetime, beginning anew at a refresh', async () => {
    clock.stop()
    const app = await start({ flow: { tokenLifetime: 10 * hour } })
    const alice = app.flow.forUser('alice')
    await logInAs(app, 'alice')
    clock.advance(9 * hour)
    expect(await alice.token()).not.to.equal(undefined)
    clock.advance(9 * hour)
    expect(await alice.token()).not.to.equal(undefined)
    clock.advance(10 * hour)
    expect(await alice.token()).to.equal(undefined)
    app.server.misbehave('token', {
      tokenResponse: (usual) => ({ ...usual, refresh_expires_in: (20 * hour) / 1000 }),
    })
    await logInAs(app, 'alice')
    clock.advance(19 * hour)
    expect((await alice.status()).connected).to.equal(true)
    clock.advance(hour)
    expect((await alice.status()).connected).to.equal(false)
  })
})
