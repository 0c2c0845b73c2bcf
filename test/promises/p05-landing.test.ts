import { expect } from 'chai'
import { ConfigurationError, pkceFlow, type PkceFlowOptions } from '../../src/index.ts'
import { type AppSetUp, type RunningApp, startApp, withoutEndSession } from '../support/app.ts'
import { type Browser, createBrowser, nextUrl, type Page } from '../support/browser.ts'
import { rawRequest } from '../support/raw-request.ts'

/** Places that nobody may be sent to, by the row of section D. */
const hostile: { row: number | string; values: string[] }[] = [
  { row: 60, values: ['//evil.example', '/\\evil.example', '/\\/evil.example', '\\/evil.example'] },
  { row: 60, values: ['///evil.example', '\\\\evil.example', '////evil.example//'] },
  {
    row: 61,
    values: [
      'javascript:alert(1)',
      'JaVaScRiPt:alert(1)',
      'data:text/html,x',
      'vbscript:x',
      'file:///etc/passwd',
      'blob:http://127.0.0.1/x',
      'https://evil.example',
      'http://evil.example/',
      'https:evil.example',
      'http:/evil.example',
      'ftp://127.0.0.1/',
      'evil.example',
      'evil.example/path',
      'HTTPS://EVIL.example/',
      'http://127.0.0.1@evil.example/',
      'http://user:password@127.0.0.1/',
    ],
  },
  {
    row: 62,
    values: [
      '/\t/evil.example',
      '\t//evil.example',
      ' //evil.example',
      ' https://evil.example',
      '/\r\n/evil.example',
      '/\n/evil.example',
      '/path\r\nSet-Cookie: x=1',
      'ht\ntps://evil.example',
      '\u0000//evil.example',
      '/\u007f/evil.example',
      '/a b',
    ],
  },
  {
    row: 65,
    values: [
      '/./\\evil.example',
      '/..//evil.example',
      '/.//evil.example',
      '/%2e%2e//evil.example',
      '/%2E%2e//evil.example',
      '/a/..//evil.example',
      '/.%2e//evil.example/..',
      '/a/b/../..//evil.example',
    ],
  },
  {
    row: 66,
    values: [
      '/login',
      '/login/',
      '/login?returnTo=/x',
      '/login#x',
      '/./login',
      '/x/../login',
      '/callback',
      '/callback?code=x&state=y',
      '/logout',
      '/logout?returnTo=//evil.example',
    ],
  },
  { row: 67, values: [`/${'a'.repeat(10_240)}`, '', '?x', '#x', '.', '..', '*'] },
  { row: 'Unicode', values: ['／／evil.example', '//evil。example', 'https：//evil.example'] },
  { row: 'ports', values: ['http://127.0.0.1:1/', 'http://localhost/', 'http://[::1]/'] },
]
const values = hostile.flatMap((row) => row.values.map((value) => ({ row: row.row, value })))

/** Places that stay on the origin, and where they lead. */
const harmless: { row: number | string; value: string; leadsTo?: string }[] = [
  { row: 'a path', value: '/public' },
  { row: 'with query and fragment', value: '/public?a=1&b=%26#part' },
  { row: 63, value: '/%0d%0aSet-Cookie:x=1' },
  { row: 63, value: '/%5cevil.example' },
  { row: 63, value: '/%2f%2fevil.example' },
  { row: 63, value: '/%09/evil.example' },
  { row: 'a path with two slashes', value: '/public//evil.example' },
  { row: 'a URL in the query', value: '/public?next=https://evil.example' },
  { row: 'an at sign', value: '/@evil.example' },
  { row: 'a semicolon', value: '/;@evil.example' },
  { row: 'characters beyond ASCII', value: '/grüße', leadsTo: '/gr%C3%BC%C3%9Fe' },
  { row: 'quotes', value: '/"><script>', leadsTo: '/%22%3E%3Cscript%3E' },
  { row: 'dots', value: '/a/../public', leadsTo: '/public' },
  { row: 'another path that begins like a route', value: '/login-help' },
]

