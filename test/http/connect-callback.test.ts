import { expect } from 'chai'
import type { PkceFlowError } from '../../src/index.ts'
import type { Request } from 'express'
import type { AppSetUp, RunningApp } from '../support/app.ts'
import { type Browser, createBrowser, nextUrl } from '../support/browser.ts'
import { rows, sessionId } from '../support/rows.ts'
import { until } from '../support/until.ts'
import {
  accountOf,
  browserOf,
  connect,
  ownPage,
  sessionRows,
  startConnect,
  startConnectApp,
  told,
} from './connect-app.ts'
import { openForm, postAnswer } from './form-post.ts'
import { cookiesSet, json, withoutSessionCookie } from './steps.ts'

/** The answer to connecting an account: who is there when it comes, and with which cookies. */
describe('connecting an account is finished', () => {
  let app: RunningApp
  let browser: Browser

  async function start({ tlsProxy = false, ...setUp }: AppSetUp = {}) {
    app = await startConnectApp({ tlsProxy, ...setUp })
    browser = await browserOf(app, 'ann', createBrowser({ tlsProxy }))
  }

  afterEach(() => app.close())

  const visit = (path: string) => browser.request(app.url(path))
  const tokenRows = async () => (await rows(app.store)).tokens.map(({ content }) => content.content)

  describe('by the user who started only', () => {
    const changes: [string, string[]][] = [
      ['another user', ['/own/login/ben']],
      ['another user, in a new session', ['/own/logout', '/own/login/ben']],
      ['nobody', ['/own/logout']],
    ]
    for (const [who, paths] of changes)
      it(`P16: with ${who} at the callback nothing is stored or sent: 409 user_changed`, async () => {
        await start()
        const ben = await browserOf(app, 'ben')
        await connect(app, browser, 'alice')
        await connect(app, ben, 'bob')
        const before = await tokenRows()
        const answer = await startConnect(app, browser, { as: 'bob' })
        for (const path of paths) await visit(path)
        const first = await browser.open(answer)
        for (const page of [first, await browser.open(answer)]) {
          expect(page.status).to.equal(409)
          expect(json(page)).to.include({ code: 'user_changed' })
          const error = app.errors.pop() as PkceFlowError
          expect(error).to.include({ loginUrl: '/login?returnTo=%2Fconnected' })
          expect(error.message).to.match(
            who === 'nobody' ? /^You have logged out/ : /^Another user/,
          )
        }
        expect(app.server.count('token')).to.equal(2)
        expect(app.server.count('revocation')).to.equal(0)
        expect(await tokenRows()).to.deep.equal(before)
        expect(await accountOf(app, ben)).to.equal('bob')
        expect(await accountOf(app, await browserOf(app, 'ann'))).to.equal('alice')
      })

    it('P16: what was refused stays refused when the user comes back', async () => {
      await start()
      const answer = await startConnect(app, browser)
      await visit('/own/login/ben')
      expect((await browser.open(answer)).status).to.equal(409)
      await visit('/own/login/ann')
      expect((await browser.open(answer)).status).to.equal(409)
      expect(await told(app, browser)).to.include({ user: 'ann', token: null })
    })

    it('P16: the user changes during the token request: nothing is stored, what came is revoked', async () => {
      let user: string | undefined = 'ann'
      await start({ flow: { userId: () => user } })
      app.server.misbehave('token', {
        tokenResponse: (usual) => {
          user = 'ben'
          return usual
        },
      })
      const page = await connect(app, browser)
      expect(json(page)).to.include({ code: 'user_changed' })
      await until(() => !app.server.issued[0]!.active && !app.server.issued[0]!.refreshable)
      expect(await tokenRows()).to.deep.equal([])
    })
  })

  describe('once', () => {
    it('P3: a repetition arrives where the first led, with one token request', async () => {
      await start()
      const answer = await startConnect(app, browser, { path: '/start' })
      const pages = await Promise.all([1, 2, 3].map(() => browser.open(answer)))
      for (const page of [...pages, await browser.open(answer)])
        expect(page).to.include({ status: 200, url: app.url('/started') })
      expect(app.server.count('token')).to.equal(1)
      expect(app.server.issued[0]).to.include({ active: true, refreshable: true })
    })

    it('P16: a repetition by another user gives that one nothing', async () => {
      await start()
      const answer = await startConnect(app, browser)
      await browser.open(answer)
      await visit('/own/login/ben')
      await browser.open(answer)
      expect(await told(app, browser)).to.include({ user: 'ben', token: null, connected: false })
      expect(app.server.count('token')).to.equal(1)
    })

    it('P6: a repetition without the session cookie leaves that cookie alone', async () => {
      await start({ session: { saveUninitialized: true, cookie: { sameSite: 'strict' } } })
      const answer = await startConnect(app, browser)
      await browser.open(answer)
      const page = await withoutSessionCookie(browser, () => browser.request(answer))
      expect(cookiesSet(page)).not.to.include('connect.sid')
      expect(nextUrl(page)).to.equal(app.url('/connected'))
      expect(await accountOf(app, browser)).to.equal('alice')
    })

    it('P6: nobody signed in any more, in the same session: its row and data stay', async () => {
      const userId = ({ session, path }: Request) =>
        path === '/callback' ? undefined : session.user
      await start({ flow: { userId }, session: { unset: 'destroy' } })
      const answer = await startConnect(app, browser)
      const before = await sessionRows(app)
      expect((await browser.open(answer)).status).to.equal(409)
      expect(await sessionRows(app)).to.equal(before)
    })
  })

  describe('with a session cookie that does not come with the answer', () => {
    const modes: [string, AppSetUp][] = [
      ['Strict', { session: { cookie: { sameSite: 'strict' } } }],
      [
        'Strict, saveUninitialized',
        { session: { saveUninitialized: true, cookie: { sameSite: 'strict' } } },
      ],
      [
        'Lax, form_post',
        {
          tlsProxy: true,
          flow: { responseMode: 'form_post' },
          session: { cookie: { secure: true } },
        },
      ],
      [
        'Strict, form_post',
        {
          tlsProxy: true,
          flow: { responseMode: 'form_post' },
          session: { cookie: { secure: true, sameSite: 'strict' } },
        },
      ],
    ]

    /** The browser has been sent back; gives what brings the answer. */
    async function answered(setUp: AppSetUp) {
      if (setUp.tlsProxy !== true) {
        const url = await startConnect(app, browser)
        return () => browser.request(url)
      }
      const answer = await openForm(app, browser, '/login', ownPage)
      return () => postAnswer(app, browser, answer)
    }

    for (const [what, setUp] of modes) {
      it(`${what}: goes on by a page of ours, and connects`, async () => {
        await start(setUp)
        const id = sessionId(browser)
        const send = await answered(setUp)
        const page = await withoutSessionCookie(browser, send)
        expect(cookiesSet(page)).to.be.empty
        expect(app.server.count('token')).to.equal(0)
        expect((await browser.open(nextUrl(page)!)).url).to.equal(app.url('/connected'))
        expect(sessionId(browser)).to.equal(id)
        expect(await told(app, browser)).to.include({ user: 'ann', sub: 'alice' })
      })

      it(`P16: ${what}: another user goes on: 409 user_changed`, async () => {
        await start(setUp)
        const send = await answered(setUp)
        const page = await withoutSessionCookie(browser, send)
        await visit('/own/login/ben')
        expect((await browser.open(nextUrl(page)!)).status).to.equal(409)
        expect(app.server.count('token')).to.equal(0)
        expect(await told(app, browser)).to.include({ user: 'ben', token: null })
      })
    }
  })

  it('P16: in another browser of the same user not at all', async () => {
    await start()
    const answer = await startConnect(app, browser)
    const other = await browserOf(app, 'ann')
    expect(json(await other.open(answer))).to.include({ code: 'login_not_found' })
    await browser.open(answer)
    expect(await accountOf(app, other)).to.equal('alice')
  })

  it('access that is denied leaves the account from before', async () => {
    await start()
    await connect(app, browser)
    app.server.misbehave('authorization', { authorizationError: 'access_denied' })
    expect(json(await connect(app, browser, 'bob'))).to.include({ code: 'access_denied' })
    expect(await accountOf(app, browser)).to.equal('alice')
  })
})
