import { createHmac } from 'node:crypto'
import { expect } from 'chai'
import { StateForgeryError } from '../../src/index.ts'
import { type AppSetUp, type RunningApp, startApp } from '../support/app.ts'
import { type Browser, createBrowser } from '../support/browser.ts'
import { clock } from '../support/clock.ts'
import { bindingCookies, rows } from '../support/rows.ts'

const host = '127.0.0.1'

describe('P2: a login is finished in the browser that it was started in', () => {
  let app: RunningApp
  let victim: Browser
  let callback: string

  async function start(setUp: AppSetUp = {}) {
    app = await startApp(setUp)
    victim = createBrowser({ tlsProxy: setUp.tlsProxy ?? false })
    callback = await victim.openUntil(app.url('/callback'), app.url('/login'))
  }

  afterEach(async () => {
    clock.release()
    await app.close()
  })

  async function expectNothing(browser: Browser) {
    const before = (await rows(app.store)).tokens
    const page = await browser.open(callback)
    expect(page.status).to.equal(400)
    expect(JSON.parse(page.body)).to.include({ code: 'login_not_found' })
    expect(app.errors.at(-1)).to.be.instanceOf(StateForgeryError)
    expect(app.errors.at(-1)).to.include({ loginUrl: '/login' })
    expect(app.server.count('token')).to.equal(0)
    expect((await rows(app.store)).tokens).to.deep.equal(before)
  }

  async function expectFinished(browser: Browser) {
    const page = await browser.open(callback)
    expect(page.status).to.equal(200)
    expect(JSON.parse(page.body)).to.include({ sub: 'alice' })
    expect(app.server.count('token')).to.equal(1)
  }

  const others: { browser: string; prepare: () => Browser | Promise<Browser> }[] = [
    { browser: 'without any cookie', prepare: () => createBrowser() },
    {
      browser: 'with a pending login of its own',
      async prepare() {
        const browser = createBrowser()
        await browser.openUntil(app.url('/callback'), app.url('/login'))
        return browser
      },
    },
    {
      browser: 'that is signed in',
      async prepare() {
        const browser = createBrowser()
        await browser.open(app.url('/login'))
        app.server.reset()
        return browser
      },
    },
    {
      browser: 'with the right cookie name and the secret of its own pending login',
      async prepare() {
        const browser = createBrowser()
        await browser.openUntil(app.url('/callback'), app.url('/login'))
        const [[own, value] = ['', '']] = [...(browser.cookies.get(host) ?? [])].filter(([name]) =>
          name.startsWith('pkce.'),
        )
        browser.cookies.get(host)?.delete(own)
        browser.cookies.get(host)?.set(bindingCookies(victim)[0]!, value)
        return browser
      },
    },
    {
      browser: 'with the right cookie name and an empty secret',
      prepare() {
        const browser = createBrowser()
        const value = victim.cookies.get(host)!.get(bindingCookies(victim)[0]!)!
        browser.cookies.set(
          host,
          new Map([[bindingCookies(victim)[0]!, value.replace(/\..*/, '.')]]),
        )
        return browser
      },
    },
    {
      browser: 'with all cookies of the first but the one that binds',
      prepare() {
        const browser = victim.copy()
        browser.cookies.get(host)?.delete(bindingCookies(browser)[0]!)
        return browser
      },
    },
  ]

  for (const { browser: title, prepare } of others)
    it(`P2: not in a browser ${title}, and the first one still can`, async () => {
      await start({ session: { saveUninitialized: true } })
      const other = await prepare()
      await expectNothing(other)
      await expectFinished(victim)
    })

  it('P2: the cookie of another pending login of the same browser does not do', async () => {
    await start()
    const second = await victim.openUntil(app.url('/callback'), app.url('/login'))
    const [first] = bindingCookies(victim)
    victim.cookies.get(host)?.delete(first!)
    await expectNothing(victim)
    callback = second
    await expectFinished(victim)
  })

  it('P2: who knows the state alone can neither use the login up nor hold it up', async () => {
    await start()
    const attacker = createBrowser()
    const forged = new URL(callback)
    forged.searchParams.delete('code')
    forged.searchParams.set('error', 'access_denied')
    for (const url of [callback, forged.href, callback]) {
      const page = await attacker.open(url)
      expect(JSON.parse(page.body)).to.include({ code: 'login_not_found' })
    }
    await expectFinished(victim)
  })

  it('P2: an unknown state gets the very answer of a state whose cookie is missing', async () => {
    await start()
    const unknown = new URL(callback)
    unknown.searchParams.set('state', 'A'.repeat(43))
    const attacker = createBrowser()
    const answers = [await attacker.request(callback), await attacker.request(unknown.href)]
    const comparable = answers.map(({ status, body, headers: { date: _, etag: __, ...rest } }) => ({
      status,
      body,
      ...rest,
    }))
    expect(comparable[0]).to.deep.equal(comparable[1])
  })

  it('P2: nothing of a pending login is a session', async () => {
    await start()
    const [name = ''] = bindingCookies(victim)
    const value = victim.cookies.get(host)?.get(name) ?? ''
    const [pending] = (await rows(app.store)).pending
    const key = pending!.key
    // As if somebody could sign cookies of express-session: the record is in its store.
    const mac = createHmac('sha256', 'session-secret-of-the-tests').update(key).digest('base64')
    const signed = `s:${key}.${mac.replace(/=+$/, '')}`
    for (const session of [value, value.replace(/^.*\./, ''), key, signed]) {
      const cookie = `connect.sid=${encodeURIComponent(session)}; ${name}=${value}`
      for (const path of ['/token', '/login-only']) {
        const page = await createBrowser().request(app.url(path), {
          headers: { cookie, accept: 'application/json' },
        })
        expect(page.status, `${path} with ${session}`).to.equal(401)
      }
      const page = await createBrowser().request(app.url('/'), { headers: { cookie } })
      expect(JSON.parse(page.body), session).to.include({ sub: null })
    }
    await expectFinished(victim)
  })

  it('P2: a login of one flow is not finished by another flow on the same host and store', async () => {
    await start()
    const other = await startApp({
      server: app.server,
      store: app.store,
      flow: { name: 'other', redirectUri: app.url('/callback') },
    })
    try {
      const page = await victim.open(callback.replace(app.origin, other.origin))
      expect(JSON.parse(page.body)).to.include({ code: 'login_not_found' })
      await expectFinished(victim)
    } finally {
      await other.close()
    }
  })

  describe('the cookie that binds', () => {
    const cases = [
      { over: 'http', responseMode: 'query', prefix: '', secure: false, sameSite: 'Lax' },
      { over: 'https', responseMode: 'query', prefix: '__Host-', secure: true, sameSite: 'Lax' },
      {
        over: 'https',
        responseMode: 'form_post',
        prefix: '__Host-',
        secure: true,
        sameSite: 'None',
      },
    ]
    for (const { over, responseMode, prefix, secure, sameSite } of cases)
      it(`P2: over ${over} with ${responseMode}: ${prefix}…, SameSite=${sameSite}, HttpOnly`, async () => {
        clock.stop()
        app = await startApp({ tlsProxy: secure, flow: { responseMode } })
        const browser = createBrowser({ tlsProxy: secure })
        const { headers } = await browser.request(app.url('/login'))
        expect(headers['set-cookie']).to.have.length(1)
        const [pair, ...attributes] = headers['set-cookie']![0]!.split('; ')
        const [name, value] = pair!.split('=')
        expect(name).to.match(new RegExp(`^${prefix}pkce\\.`))
        expect(value).to.match(/\.[\w-]{22}$/, '128 bits')
        const given = attributes.filter((attribute) => !attribute.startsWith('Expires='))
        expect(given).to.have.members([
          'Max-Age=600',
          'Path=/',
          'HttpOnly',
          ...(secure ? ['Secure'] : []),
          `SameSite=${sameSite}`,
        ])
      })

    it('P2: over https the cookie under a name without __Host- counts for nothing', async () => {
      await start({ tlsProxy: true })
      const planted = createBrowser({ tlsProxy: true })
      const [name = ''] = bindingCookies(victim)
      const value = victim.cookies.get(host)!.get(name)!
      planted.cookies.set(host, new Map([[name.replace('__Host-', ''), value]]))
      await expectNothing(planted)
      await expectFinished(victim)
    })

    it('P2: no two logins have the same secret', async () => {
      await start()
      for (let times = 0; times < 5; times += 1)
        await victim.openUntil(app.url('/callback'), app.url('/login'))
      const values = bindingCookies(victim).map((name) =>
        victim.cookies.get(host)!.get(name)!.replace(/^.*\./, ''),
      )
      expect(new Set(values)).to.have.property('size', 6)
    })

    it('P2: the store holds neither the secret nor the state', async () => {
      await start()
      const [name = ''] = bindingCookies(victim)
      const secret = victim.cookies.get(host)!.get(name)!.replace(/^.*\./, '')
      const stored = JSON.stringify(await rows(app.store))
      expect(stored).not.to.include(secret)
      expect(stored).not.to.include(new URL(callback).searchParams.get('state'))
    })
  })
})