describe('P5: the browser ends on redirectUri’s origin, or on one that the app named', () => {
  let app: RunningApp
  let browser: Browser
  let chosen: unknown

  async function start(setUp: AppSetUp = {}) {
    // Where the server has a logout of its own, the place is afterLogout: p17.
    app = await startApp({ serverOptions: withoutEndSession, ...setUp })
    browser = createBrowser()
  }

  afterEach(() => app.close())

  /** Follows redirects as a browser does, but leaves only for the authorization server. */
  async function follow(url: string): Promise<string> {
    let page: Page = await browser.request(url)
    for (let hops = 0; hops < 10; hops += 1) {
      const next = nextUrl(page)
      if (next === undefined) return page.url
      const { origin } = new URL(next)
      if (origin !== app.origin && origin !== app.server.origin) return next
      page = await browser.request(next)
    }
    throw new Error(`Redirected in circles, at last to ${page.url}`)
  }

  async function logIn() {
    expect(await follow(app.url('/login'))).to.equal(app.url('/'))
  }

  const entrances: {
    by: string
    setUp?: AppSetUp
    /** Does what leads to `value`, and gives the URL where the browser ends. */
    go: (value: string) => Promise<string>
  }[] = [
    {
      by: '/login?returnTo=',
      go: (value) => follow(app.url(`/login?returnTo=${encodeURIComponent(value)}`)),
    },
    {
      by: 'what onLogin returns',
      setUp: { flow: { onLogin: () => chosen } },
      async go(value) {
        chosen = value
        return follow(app.url('/login?returnTo=/public'))
      },
    },
    {
      by: '/logout?returnTo=',
      async go(value) {
        await logIn()
        return follow(app.url(`/logout?returnTo=${encodeURIComponent(value)}`))
      },
    },
    {
      by: '/logout?returnTo= with a POST',
      async go(value) {
        await logIn()
        const url = app.url(`/logout?returnTo=${encodeURIComponent(value)}`)
        const page = await browser.request(url, {
          method: 'POST',
          headers: { 'sec-fetch-site': 'same-origin' },
        })
        expect(page.status).to.equal(303)
        return nextUrl(page)!
      },
    },
    {
      by: '/login?returnTo= with a SameSite=Strict session cookie',
      setUp: { session: { cookie: { sameSite: 'strict' } } },
      go: (value) => follow(app.url(`/login?returnTo=${encodeURIComponent(value)}`)),
    },
  ]

  for (const { by, setUp = {}, go } of entrances)
    describe(by, () => {
      beforeEach(() => start(setUp))

      it('P5: hostile places lead to the default', async () => {
        for (const { row, value } of values)
          expect(await go(value), `row ${row}: ${JSON.stringify(value)}`).to.equal(app.url('/'))
      })

      it('P5: harmless ones are kept', async () => {
        for (const { row, value, leadsTo = value } of harmless)
          expect(await go(value), String(row)).to.equal(app.url(leadsTo))
      })

      it('P5: an absolute URL of redirectUri’s origin is its path (row 64)', async () => {
        expect(await go(app.url('/public?x=1'))).to.equal(app.url('/public?x=1'))
      })
    })

  describe('by options', () => {
    const names = ['afterLogin', 'afterLogout'] as const
    const options = (more: object) =>
      ({
        issuer: 'https://issuer.example',
        clientId: 'x',
        redirectUri: 'http://127.0.0.1:8000/callback',
        ...more,
      }) as PkceFlowOptions

    beforeEach(() => start())

    /** What is no path, or no place of the app at all. */
    const never = values.filter(({ row }) => row !== 66 && row !== 67 && row !== 62)

    for (const name of names)
      it(`P5: a hostile ${name} throws when the router is made`, () => {
        for (const { row, value } of never)
          expect(() => pkceFlow(options({ [name]: value })), `row ${row}: ${value}`)
            .to.throw(ConfigurationError)
            .with.property('message')
            .that.includes(name)
      })

    for (const member of ['login', 'logout'] as const)
      it(`P5: a hostile ${member}({ returnTo }) throws when the handler is made`, () => {
        for (const { row, value } of values)
          expect(() => app.flow[member]({ returnTo: value }), `row ${row}: ${value}`)
            .to.throw(ConfigurationError)
            .with.property('message')
            .that.includes('returnTo')
      })

    it('P5: a wrong returnToOrigins throws', () => {
      for (const origin of [
        'http://evil.example',
        'https://evil.example/path',
        'evil.example',
        '*',
        'null',
        '',
        'https://user@evil.example',
        'javascript:',
      ])
        expect(() => pkceFlow(options({ returnToOrigins: [origin] })), origin).to.throw(
          ConfigurationError,
          'returnToOrigins',
        )
    })
  })

  describe('by a guard', () => {
    /** The whole app behind a guard, also what Express has no route for. */
    beforeEach(() =>
      start({
        routes: (express, flow) => {
          express.use(flow.requireToken())
          express.use((_req, res) => void res.json({}))
        },
      }),
    )

    const targets = [
      '//evil.example',
      '//evil.example/login',
      '/\\evil.example',
      '///evil.example',
      '/..//evil.example',
      '/%2e%2e//evil.example',
      'http://evil.example/',
      'http://evil.example/login',
      'https://evil.example//path',
    ]
    for (const path of targets)
      it(`P5: a guarded request for ${path} comes back to the app’s own origin`, async () => {
        const guarded = await rawRequest(app.origin, {
          path,
          headers: { accept: 'text/html', host: new URL(app.origin).host },
        })
        if (guarded.status >= 400) return
        const cookie = guarded.headers['set-cookie']![0]!.split(';')[0]!
        browser.cookies.set('127.0.0.1', new Map([cookie.split('=') as [string, string]]))
        const { origin } = new URL(guarded.headers.location!)
        expect(origin).to.equal(app.server.origin)
        expect(new URL(await follow(guarded.headers.location!)).origin).to.equal(app.origin)
      })

    const hosts = ['evil.example', 'evil.example:80', '127.0.0.1.evil.example', '[::1]', '.']
    for (const host of hosts)
      for (const path of ['/login', '/login?returnTo=/a', '/guarded'])
        it(`P5: a start at ${path} on the host "${host}" goes on on redirectUri’s`, async () => {
          const { status, headers } = await rawRequest(app.origin, {
            path,
            headers: { accept: 'text/html', host },
          })
          expect(status).to.equal(302)
          expect(new URL(headers.location!).origin).to.equal(app.origin)
        })

    it('P5: X-Forwarded-Host says nothing, also behind a trusted proxy', async () => {
      app.app.set('trust proxy', true)
      const { headers } = await browser.request(app.url('/login?pkce-flow-moved=1'), {
        headers: { 'x-forwarded-host': 'evil.example' },
      })
      const sent = new URL(headers.location!).searchParams.get('redirect_uri')
      expect(sent).to.equal(app.url('/callback'))
      expect(await follow(headers.location!)).to.equal(app.url('/'))
    })
  })

  describe('returnToOrigins', () => {
    const named = 'https://shop.example'

    for (const { by, setUp = {}, go } of entrances)
      it(`P5: ${by} may lead to a named origin, and to no other`, async () => {
        await start({ ...setUp, flow: { ...setUp.flow, returnToOrigins: [named] } })
        expect(await go(`${named}/cart?x=1#y`)).to.equal(`${named}/cart?x=1#y`)
        expect(await go(`${named}//evil.example`)).to.equal(`${named}//evil.example`)
        for (const value of [
          'http://shop.example/cart',
          'https://shop.example:8443/',
          'https://shop.example.evil.example/',
          'https://shop.example@evil.example/',
          'https://user@shop.example/',
          'https://evil.example/#https://shop.example',
          'https://shop.example\\@evil.example/',
          '//shop.example.evil.example/',
        ])
          expect(await go(value), value).to.equal(app.url('/'))
      })

    it('P5: afterLogin, login() and logout() may name one', async () => {
      await start({
        flow: { returnToOrigins: [named], afterLogin: `${named}/in`, afterLogout: `${named}/out` },
        routes: (express, flow) => {
          express.get('/in', flow.login({ returnTo: `${named}/chosen` }))
          express.get('/out', flow.logout({ returnTo: `${named}/chosen` }))
        },
      })
      expect(await follow(app.url('/login'))).to.equal(`${named}/in`)
      expect(await follow(app.url('/in'))).to.equal(`${named}/chosen`)
      expect(await follow(app.url('/out'))).to.equal(`${named}/chosen`)
      expect(await follow(app.url('/logout'))).to.equal(`${named}/out`)
    })
  })

  it('P5: on the way there is the authorization server only', async () => {
    await start()
    await follow(app.url('/login?returnTo=/public'))
    const visited = browser.pages.map(({ url }) => url.replace(/\?.*/, ''))
    expect(visited).to.deep.equal([
      app.url('/login'),
      app.server.metadata.authorization_endpoint,
      app.url('/callback'),
      app.url('/public'),
    ])
  })
})
