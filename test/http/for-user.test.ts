import { expect } from 'chai'
import type { AppSetUp, RunningApp } from '../support/app.ts'
import { createBrowser } from '../support/browser.ts'
import { clock } from '../support/clock.ts'
import { createGate } from '../support/gate.ts'
import { until } from '../support/until.ts'
import { startApp } from '../support/app.ts'
import { ask, logInAs, startUserApp } from './user-app.ts'

const hour = 3_600_000

const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => expect.fail('resolved'),
    (error: unknown) => error,
  )

describe('forUser(id): outside of a request', () => {
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

  it('token, status, fetch and userInfo are those of this user', async () => {
    clock.stop()
    const app = await start()
    for (const sub of ['alice', 'bob']) await logInAs(app, sub)
    for (const sub of ['alice', 'bob']) {
      const user = app.flow.forUser(sub)
      const token = await user.token()
      expect(token!.accessToken).to.equal(
        app.server.issued.find((tokens) => tokens.sub === sub)!.accessToken,
      )
      expect(token!.claims).to.include({ sub })
      expect(await user.status()).to.deep.equal({
        connected: true,
        scope: ['openid'],
        expiresAt: new Date(Date.now() + hour),
        connectedAt: new Date(),
      })
      const answer = await user.fetch(app.server.metadata.userinfo_endpoint)
      expect(await answer.json()).to.include({ sub })
      expect(await user.userInfo()).to.include({ sub })
    }
    expect(app.server.count('token')).to.equal(2)
  })

  it('an object of it is good for hours: it refreshes, once with all that happens in requests', async () => {
    clock.stop()
    const app = await start()
    const { browser } = await logInAs(app, 'alice')
    const user = app.flow.forUser('alice')
    for (let times = 1; times <= 3; times += 1) {
      clock.advance(hour)
      expect((await user.status()).connected).to.equal(true)
      expect(app.server.count('token')).to.equal(times)
      const gate = createGate()
      app.server.misbehave('token', { delay: gate.pass() }, { times: 1 })
      const asked = [
        user.token().then((token) => token?.accessToken),
        app.flow
          .forUser('alice')
          .token()
          .then((token) => token?.accessToken),
        ask(app, browser, '/token').then(({ token }) => token),
        ask(app, browser, '/public').then(({ token }) => token),
      ]
      await app.server.received('token', times + 1)
      gate.open()
      const { accessToken } = app.server.issued.at(-1) ?? { accessToken: '' }
      const tokens = await Promise.all(asked)
      expect(new Set(tokens)).to.deep.equal(new Set([app.server.issued.at(-1)!.accessToken]))
      expect(tokens[0]).not.to.equal(accessToken)
      expect(app.server.count('token')).to.equal(times + 1)
    }
  })

  it('of a user without tokens: undefined, not connected, not_connected', async () => {
    const app = await start()
    const user = app.flow.forUser('carol')
    expect(await user.token()).to.equal(undefined)
    expect(await user.status()).to.deep.equal({ connected: false, scope: [] })
    expect(await failure(user.fetch(app.server.issuer))).to.include({
      code: 'not_connected',
      status: 401,
    })
    expect(await failure(user.userInfo())).to.include({ code: 'not_connected' })
    expect(await user.disconnect()).to.deep.equal({ revoked: false })
    expect(await user.status()).to.deep.equal({ connected: false, scope: [] })
    expect(app.server.count('token') + app.server.count('revocation')).to.equal(0)
  })

  it('when the refresh token has ended: reauthorization_required, one token request', async () => {
    clock.stop()
    const app = await start()
    await logInAs(app, 'alice')
    const user = app.flow.forUser('alice')
    const refused = { answer: { status: 400, json: { error: 'invalid_grant' } } }
    app.server.misbehave('token', refused)
    clock.advance(hour)
    for (let times = 0; times < 3; times += 1) {
      expect(await failure(user.fetch(app.server.issuer))).to.include({
        code: 'reauthorization_required',
      })
      expect(await user.token()).to.equal(undefined)
    }
    expect((await user.status()).connected).to.equal(false)
    expect(app.server.count('token')).to.equal(2)
  })

  it('while the server is down: 503, and the tokens are kept', async () => {
    clock.stop()
    const app = await start()
    await logInAs(app, 'alice')
    const user = app.flow.forUser('alice')
    const stop = app.server.misbehave('token', { answer: { status: 500 } })
    clock.advance(hour)
    expect(await failure(user.token())).to.include({ code: 'server_unavailable', status: 503 })
    stop()
    clock.advance(1_000)
    expect(await user.token())
      .to.have.property('claims')
      .that.includes({ sub: 'alice' })
  })

  it('disconnect: forgotten for all sessions, and revoked', async () => {
    const app = await start()
    const { browser } = await logInAs(app, 'alice')
    await logInAs(app, 'bob')
    const user = app.flow.forUser('alice')
    expect(await user.disconnect()).to.deep.equal({ revoked: true })
    expect(app.server.issued[0]).to.include({ active: false, refreshable: false })
    expect(app.server.issued[1]).to.include({ active: true, refreshable: true })
    const hints = app.server.requests
      .filter(({ endpoint }) => endpoint === 'revocation')
      .map(({ body }) => body.get('token_type_hint'))
    expect(hints).to.deep.equal(['refresh_token', 'access_token'])
    expect(await user.status()).to.deep.equal({ connected: false, scope: [] })
    expect(JSON.stringify([...tokenStore])).not.to.include(app.server.issued[0]!.accessToken)
    expect(await ask(app, browser, '/token')).to.include({ code: 'not_connected' })
    expect(await ask(app, browser, '/member')).to.deep.equal({})
    await logInAs(app, 'alice', browser)
    expect(await ask(app, browser, '/token')).to.deep.equal({
      token: app.server.issued.at(-1)!.accessToken,
    })
  })

  it('disconnect during a refresh: it cannot bring them back, and what it brings is revoked', async () => {
    clock.stop()
    const app = await start()
    await logInAs(app, 'alice')
    const user = app.flow.forUser('alice')
    const gate = createGate()
    app.server.misbehave('token', { delay: gate.pass() })
    clock.advance(hour)
    const token = user.token().catch(() => undefined)
    await app.server.received('token', 2)
    const done = user.disconnect()
    gate.open()
    await Promise.all([token, done])
    expect(await done).to.deep.equal({ revoked: true })
    expect(await user.token()).to.equal(undefined)
    await until(() => app.server.issued.every(({ active, refreshable }) => !active && !refreshable))
  })

  it('two users at once: never the other’s', async () => {
    const app = await start()
    for (const sub of ['alice', 'bob']) await logInAs(app, sub)
    const asked = Array.from({ length: 100 }, async (_, at) => {
      const sub = at % 2 === 0 ? 'alice' : 'bob'
      return [sub, (await app.flow.forUser(sub).token())!.claims!.sub]
    })
    for (const [wanted, got] of await Promise.all(asked)) expect(got).to.equal(wanted)
  })

  it('throws at once what is wrong', async () => {
    const app = await start()
    for (const id of ['', 'undefined', 'null', 7, undefined, null, {}, Promise.resolve('alice')])
      expect(() => app.flow.forUser(id as string))
        .to.throw()
        .with.property('code', 'user_id_invalid')
  })

  it('without tokenStore throws configuration, and names the option', async () => {
    const app = await startApp()
    running.push(app)
    expect(() => app.flow.forUser('alice'))
      .to.throw('"tokenStore"')
      .with.property('code', 'configuration')
  })

  it('ids that look alike are others', async () => {
    const app = await start()
    await logInAs(app, 'alice')
    for (const id of ['Alice', 'alice ', ' alice', 'alice\u0000', 'alicе', '["alice"]'])
      expect(await app.flow.forUser(id).token(), JSON.stringify(id)).to.equal(undefined)
    await createBrowser().request(app.url('/public'))
  })
})
