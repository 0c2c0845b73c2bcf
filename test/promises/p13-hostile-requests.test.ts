import { gzipSync } from 'node:zlib'
import { expect } from 'chai'
import express, { type Express } from 'express'
import { type AppSetUp, type RunningApp, startApp } from '../support/app.ts'
import { type Browser, createBrowser, nextUrl, type Page } from '../support/browser.ts'
import { rawRequest, type RawRequest } from '../support/raw-request.ts'

/** What must not come back unescaped. */
const mark = '<script>alert(1)</script>'
const marked = encodeURIComponent(mark)
const state = 'a'.repeat(43)
const form = { 'content-type': 'application/x-www-form-urlencoded' }

const queries: { what: string; query: string }[] = [
  { what: 'no query', query: '' },
  { what: 'an empty query', query: '?' },
  { what: 'separators only', query: '?&&==&=' },
  { what: 'markup in every parameter', query: `?state=${marked}&code=${marked}&error=${marked}` },
  { what: 'markup as a name', query: `?${marked}=${marked}` },
  {
    what: 'raw markup',
    query: '?state=<script>alert(1)</script>&returnTo=<script>alert(1)</script>',
  },
  { what: 'repeated parameters', query: `?state=a&state=b&code=a&code=b&returnTo=/a&returnTo=/b` },
  { what: 'arrays', query: `?state[]=${state}&code[]=a&returnTo[]=/a` },
  { what: 'objects', query: `?state[x]=${state}&code[x][y]=a&returnTo[x]=/a` },
  { what: 'deep objects', query: `?${'state[a]'.repeat(1)}${'[a]'.repeat(500)}=1` },
  { what: 'prototype names', query: '?__proto__=a&constructor=b&toString=c&hasOwnProperty=d' },
  { what: 'prototype members', query: '?__proto__[state]=a&constructor[prototype][code]=b' },
  { what: 'a prototype name as state', query: '?state=__proto__&code=a' },
  { what: 'another prototype name as state', query: '?state=constructor&code=constructor' },
  { what: 'NUL', query: `?state=%00&code=%00&returnTo=/%00&continue=%00` },
  { what: 'control characters', query: '?state=%01%02%7f&code=%1b[31m&returnTo=%0d%0aX:y' },
  { what: 'line ends', query: '?state=a%0d%0aSet-Cookie:x=y&code=a&error=%0d%0a' },
  { what: 'bad escapes', query: '?state=%zz&code=%&returnTo=%u0041&error=%2' },
  { what: 'bad UTF-8', query: '?state=%ff%fe&code=%c0%af&returnTo=/%ed%a0%80' },
  { what: 'lone surrogates', query: '?state=%ED%A0%80&code=%F0%9F' },
  { what: 'characters beyond ASCII', query: '?state=%F0%9F%98%80&code=%E2%80%AE' },
  { what: 'a state of 1 kB', query: `?code=a&state=${'a'.repeat(1_025)}` },
  { what: 'a state of 8 kB', query: `?code=a&state=${'a'.repeat(8_000)}` },
  { what: 'a code of 8 kB', query: `?state=${state}&code=${'a'.repeat(8_193)}` },
  { what: 'a returnTo of 10 kB', query: `?returnTo=/${'a'.repeat(10_240)}` },
  { what: 'a thousand parameters', query: `?${'a=b&'.repeat(1_000)}` },
  { what: 'an error', query: `?error=access_denied&state=${state}` },
  { what: 'an error and a code', query: `?error=access_denied&code=a&state=${state}` },
  { what: 'an empty error', query: `?error=&code=a&state=${state}` },
  { what: 'an error without state', query: `?error=access_denied&error_description=${marked}` },
  { what: 'a signed answer', query: `?response=${marked}&state=${state}` },
  { what: 'an implicit answer', query: `?access_token=${marked}&state=${state}&code=a` },
  { what: 'an ID Token', query: `?id_token=a.b.c&state=${state}&code=a` },
  { what: 'continuing with nothing', query: '?continue=' },
  { what: 'continuing with markup', query: `?continue=${marked}` },
  { what: 'continuing with a made-up id', query: `?continue=${'0'.repeat(32)}` },
  { what: 'continuing twice', query: `?continue=${'0'.repeat(32)}&continue=${'1'.repeat(32)}` },
  { what: 'third-party initiation', query: `?iss=https://evil.example&login_hint=${marked}` },
  { what: 'a fragment', query: `?state=${state}#code=a` },
  { what: 'the parameter of a moved start', query: '?pkce-flow-moved=1&pkce-flow-moved=2' },
]

