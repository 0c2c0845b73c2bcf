import { expect } from 'chai'
import { type AppSetUp, type RunningApp, startApp } from '../support/app.ts'
import { type Browser, createBrowser } from '../support/browser.ts'
import { clock } from '../support/clock.ts'

describe('P12: it recovers alone', () => {
  let app: RunningApp
  let browser: Browser
  let unhandled: unknown[]
  const note = (error: unknown) => unhandled.push(error)

  async function start(setUp: AppSetUp = {}) {
    app = await startApp(setUp)
    browser = createBrowser()
  }

  beforeEach(() => {
    unhandled = []
    process.on('unhandledRejection', note)
  })

  afterEach(async () => {
    clock.release()
    await app.close()
    process.off('unhandledRejection', note)
    expect(unhandled, 'unhandled rejections').to.deep.equal([])
  })

  const startLogin = () => browser.openUntil(app.url('/callback'), app.url('/login'))

  async function expectSignedIn(url: string) {
    const page = await browser.open(url)
    expect(page.status, page.body).to.equal(200)
    expect(JSON.parse(page.body)).to.include({ sub: 'alice' })
  }

  async function expectUnavailable(url: string, code = 'server_unavailable') {
    const { status, body, headers } = await browser.open(url)
    expect({ status, code: (JSON.parse(body) as { code: unknown }).code }).to.deep.equal({
      status: code === 'server_timeout' ? 504 : 503,
      code,
    })
    const { retryAfter } = app.errors.at(-1) as { retryAfter: number }
    expect(retryAfter).to.be.within(1, 30)
    return headers
  }

  describe('from a rotated signing key', () => {
    beforeEach(async () => {
      await start()
      await browser.open(app.url('/login'))
      browser = createBrowser()
      // Keys are fetched once a second at most, which would be waited for.
      clock.advance(1_000)
    })

    for (const keepKid of [false, true]) {
      const title = keepKid ? 'with the same key id' : 'with a new key id'

      it(`P12: rotated between two logins, ${title}`, async () => {
        app.server.rotateKeys({ keepKid })
        await expectSignedIn(app.url('/login'))
      })

      it(`P12: rotated between start and callback, ${title}`, async () => {
        const callback = await startLogin()
        app.server.rotateKeys({ keepKid })
        await expectSignedIn(callback)
      })

      it(`P12: rotated just before signing, ${title}`, async () => {
        app.server.misbehave('token', { rotateKeys: { keepKid } })
        await expectSignedIn(app.url('/login'))
      })

      it(`P12: rotated again and again, ${title}`, async () => {
        for (let times = 0; times < 3; times += 1) {
          app.server.rotateKeys({ keepKid })
          await expectSignedIn(app.url('/login'))
          clock.advance(1_000)
        }
      })

      it(`P12: rotated twice within a second, ${title}`, async () => {
        for (let times = 0; times < 2; times += 1) {
          app.server.rotateKeys({ keepKid })
          await expectSignedIn(app.url('/login'))
        }
      })

      it(`P12: rotated under 20 logins, ${title}: they share a fetch or two`, async () => {
        const browsers = Array.from({ length: 20 }, () => createBrowser())
        const callbacks = await Promise.all(
          browsers.map((each) => each.openUntil(app.url('/callback'), app.url('/login'))),
        )
        const fetched = app.server.count('jwks')
        app.server.rotateKeys({ keepKid })
        const pages = await Promise.all(browsers.map((each, index) => each.open(callbacks[index]!)))
        for (const page of pages) expect(page.status, page.body).to.equal(200)
        expect(app.server.count('jwks') - fetched).to.be.within(1, 2)
      })
    }

    it('P12: keys that cannot be had fail that login, not the next', async () => {
      app.server.rotateKeys()
      const stop = app.server.misbehave('jwks', { answer: { status: 503 } })
      await expectUnavailable(app.url('/login'))
      stop()
      await expectSignedIn(app.url('/login'))
    })
  })

  describe('from a restarted authorization server', () => {
    beforeEach(() => start())

    it('P12: between start and callback', async () => {
      const callback = await startLogin()
      await app.server.restart()
      await expectSignedIn(callback)
    })

    it('P12: that has forgotten its codes: 400 code_rejected, and the next login works', async () => {
      const callback = await startLogin()
      await app.server.restart({ forget: true })
      const page = await browser.open(callback)
      expect(page.status).to.equal(400)
      expect(JSON.parse(page.body)).to.include({ code: 'code_rejected' })
      await expectSignedIn(app.url('/login'))
    })

    it('P12: that is down for the callback: 503 with Retry-After, and the next login works', async () => {
      const callback = await startLogin()
      await app.server.stop()
      await expectUnavailable(callback)
      await app.server.start()
      await expectSignedIn(app.url('/login'))
    })

    it('P12: again and again, with logins in between', async () => {
      for (let times = 0; times < 5; times += 1) {
        await expectSignedIn(app.url('/login'))
        await app.server.restart()
      }
    })
  })

  describe('from a metadata outage', () => {
    it('P12: a server that is not up yet: 503 with Retry-After; it comes up: a login works', async () => {
      await start()
      clock.stop()
      await app.server.stop()
      await expectUnavailable(app.url('/login'))
      await app.server.start()
      clock.advance(30_000)
      await expectSignedIn(app.url('/login'))
    })

    const outages: { what: string; code: string; spoil: () => unknown }[] = [
      {
        what: '503',
        code: 'server_unavailable',
        spoil: () => app.server.misbehave('discovery', { answer: { status: 503 } }),
      },
      {
        what: 'a reset connection',
        code: 'server_unavailable',
        spoil: () => app.server.misbehave('discovery', { reset: 'mid-body' }),
      },
      {
        what: 'no answer',
        code: 'server_timeout',
        spoil: () => app.server.misbehave('discovery', { hang: true }),
      },
      {
        what: 'a page of a proxy',
        code: 'invalid_server_response',
        spoil: () => app.server.misbehave('discovery', { answer: { body: '<h1>Welcome</h1>' } }),
      },
      {
        what: 'metadata of another issuer',
        code: 'invalid_server_response',
        spoil: () =>
          app.server.misbehave('discovery', {
            metadata: (metadata) => ({ ...metadata, issuer: 'https://other.example' }),
          }),
      },
      {
        what: 'metadata without token endpoint',
        code: 'invalid_server_response',
        spoil: () =>
          app.server.misbehave('discovery', {
            metadata: (metadata) => ({ ...metadata, token_endpoint: undefined }),
          }),
      },
      {
        what: '404 everywhere',
        code: 'invalid_server_response',
        spoil: () => app.server.misbehave('discovery', { answer: { status: 404 } }),
      },
    ]
    for (const { what, code, spoil } of outages)
      it(`P12: ${what}: ${code}, then 503 without asking, then all is well`, async () => {
        await start({ flow: { timeout: 1_000 } })
        clock.stop()
        spoil()
        const page = await browser.open(app.url('/login'))
        expect(JSON.parse(page.body)).to.include({ code })
        const asked = app.server.count('discovery')
        app.server.behave()
        await expectUnavailable(app.url('/login'))
        expect(app.server.count('discovery')).to.equal(asked)
        clock.advance(30_000)
        await expectSignedIn(app.url('/login'))
      })

    it('P12: 20 visitors at once share one discovery, and one failure', async () => {
      await start()
      clock.stop()
      app.server.misbehave('discovery', { answer: { status: 503 } }, { times: 1 })
      const pages = await Promise.all(
        Array.from({ length: 20 }, () => createBrowser().open(app.url('/login'))),
      )
      for (const { status } of pages) expect(status).to.equal(503)
      expect(app.server.count('discovery')).to.equal(1)
      clock.advance(30_000)
      const later = await Promise.all(
        Array.from({ length: 20 }, () => createBrowser().open(app.url('/login'))),
      )
      for (const { status } of later) expect(status).to.equal(200)
      expect(app.server.count('discovery')).to.equal(2)
    })

    it('P12: a failure is remembered for at most 30 s, however many there were', async () => {
      await start()
      clock.stop()
      app.server.misbehave('discovery', { answer: { status: 503 } })
      for (let times = 1; times <= 12; times += 1) {
        await expectUnavailable(app.url('/login'))
        await expectUnavailable(app.url('/login'))
        expect(app.server.count('discovery'), 'discoveries').to.equal(times)
        clock.advance(30_000)
      }
      app.server.behave()
      await expectSignedIn(app.url('/login'))
    })

    it('P12: a failure is not remembered for longer because the clock was set back', async () => {
      await start()
      clock.stop()
      app.server.misbehave('discovery', { answer: { status: 503 } }, { times: 1 })
      await expectUnavailable(app.url('/login'))
      clock.set(Date.now() - 86_400_000)
      await expectSignedIn(app.url('/login'))
    })

    it('P12: ready() rejects, and is fulfilled later', async () => {
      await start()
      clock.stop()
      app.server.misbehave('discovery', { answer: { status: 503 } }, { times: 1 })
      const code = await app.flow
        .ready()
        .catch((error: unknown) => (error as { code: string }).code)
      expect(code).to.equal('server_unavailable')
      clock.advance(30_000)
      await app.flow.ready()
      await expectSignedIn(app.url('/login'))
    })

    it('P12: nobody asks before the first login', async () => {
      await start()
      await browser.open(app.url('/public'))
      await browser.open(app.url('/'))
      expect(app.server.requests).to.have.length(0)
    })

    it('P12: metadata that were good stay in use when an hour later there are none', async () => {
      await start()
      await expectSignedIn(app.url('/login'))
      clock.stop()
      app.server.misbehave('discovery', { answer: { status: 500 } })
      for (let hours = 0; hours < 3; hours += 1) {
        clock.advance(3_600_001)
        browser = createBrowser()
        await expectSignedIn(app.url('/login'))
      }
      await app.server.received('discovery', 3)
    })

    it('P12: metadata that were good stay in use when an hour later there are bad ones', async () => {
      await start()
      await expectSignedIn(app.url('/login'))
      clock.stop()
      app.server.misbehave('discovery', {
        metadata: (metadata) => ({ ...metadata, code_challenge_methods_supported: ['plain'] }),
      })
      clock.advance(3_600_001)
      browser = createBrowser()
      await expectSignedIn(app.url('/login'))
      await app.server.received('discovery', 2)
      await expectSignedIn(app.url('/login'))
    })

    it('P12: new metadata are taken up after an hour', async () => {
      await start()
      await expectSignedIn(app.url('/login'))
      app.server.misbehave('discovery', {
        metadata: (metadata) => ({
          ...metadata,
          authorization_endpoint: `${String(metadata.authorization_endpoint)}?new=1`,
        }),
      })
      clock.advance(3_600_001)
      await browser.open(app.url('/login'))
      await app.server.received('discovery', 2)
      for (let tries = 0; tries < 100; tries += 1) {
        const { headers } = await browser.request(app.url('/login'))
        if (headers.location!.includes('new=1')) return
      }
      throw new Error('The new metadata are never used')
    })
  })
})
