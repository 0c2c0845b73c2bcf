import { expect } from 'chai'
import { startApp, type AppSetUp, type RunningApp } from '../support/app.ts'
import { createBrowser, nextUrl } from '../support/browser.ts'
import { json, navigation, startsLogin } from './steps.ts'

describe('a start on another host than redirectUri’s', () => {
  let app: RunningApp
  let port: string

  async function start(setUp: AppSetUp = {}) {
    app = await startApp(setUp)
    port = new URL(app.origin).port
  }

  afterEach(() => app.close())

  /** A request as it comes from a browser that has this host in its address bar. */
  const ask = (path: string, host: string, headers: Record<string, string> = {}, method = 'GET') =>
    createBrowser().request(app.url(path), { method, headers: { ...navigation, ...headers, host } })

  it('is sent to the same route there, with its query, before anything is started', async () => {
    await start()
    const page = await ask('/login?returnTo=%2Fpublic%3Fx%3D1', `localhost:${port}`)
    expect(page.status).to.equal(302)
    expect(startsLogin(app, page)).to.equal(false)
    const next = new URL(nextUrl(page)!)
    expect(next.origin + next.pathname).to.equal(app.url('/login'))
    expect(next.searchParams.get('returnTo')).to.equal('/public?x=1')
    expect((await createBrowser().open(next.href)).url).to.equal(app.url('/public?x=1'))
  })

  it('at a guarded page: leads to that page on redirectUri’s host', async () => {
    await start()
    const page = await ask('/token?x=1', `localhost:${port}`)
    expect(startsLogin(app, page)).to.equal(false)
    const end = await createBrowser().open(nextUrl(page)!)
    expect(end.url).to.equal(app.url('/token?x=1'))
    expect(json(end)).to.deep.equal({ token: app.server.issued[0]!.accessToken })
  })

  it('by a form that a person posts to a guarded page: is sent there, too', async () => {
    await start()
    const page = await ask('/token', `localhost:${port}`, {}, 'POST')
    expect(page.status).to.equal(303)
    expect(nextUrl(page)).to.satisfy((url: string) => url.startsWith(app.origin))
    expect(startsLogin(app, page)).to.equal(false)
  })

  it('at a route of the app’s own: leads to that route there', async () => {
    await start({
      routes: (routes, flow) => {
        routes.get('/sign-in', flow.login({ returnTo: '/' }))
        routes.get('/', (_req, res) => res.json({ home: true }))
      },
    })
    const page = await ask('/sign-in?x=1', `localhost:${port}`)
    expect(nextUrl(page)).to.match(new RegExp(`^${app.origin}/sign-in\\?x=1&`))
    expect((await createBrowser().open(nextUrl(page)!)).url).to.equal(app.url('/'))
  })

  for (const [what, host, redirectHost] of [
    ['www. or not', 'www.app.example', 'app.example'],
    ['not www.', 'app.example', 'www.app.example'],
    ['another name', 'other.example:81', 'app.example'],
  ] as const)
    it(`${what}: ${host} is sent to ${redirectHost}`, async () => {
      await start({ flow: { redirectUri: `https://${redirectHost}/callback` } })
      const page = await ask('/login', host)
      expect(nextUrl(page)).to.match(
        new RegExp(`^https://${redirectHost.replaceAll('.', '\\.')}/login`),
      )
    })

  it('http: is sent to https:', async () => {
    await start({ flow: { redirectUri: 'https://app.example/callback' } })
    expect(nextUrl(await ask('/login', 'app.example'))).to.match(/^https:\/\/app\.example\/login/)
  })

  it('the same host in other letters, or with any port, is the same', async () => {
    await start({ flow: { redirectUri: 'http://localhost/callback' } })
    for (const host of ['localhost', 'LocalHost', 'localhost:8080', `localhost:${port}`])
      expect(startsLogin(app, await ask('/login', host)), host).to.equal(true)
  })

  it('[::1] is a host as others are', async () => {
    await start({ flow: { redirectUri: 'http://[::1]/callback' } })
    expect(startsLogin(app, await ask('/login', '[::1]:3000'))).to.equal(true)
    expect(nextUrl(await ask('/login', '127.0.0.1'))).to.match(/^http:\/\/\[::1\]\/login/)
  })

  it('a proxy that rewrites Host makes all of them look like that: one detour, no circle', async () => {
    await start()
    const browser = createBrowser()
    let url: string | undefined = app.url('/login?returnTo=%2Fpublic')
    const visited: string[] = []
    while (url !== undefined && visited.length < 10) {
      visited.push(url)
      const headers = url.startsWith(app.origin) ? { host: 'internal:8080' } : {}
      url = nextUrl(await browser.request(url, { headers: { ...navigation, ...headers } }))
    }
    expect(visited.map((each) => new URL(each).pathname)).to.deep.equal([
      ...['/login', '/login', '/authorize', '/callback', '/public'],
    ])
    expect(app.errors).to.be.empty
  })

  it('X-Forwarded-Host counts if the app trusts its proxy, and only then', async () => {
    for (const trusted of [true, false]) {
      if (!trusted) await app.close()
      await start({ before: (routes) => routes.set('trust proxy', trusted) })
      const page = await ask('/login', 'internal', { 'x-forwarded-host': '127.0.0.1' })
      expect(startsLogin(app, page)).to.equal(trusted)
    }
  })

  it('C-23: no forged Host gets into a URL that we make', async () => {
    await start()
    for (const headers of [
      { host: 'evil.example' },
      { host: '127.0.0.1', 'x-forwarded-host': 'evil.example' },
      { host: '127.0.0.1', forwarded: 'host=evil.example', 'x-forwarded-proto': 'javascript' },
    ])
      for (const path of ['/login', '/token', '/login?pkce-flow-moved=1', '/logout']) {
        const page = await createBrowser().request(app.url(path), {
          headers: { ...navigation, ...headers },
        })
        expect(JSON.stringify([page.headers, page.body])).not.to.include('evil')
      }
  })

  it('without Host, as HTTP/1.0 allows, a login starts all the same', async () => {
    await start()
    // Node's parser wants a Host of HTTP/1.1, and an empty one will do.
    expect(startsLogin(app, await ask('/login?pkce-flow-moved=1', ''))).to.equal(true)
  })
})
