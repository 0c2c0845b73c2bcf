import { expect } from 'chai'
import { type AppSetUp, type RunningApp, startApp } from '../support/app.ts'
import { type Browser, createBrowser } from '../support/browser.ts'
import { createFaultyStore, type FaultyStore } from '../support/faulty-store.ts'
import { rows, sessionId } from '../support/rows.ts'

describe('P10: a failure that may pass ends no login', () => {
  let app: RunningApp
  let browser: Browser

  async function start(setUp: AppSetUp = {}) {
    app = await startApp(setUp)
    browser = createBrowser()
    await browser.open(app.url('/login'))
  }

  afterEach(() => app.close())

  async function tokenNow(): Promise<unknown> {
    return (JSON.parse((await browser.open(app.url('/token'))).body) as { token: unknown }).token
  }

  describe('a second login that fails', () => {
    const failures: { what: string; status: number; code: string; spoil: () => unknown }[] = [
      {
        what: 'the server cannot be reached',
        status: 503,
        code: 'server_unavailable',
        spoil: () => app.server.misbehave('token', { reset: 'before-response' }),
      },
      {
        what: '429',
        status: 503,
        code: 'server_unavailable',
        spoil: () => app.server.misbehave('token', { answer: { status: 429 } }),
      },
      {
        what: '500',
        status: 503,
        code: 'server_unavailable',
        spoil: () => app.server.misbehave('token', { answer: { status: 500 } }),
      },
      {
        what: 'no answer in time',
        status: 504,
        code: 'server_timeout',
        spoil: () => app.server.misbehave('token', { hang: true }),
      },
      {
        what: 'a wrong client secret',
        status: 500,
        code: 'client_rejected',
        spoil: () =>
          app.server.misbehave('token', {
            answer: { status: 401, json: { error: 'invalid_client' } },
          }),
      },
      {
        what: 'a refused code',
        status: 400,
        code: 'code_rejected',
        spoil: () =>
          app.server.misbehave('token', {
            answer: { status: 400, json: { error: 'invalid_grant' } },
          }),
      },
      {
        what: 'the person said no',
        status: 403,
        code: 'access_denied',
        spoil: () => app.server.misbehave('authorization', { authorizationError: 'access_denied' }),
      },
      {
        what: 'an ID Token that is not valid',
        status: 502,
        code: 'id_token_invalid',
        spoil: () => app.server.misbehave('token', { idToken: { sign: 'wrong-key' } }),
      },
    ]
    for (const { what, status, code, spoil } of failures)
      it(`P10: ${what}: ${status} ${code}, and the first login goes on`, async () => {
        await start({ flow: { timeout: 1_000 } })
        const id = sessionId(browser)
        const token = await tokenNow()
        const [record] = (await rows(app.store)).tokens
        spoil()
        const page = await browser.open(app.url('/login'))
        expect(page.status).to.equal(status)
        expect(JSON.parse(page.body)).to.include({ code })
        if (status === 503 || status === 504)
          expect(app.errors.at(-1)).to.have.property('retryAfter').that.is.above(0)
        expect(sessionId(browser)).to.equal(id)
        expect((await rows(app.store)).tokens).to.deep.equal([record])
        expect(await tokenNow()).to.equal(token)
      })
  })

  it('P10: with the server down, who is signed in goes on', async () => {
    await start()
    const token = await tokenNow()
    await app.server.stop()
    expect(await tokenNow()).to.equal(token)
    expect((await browser.open(app.url('/login-only'))).status).to.equal(200)
  })

  for (const expiresIn of [0, '0'])
    it(`P10: a token that has expired on arrival (expires_in: ${JSON.stringify(expiresIn)}) sends nobody in circles`, async () => {
      await start()
      await browser.open(app.url('/logout'))
      app.server.reset()
      app.server.misbehave('token', {
        tokenResponse: (response) => ({ ...response, expires_in: expiresIn }),
      })
      const ended = await browser.open(app.url('/token')).catch(() => 'redirected in circles')
      expect(ended).not.to.equal('redirected in circles')
      expect(app.server.count('token')).to.be.at.most(2)
    })

  describe('a store for our records that is down', () => {
    let records: FaultyStore

    beforeEach(async () => {
      records = createFaultyStore()
      await start({ flow: { store: records } })
    })

    it('P10: a page that needs no token is served, one that needs it is 503 with Retry-After, and later all is well', async () => {
      const token = await tokenNow()
      const mend = records.fail(() => true)
      const open = await browser.open(app.url('/public'))
      expect(open.status).to.equal(200)
      expect(JSON.parse(open.body)).to.deep.equal({ token: null })
      for (const path of ['/token', '/login-only', '/']) {
        const page = await browser.open(app.url(path))
        expect(page.status, path).to.equal(503)
        expect(JSON.parse(page.body), path).to.include({ code: 'store_unavailable' })
      }
      mend()
      expect(await tokenNow()).to.equal(token)
      expect(app.errors[0]).to.have.property('retryAfter').that.is.above(0)
    })

    it('P10: a start is 503 and sends nobody to the server', async () => {
      records.fail(() => true)
      const page = await browser.request(app.url('/login'))
      expect(page.status).to.equal(503)
      expect(page.headers).not.to.have.property('location')
      expect(page.headers).not.to.have.property('set-cookie')
    })
  })
})