const headers: { what: string; headers: Record<string, string> }[] = [
  { what: 'no headers', headers: {} },
  { what: 'garbage as cookies', headers: { cookie: ';;;=;a;=b; ;\t;"";{}[]' } },
  { what: 'a session cookie with a wrong signature', headers: { cookie: 'connect.sid=s:abc.def' } },
  { what: 'a session cookie that is no text', headers: { cookie: 'connect.sid=s%3A%ff%00.%zz' } },
  {
    what: 'a session cookie of a record',
    headers: { cookie: 'connect.sid=pl.0000; connect.sid=x' },
  },
  { what: 'a thousand cookies', headers: { cookie: 'a=b; '.repeat(1_000) } },
  {
    what: 'garbage as binding cookies',
    headers: {
      cookie: [
        'pkce.',
        'pkce.=',
        `pkce.aaaaaaaa.${'0'.repeat(32)}=o.`,
        `pkce.aaaaaaaa.${'0'.repeat(32)}=ozzzzzzzzz.${'a'.repeat(22)}`,
        `pkce.aaaaaaaa.${'0'.repeat(32)}=__proto__`,
      ].join('; '),
    },
  },
  { what: 'a prefetch', headers: { 'sec-purpose': 'prefetch;prerender', purpose: 'prefetch' } },
  {
    what: 'garbage as Fetch Metadata',
    headers: {
      'sec-fetch-site': mark,
      'sec-fetch-mode': mark,
      'sec-fetch-dest': '\u0000'.slice(1),
    },
  },
  {
    what: 'a cross-site image',
    headers: { 'sec-fetch-site': 'cross-site', 'sec-fetch-dest': 'image' },
  },
  { what: 'another host', headers: { host: 'evil.example' } },
  { what: 'markup as a host', headers: { host: '"><script>alert(1)</script>' } },
  { what: 'half an IPv6 host', headers: { host: '[::1' } },
  { what: 'an origin', headers: { origin: 'https://evil.example', referer: mark } },
  { what: 'an empty origin', headers: { origin: 'null' } },
  { what: 'forwarded headers', headers: { 'x-forwarded-host': mark, 'x-forwarded-proto': mark } },
  { what: 'an overridden method', headers: { 'x-http-method-override': 'DELETE' } },
  { what: 'Accept of everything', headers: { accept: '*/*' } },
  { what: 'a large Accept', headers: { accept: 'text/html,'.repeat(500) } },
]

