import { expect } from 'chai'
import { ConfigurationError, pkceFlow } from '../../src/index.ts'
import type { AppSetUp, RunningApp } from '../support/app.ts'
import { type Browser, createBrowser, nextUrl, type Page } from '../support/browser.ts'
import { browserOf, connect, ownPage, startConnectApp, told } from './connect-app.ts'
import { json, navigation, program, startsLogin, withoutSessionCookie } from './steps.ts'

const html = { accept: 'text/html' }

/** Requests that a page of another site can cause, or that do not say whose page caused them. */
const foreign: [string, Record<string, string>][] = [
  ['a link on another site', { ...navigation, 'sec-fetch-site': 'cross-site' }],
  ['a link on another host of this site', { ...navigation, 'sec-fetch-site': 'same-site' }],
  // It may have led to a page of ours that refreshes, for the sake of Strict cookies.
  [
    'a page of this app on which nobody did anything',
    { ...navigation, 'sec-fetch-site': 'same-origin' },
  ],
  ['another site that claims our Origin', { ...ownPage, 'sec-fetch-site': 'cross-site' }],
  ['Origin: another one', { ...html, origin: 'https://evil.example' }],
  ['Origin: null', { ...html, origin: 'null' }],
  ['Referer: another one', { ...html, referer: 'https://evil.example/page' }],
  ['Referer: no address', { ...html, referer: 'about:blank' }],
  ['neither', html],
]