const bodies: { what: string; headers: Record<string, string>; body: string | Buffer }[] = [
  { what: 'no body', headers: form, body: '' },
  { what: 'no content type', headers: {}, body: `state=${state}&code=a` },
  { what: 'an answer of nobody', headers: form, body: `state=${state}&code=a` },
  { what: 'markup', headers: form, body: `state=${marked}&code=${marked}&error=${marked}` },
  { what: 'repeated parameters', headers: form, body: 'state=a&state=b&code=a' },
  { what: 'arrays', headers: form, body: 'state[]=a&state[]=b&code[x]=a' },
  { what: 'deep objects', headers: form, body: `state${'[a]'.repeat(1_000)}=1` },
  {
    what: 'prototype members',
    headers: form,
    body: '__proto__[state]=a&constructor[prototype][code]=b',
  },
  { what: 'bad escapes', headers: form, body: 'state=%zz&code=%' },
  { what: 'bytes', headers: form, body: Buffer.from([0, 255, 254, 61, 128, 38]) },
  { what: 'ten thousand parameters', headers: form, body: 'a=b&'.repeat(10_000) },
  { what: '100 kB', headers: form, body: `state=${state}&code=${'a'.repeat(100_000)}` },
  { what: '1 MB', headers: form, body: `state=${state}&code=${'a'.repeat(1_000_000)}` },
  { what: 'JSON', headers: { 'content-type': 'application/json' }, body: `{"state":"${state}"}` },
  { what: 'JSON null', headers: { 'content-type': 'application/json' }, body: 'null' },
  { what: 'JSON array', headers: { 'content-type': 'application/json' }, body: '[["state","a"]]' },
  { what: 'broken JSON', headers: { 'content-type': 'application/json' }, body: '{"state":' },
  { what: 'JSON as a form', headers: form, body: `{"state":"${state}"}` },
  { what: 'text', headers: { 'content-type': 'text/plain' }, body: `state=${state}&code=a` },
  { what: 'bytes of no type', headers: { 'content-type': 'application/octet-stream' }, body: 'a' },
  {
    what: 'multipart',
    headers: { 'content-type': 'multipart/form-data; boundary=x' },
    body: `--x\r\ncontent-disposition: form-data; name="state"\r\n\r\n${state}\r\n--x--\r\n`,
  },
  {
    what: 'gzip',
    headers: { ...form, 'content-encoding': 'gzip' },
    body: gzipSync(`state=${state}&code=${'a'.repeat(1_000_000)}`),
  },
  { what: 'no gzip, called so', headers: { ...form, 'content-encoding': 'gzip' }, body: 'state=a' },
  {
    what: 'an unknown encoding',
    headers: { ...form, 'content-encoding': 'zstd' },
    body: `state=${state}`,
  },
  {
    what: 'an unknown character set',
    headers: { 'content-type': 'application/x-www-form-urlencoded; charset=klingon' },
    body: `state=${state}`,
  },
  {
    what: 'UTF-16',
    headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-16' },
    body: Buffer.from(`state=${state}`, 'utf16le'),
  },
  { what: 'markup as a content type', headers: { 'content-type': mark }, body: 'a' },
]

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND', 'QUERY']
const routes = ['/login', '/callback', '/logout', '/login/', '/callback/', '/logout/']

describe('P13: whatever a client sends to our routes is answered with 2xx, 3xx or 4xx', () => {
  let app: RunningApp

  afterEach(() => app.close())

  /** Pages of the app, so that a landing that leads nowhere is no error. */
  const landings = (each: Express) => {
    each.use((_req, res) => void res.status(404).json({ code: 'none of ours' }))
  }

  function expectAnswered(page: Page, what: string) {
    expect(page.status, `${what}: ${page.body}`).to.be.within(200, 499)
    const { location = '' } = page.headers
    for (const shown of [page.body, location, JSON.stringify(page.headers)])
      expect(shown, what).not.to.include(mark)
    expect(page.headers, what).not.to.have.property('x')
    // 405 says all that there is to say by itself.
    if (page.status >= 400 && page.status !== 405 && page.body !== '')
      expect(JSON.parse(page.body), what).to.have.property('code').that.is.a('string')
  }

  async function expectAlive() {
    app.server.reset()
    const browser = createBrowser({ tlsProxy: app.origin.startsWith('https:') })
    const page = await browser.request(app.url('/login'))
    expect(page.status, 'a login afterwards').to.equal(302)
  }

  describe('without parameters in a body', () => {
    beforeEach(async () => {
      app = await startApp({ routes: landings })
    })

    for (const method of methods)
      it(`P13: ${method} with every query`, async () => {
        for (const path of routes)
          for (const { what, query } of queries)
            expectAnswered(
              await rawRequest(app.origin, { method, path: path + query }),
              `${method} ${path} with ${what}`,
            )
        await expectAlive()
      })

    it('P13: every header', async () => {
      for (const path of [...routes, '/nowhere'])
        for (const { what, headers: sent } of headers)
          for (const method of ['GET', 'POST'])
            expectAnswered(
              await rawRequest(app.origin, { method, path, headers: sent }),
              `${method} ${path} with ${what}`,
            )
      await expectAlive()
    })

    it('P13: a start that is sent to redirectUri’s host takes its query there escaped', async () => {
      const path = `/login?returnTo=/${mark}&a="{}|`
      const page = await rawRequest(app.origin, { path, headers: { host: 'localhost' } })
      expectAnswered(page, path)
      expect(page.headers.location).to.match(/^[\w.~:/?#[\]@!$&'()*+,;=%-]+$/)
      const { searchParams } = new URL(page.headers.location!)
      expect(searchParams.get('returnTo')).to.equal(`/${mark}`)
    })

    it('P13: a target that is no path has no session, at a guard neither', async () => {
      await app.close()
      app = await startApp({ routes: (each, flow) => void each.use(flow.requireToken()) })
      for (const path of ['*', '*a', '*/callback', 'https://evil.example%zz'])
        expect((await rawRequest(app.origin, { path })).status, path).to.equal(401)
    })

    it('P13: paths that are nearly ours', async () => {
      for (const path of [
        '/login%00',
        '/login%zz',
        '/LOGIN',
        '/login//',
        '//login',
        '/./login',
        '/callback%2f',
        '/callback;x=y?state=a&code=b',
        '/callback/../login',
        'http://evil.example/login',
        'http://evil.example/callback?state=a',
        '*',
      ])
        for (const method of ['GET', 'OPTIONS']) {
          const page = await rawRequest(app.origin, { method, path })
          expect(page.status, path).to.be.within(200, 499)
          expect(page.body, path).not.to.include(mark)
        }
      await expectAlive()
    })

    it('P13: errors leave with a code, no-store and no-referrer', async () => {
      for (const path of ['/callback', '/callback?state=a&code=b', '/logout', '/login']) {
        const crossSite = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }
        const { headers: got } = await rawRequest(app.origin, { path, headers: crossSite })
        expect(got, path).to.include({
          'cache-control': 'no-store',
          'referrer-policy': 'no-referrer',
        })
      }
    })
  })

  describe('with a pending login of the very browser', () => {
    let browser: Browser
    let pending: URL

    beforeEach(async () => {
      app = await startApp({ routes: landings })
      browser = createBrowser()
      pending = new URL(await browser.openUntil(app.url('/callback'), app.url('/login')))
    })

    const changes: { what: string; change: (parameters: URLSearchParams) => void }[] = [
      { what: 'markup as code', change: (each) => each.set('code', mark) },
      { what: 'an empty code', change: (each) => each.set('code', '') },
      { what: 'a code of 8 kB', change: (each) => each.set('code', 'a'.repeat(8_192)) },
      { what: 'a code that is another parameter', change: (each) => each.set('code', 'a&state=b') },
      { what: 'an empty error', change: (each) => each.set('error', '') },
      { what: 'markup as issuer', change: (each) => each.set('iss', mark) },
      { what: 'no issuer', change: (each) => each.delete('iss') },
      { what: 'an issuer twice', change: (each) => each.append('iss', each.get('iss')!) },
      { what: 'a scope', change: (each) => each.set('scope', mark) },
      { what: 'a prototype name as code', change: (each) => each.set('code', '__proto__') },
    ]
    for (const { what, change } of changes)
      it(`P13: an answer with ${what}`, async () => {
        change(pending.searchParams)
        const page = await browser.request(pending.href)
        expectAnswered(page, what)
        expect(app.errors.map((error) => (error as { expose: boolean }).expose)).to.deep.equal(
          page.status >= 400 ? [true] : [],
        )
        await expectAlive()
      })
  })

  describe('with an answer that says that the server failed', () => {
    // To us that is the server's word: a 502, for the app's developers to see.
    for (const error of [mark, 'x'.repeat(1_000), 'server_error', '__proto__'])
      it(`P13: 502 authorization_failed, and "${error.slice(0, 20)}" is echoed nowhere`, async () => {
        app = await startApp({ routes: landings })
        const browser = createBrowser()
        const pending = await browser.openUntil(app.url('/callback'), app.url('/login'))
        const callback = new URL(pending)
        callback.searchParams.set('error', error)
        callback.searchParams.set('error_description', mark)
        const page = await browser.request(callback.href)
        expect(page.status).to.equal(502)
        expect(JSON.parse(page.body)).to.include({ code: 'authorization_failed' })
        if (error !== 'server_error') expect(page.body).not.to.include(error)
        expect(page.body).not.to.include(mark)
        await expectAlive()
      })
  })

  it('P13: a browser that refuses the session cookie is told so, not sent in circles', async () => {
    app = await startApp()
    const browser = createBrowser()
    let page = await browser.request(app.url('/token'))
    for (let next = nextUrl(page); next !== undefined; next = nextUrl(page)) {
      expect(browser.pages.length, 'answers').to.be.below(30)
      browser.cookies.get('127.0.0.1')?.delete('connect.sid')
      page = await browser.request(next)
    }
    expect(JSON.parse(page.body)).to.have.property('code').that.is.a('string')
    expect(app.server.count('token')).to.be.at.most(5)
  })

  describe('with a body', () => {
    const parsers: { what: string; setUp: AppSetUp }[] = [
      { what: 'nothing', setUp: {} },
      { what: 'urlencoded', setUp: { before: parsedBy(express.urlencoded({ extended: false })) } },
      {
        what: 'urlencoded, extended',
        setUp: { before: parsedBy(express.urlencoded({ extended: true })) },
      },
      { what: 'json', setUp: { before: parsedBy(express.json()) } },
      { what: 'text', setUp: { before: parsedBy(express.text({ type: '*/*' })) } },
      { what: 'raw', setUp: { before: parsedBy(express.raw({ type: () => true })) } },
      {
        what: 'everything one after the other',
        setUp: {
          before: (each) => {
            each.use(express.json(), express.urlencoded({ extended: true }), express.text())
          },
        },
      },
      {
        what: 'somebody who leaves nothing',
        setUp: {
          before: (each) => {
            each.use((req, _res, next) => {
              req.resume().on('end', () => next())
            })
          },
        },
      },
      {
        what: 'somebody who leaves an odd thing',
        setUp: {
          before: (each) => {
            each.use((req, _res, next) => {
              req.resume().on('end', () => {
                const members = { state: { toString: null }, code: 7 }
                req.body = Object.setPrototypeOf(members, null) as unknown
                next()
              })
            })
          },
        },
      },
    ]

    function parsedBy(parser: express.RequestHandler) {
      return (each: Express) => {
        each.use((req, res, next) => {
          // What the app's own parser refuses is the app's to answer.
          void parser(req, res, (error?: unknown) => {
            if (error === undefined) next()
            else res.status(400).json({ code: 'of the app’s parser' })
          })
        })
      }
    }

    for (const { what: parser, setUp } of parsers)
      it(`P13: parsed before by ${parser}`, async () => {
        app = await startApp({
          ...setUp,
          routes: landings,
          tlsProxy: true,
          flow: { responseMode: 'form_post' },
        })
        for (const path of routes)
          for (const { what, headers: sent, body } of bodies)
            for (const chunked of [false, true]) {
              const length = Buffer.byteLength(body)
              const request: RawRequest = {
                method: 'POST',
                path,
                body,
                headers: {
                  'x-forwarded-proto': 'https',
                  ...sent,
                  ...(chunked ? { 'transfer-encoding': 'chunked' } : { 'content-length': length }),
                },
              }
              expectAnswered(await rawRequest(app.origin, request), `POST ${path} with ${what}`)
            }
        await expectAlive()
      })

    for (const { what: parser, setUp } of parsers.slice(0, 7))
      it(`P13: an answer that is all right arrives, parsed before by ${parser}`, async () => {
        app = await startApp({ ...setUp, tlsProxy: true, flow: { responseMode: 'form_post' } })
        const browser = createBrowser({ tlsProxy: true })
        const { headers: got } = await browser.request(app.url('/login?returnTo=/public'))
        const page = await browser.request(got.location!)
        const body = [...page.body.matchAll(/name="(\w+)" value="([^"]*)"/g)]
          .map(([, name, value]) => `${name!}=${encodeURIComponent(value!)}`)
          .join('&')
        const arrived = await browser.open(app.url('/callback'), {
          method: 'POST',
          headers: { ...form, origin: 'null', 'sec-fetch-site': 'cross-site' },
          body,
        })
        expect(arrived).to.include({ status: 200, url: app.url('/public') })
        expect(JSON.parse(arrived.body)).to.deep.equal({
          token: app.server.issued[0]!.accessToken,
        })
      })
  })
})