/** Starting to connect an account: by whom, and from where. */
describe('connecting an account is started', () => {
  let app: RunningApp
  let browser: Browser

  async function start(setUp: AppSetUp = {}) {
    app = await startConnectApp(setUp)
    browser = await browserOf(app, 'ann')
  }

  afterEach(() => app.close())

  const request = (path: string, headers: Record<string, string>, by = browser) =>
    by.request(app.url(path), { headers })

  function expectRefusal(page: Page, status: number, code: string) {
    expect(startsLogin(app, page), 'starts').to.equal(false)
    expect(page.status).to.equal(status)
    expect(json(page)).to.include({ code })
  }

  describe('by a page of this app, or by the address bar (C-28)', () => {
    const own: [string, () => Record<string, string>][] = [
      ['a link on a page of the app', () => ownPage],
      ['the address bar', () => ({ ...navigation, 'sec-fetch-site': 'none' })],
      ['Origin: ours', () => ({ ...html, origin: app.origin })],
      ['Referer: ours', () => ({ ...html, referer: `${app.origin}/page?x=1` })],
    ]
    for (const [what, headers] of own)
      it(`C-28: ${what}`, async () => {
        await start()
        for (const path of ['/login', '/start', '/guarded/auto', '/guarded/redirect'])
          expect(startsLogin(app, await request(path, headers())), path).to.equal(true)
      })

    for (const [what, headers] of foreign)
      it(`C-28: not by ${what}: 403 cross_site_request`, async () => {
        await start()
        for (const path of ['/login', '/start']) {
          expectRefusal(await request(path, headers), 403, 'cross_site_request')
          expect(app.errors.pop()).to.include({ loginUrl: '/login', expose: true })
        }
      })

    for (const [what, headers] of foreign)
      it(`C-28: not by a guard that ${what} leads to: it refuses`, async () => {
        await start()
        for (const mode of ['auto', 'redirect']) {
          expectRefusal(await request(`/guarded/${mode}`, headers), 401, 'not_connected')
          expect(app.errors.pop()).to.include({ code: 'not_connected', loginUrl: '/login' })
        }
      })

    for (const [what, headers] of foreign)
      it(`C-28: a page whose account is connected already is reached by ${what}`, async () => {
        await start()
        await connect(app, browser)
        expect((await request('/guarded/auto', headers)).status).to.equal(200)
      })

    it('C-28: not by a page of ours that another site leads to, with a Strict session cookie', async () => {
      // The user is known by another cookie.
      await start({
        flow: { userId: () => 'ann' },
        session: { cookie: { sameSite: 'strict' } },
      })
      const page = await withoutSessionCookie(browser, () =>
        request('/guarded/auto', { ...navigation, 'sec-fetch-site': 'cross-site' }),
      )
      expect(nextUrl(page)).to.equal(undefined)
      expectRefusal(page, 401, 'not_connected')
    })

    it('C-28: by a form of the app that is posted, and by that of another site not', async () => {
      await start()
      for (const [origin, status] of [
        [app.origin, 303],
        ['https://evil.example', 401],
      ] as const) {
        const page = await browser.request(app.url('/guarded/redirect'), {
          method: 'POST',
          headers: { ...html, origin },
        })
        expect(page.status).to.equal(status)
      }
    })
  })

  describe('by a user of the app', () => {
    for (const path of ['/login', '/start', '/guarded/auto', '/guarded/redirect', '/guarded/next'])
      it(`P16: ${path} refuses a person who is not signed in: 401 not_signed_in`, async () => {
        await start()
        expectRefusal(await request(path, ownPage, createBrowser()), 401, 'not_signed_in')
        const error = app.errors.pop()
        expect(error).to.include({
          code: 'not_signed_in',
          status: 401,
          flow: new URL(app.server.issuer).host,
        })
        // It would lead to this error again: a login of the app's own has to come first.
        expect(error).not.to.have.property('loginUrl')
      })

    for (const mode of ['auto', 'redirect', 'problem'])
      it(`P16: the guard '${mode}' answers a program with problem JSON`, async () => {
        await start()
        for (const [code, by, loginUrl] of [
          ['not_signed_in', createBrowser(), undefined],
          ['not_connected', browser, '/login'],
        ] as const) {
          const headers = { ...program, 'sec-fetch-mode': 'cors' }
          const page = await request(`/guarded/${mode}`, headers, by)
          expectRefusal(page, 401, code)
          expect(page.headers['content-type']).to.equal('application/problem+json')
          const { title, ...problem } = json(page)
          expect(title).to.be.a('string')
          expect(problem).to.deep.equal({ status: 401, code, ...(loginUrl && { loginUrl }) })
        }
        expect(app.errors).to.be.empty
      })

    it("the guard 'next' gives the app not_connected, and starts nothing", async () => {
      await start()
      expectRefusal(await request('/guarded/next', ownPage), 401, 'not_connected')
      expect(app.errors.pop()).to.include({ code: 'not_connected', loginUrl: '/login' })
    })

    it('an id that is none is an error of the app: 500 user_id_invalid', async () => {
      await start({ flow: { userId: () => 7 } })
      for (const path of ['/login', '/guarded/auto'])
        expectRefusal(await request(path, ownPage), 500, 'user_id_invalid')
    })

    it('who logs out of the app has no token, and finds it again after logging in', async () => {
      await start()
      await connect(app, browser)
      await request('/own/logout', program)
      expect(await told(app, browser)).to.include({ token: null, signedIn: false })
      expectRefusal(await request('/guarded/auto', ownPage), 401, 'not_signed_in')
      await browserOf(app, 'ann', browser)
      const { accessToken } = app.server.issued[0]!
      expect(await told(app, browser)).to.include({ token: accessToken })
    })
  })

  describe('members and options that make no sense with it', () => {
    it('requireLogin: nobody signs in through the flow', async () => {
      await start()
      expect(() => app.flow.requireLogin())
        .to.throw(ConfigurationError, "purpose 'connect'")
        .with.property('code', 'configuration')
    })

    const wrong: [string, object][] = [
      ['userId', { userId: undefined }],
      ['sessionAtLogin', { sessionAtLogin: 'new' }],
      ['tokenLifetime', { tokenLifetime: 60_000 }],
      ['purpose', { purpose: 'connects' }],
    ]
    for (const [name, options] of wrong)
      it(`${JSON.stringify(options)} is refused, by name`, async () => {
        await start()
        const make = () =>
          pkceFlow({
            issuer: app.server.issuer,
            clientId: 'test-client',
            redirectUri: app.url('/callback'),
            purpose: 'connect',
            userId: () => 'ann',
            ...options,
          })
        expect(make).to.throw(ConfigurationError, `"${name}"`)
      })
  })
})
