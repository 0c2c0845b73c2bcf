import { expect } from 'chai'
import { ConfigurationError, pkceFlow, type RequireLoginOptions } from '../../src/index.ts'
import { startApp, type AppSetUp, type RunningApp } from '../support/app.ts'
import { type Browser, createBrowser } from '../support/browser.ts'
import { clock } from '../support/clock.ts'
import { json, navigation, program, startsLogin } from './steps.ts'

const minutes = 60_000

describe('requireLogin({ maxAge, acrValues }) (RFC 9470)', () => {
  let app: RunningApp
  let browser: Browser

  /** An app whose page `/safe` is guarded so, and a browser. */
  async function start(options: RequireLoginOptions, setUp: AppSetUp = {}) {
    app = await startApp({
      routes: (routes, flow) => {
        routes.get('/', (_req, res) => {
          res.end()
        })
        routes.all('/safe', flow.requireLogin(options), (req, res, next) => {
          Promise.all([flow.claims(req), flow.status(req)])
            .then(([claims, { scope }]) =>
              res.json({ acr: claims?.acr, auth_time: claims?.auth_time, scope }),
            )
            .catch(next)
        })
        routes.get('/more', flow.login({ scope: 'email' }))
      },
      ...setUp,
    })
    browser = createBrowser()
  }

  afterEach(async () => {
    clock.release()
    await app.close()
  })

  const open = (path: string) => browser.open(app.url(path), { headers: navigation })
  const ask = (headers: Record<string, string> = program) =>
    browser.request(app.url('/safe'), { headers })

  /** What each authorization request asked for so far. */
  const asked = () =>
    app.server.requests
      .filter(({ endpoint }) => endpoint === 'authorization')
      .map(({ query }) => ({ max_age: query.get('max_age'), acr_values: query.get('acr_values') }))

  describe('maxAge', () => {
    beforeEach(() => start({ maxAge: 5 * minutes }))

    it('who is not signed in is asked for it at once', async () => {
      expect(await open('/safe?x=1')).to.include({ status: 200, url: app.url('/safe?x=1') })
      expect(asked()).to.deep.equal([{ max_age: '300', acr_values: null }])
    })

    it('a recent login will do, wherever it was made', async () => {
      await open('/login')
      expect((await ask()).status).to.equal(200)
      expect(asked()).to.have.length(1)
    })

    it('a person whose login is older logs in again and comes back; the claims are the new ones', async () => {
      await open('/login')
      const { auth_time: before } = json(await ask())
      clock.advance(6 * minutes)
      const page = await open('/safe?x=1')
      expect(page).to.include({ status: 200, url: app.url('/safe?x=1') })
      expect(asked()[1]).to.deep.equal({ max_age: '300', acr_values: null })
      expect(json(page).auth_time).to.be.at.least(Number(before) + 360)
    })

    it('clocks may differ by clockTolerance', async () => {
      await open('/login')
      clock.advance(5 * minutes + 25_000)
      expect((await ask()).status).to.equal(200)
      clock.advance(10_000)
      expect((await ask()).status).to.equal(401)
    })

    it('what was granted beside the usual scope is asked for again', async () => {
      await open('/more')
      clock.advance(6 * minutes)
      expect(json(await open('/safe')).scope).to.deep.equal(['openid', 'email'])
    })

    it('a program is told what would do, in problem JSON and in WWW-Authenticate (section 3)', async () => {
      await open('/login')
      clock.advance(6 * minutes)
      const page = await ask()
      expect(page.status).to.equal(401)
      expect(page.headers['content-type']).to.equal('application/problem+json')
      expect(json(page)).to.include({
        code: 'insufficient_user_authentication',
        status: 401,
        loginUrl: '/login',
      })
      expect(page.headers['www-authenticate']).to.match(
        /^Bearer error="insufficient_user_authentication", error_description="[^"\\]+", max_age="300"$/,
      )
      expect(startsLogin(app, page)).to.equal(false)
    })

    it("'next': the app gets the error, with the header", async () => {
      await app.close()
      await start({ maxAge: 5 * minutes, unauthenticated: 'next' })
      await open('/login')
      clock.advance(6 * minutes)
      await ask(navigation)
      const error = app.errors[0] as { headers: Record<string, string> }
      expect(error).to.include({ code: 'insufficient_user_authentication', status: 401 })
      expect(error.headers['WWW-Authenticate']).to.include('max_age="300"')
    })

    it('a form that a person posts: the login leads to the default place', async () => {
      await open('/login')
      clock.advance(6 * minutes)
      const page = await browser.open(app.url('/safe'), { method: 'POST', headers: navigation })
      expect(page).to.include({ status: 200, url: app.url('/') })
      expect((await ask()).status).to.equal(200)
    })

    for (const [title, authTime] of [
      ['without auth_time', undefined],
      ['with an old auth_time', 0],
      ['with a text for auth_time', 'now'],
      ['with an auth_time in milliseconds', Date.now()],
    ] as const)
      it(`step 13: an ID Token ${title} ends the login, and no circles begin`, async () => {
        await open('/login')
        clock.advance(6 * minutes)
        app.server.misbehave('token', {
          idToken: { claims: (claims) => ({ ...claims, auth_time: authTime }) },
        })
        const page = await open('/safe')
        expect(page.status).to.equal(502)
        expect(json(page)).to.include({ code: 'id_token_invalid' })
        expect(asked()).to.have.length(2)
      })

    it('a login without maxAge, whose auth_time is in milliseconds, is not recent for ever', async () => {
      app.server.misbehave(
        'token',
        { idToken: { claims: (claims) => ({ ...claims, auth_time: Date.now() }) } },
        { times: 1 },
      )
      await open('/login')
      expect((await ask()).status).to.equal(401)
      expect((await open('/safe')).status).to.equal(200)
    })

    it('somebody else who logs in then is somebody else', async () => {
      await open('/login')
      clock.advance(6 * minutes)
      app.server.authorizeAs('bob')
      await open('/safe')
      expect(json(await ask()).acr).to.equal(undefined)
      expect(app.server.issued.at(-1)!.sub).to.equal('bob')
    })
  })

  it("max_age of the app's own is checked when the login comes back (OpenID Connect Core 3.1.3.7)", async () => {
    await start({}, { flow: { authorizationParams: { max_age: '300' } } })
    app.server.misbehave('token', {
      idToken: { claims: (claims) => ({ ...claims, auth_time: Number(claims.iat) - 400 }) },
    })
    expect(json(await open('/safe'))).to.include({ code: 'id_token_invalid' })
    expect(asked()[0]!.max_age).to.equal('300')
  })

  describe('acrValues', () => {
    const acrs = (acr: string | undefined) =>
      app.server.misbehave('token', { idToken: { claims: (claims) => ({ ...claims, acr }) } })

    it('an array or a string: any of them will do', async () => {
      for (const acrValues of ['gold silver', ['gold', 'silver']]) {
        await start({ acrValues })
        acrs('silver')
        expect(json(await open('/safe'))).to.include({ acr: 'silver' })
        expect(asked()).to.deep.equal([{ max_age: null, acr_values: 'gold silver' }])
        await app.close()
      }
    })

    it('a person whose login has none of them logs in again and comes back', async () => {
      await start({ acrValues: 'gold' })
      await open('/login')
      const page = await open('/safe')
      expect(page).to.include({ status: 200, url: app.url('/safe') })
      expect(json(page)).to.include({ acr: 'gold' })
      expect(asked()[1]).to.deep.equal({ max_age: null, acr_values: 'gold' })
    })

    it('what is not given after one round is 401 for a person, too', async () => {
      await start({ acrValues: ['gold'] })
      acrs('bronze')
      for (const rounds of [1, 1, 1]) {
        const page = await open('/safe')
        expect(page).to.include({ status: 401, url: app.url('/safe') })
        expect(json(page)).to.include({ code: 'insufficient_user_authentication' })
        expect(app.errors.pop()).to.include({ loginUrl: '/login' })
        expect(asked()).to.have.length(rounds)
      }
      const page = await ask()
      expect(page.headers['www-authenticate']).to.include('acr_values="gold"')
    })

    it('two spaces between them ask for no nameless one', async () => {
      await start({ acrValues: 'gold  silver' })
      acrs('')
      expect(await open('/safe')).to.include({ status: 401 })
    })

    it('is not forgotten at a refresh', async () => {
      await start({ acrValues: ['gold'] })
      acrs('bronze')
      await open('/safe')
      clock.advance(60 * minutes)
      await open('/')
      expect(app.server.count('token')).to.equal(2)
      expect((await open('/safe')).status).to.equal(401)
      expect(asked()).to.have.length(1)
    })

    it('two guards that no login satisfies both end in 401, and in no circle', async () => {
      await start(
        {},
        {
          routes: (routes, flow) => {
            const [gold, silver] = ['gold', 'silver'].map((acrValues) =>
              flow.requireLogin({ acrValues }),
            )
            routes.get('/safe', gold!, silver!, (_req, res) => {
              res.end()
            })
          },
        },
      )
      app.server.misbehave('token', {
        idToken: { claims: (claims) => ({ ...claims, acr: asked().at(-1)!.acr_values }) },
      })
      const page = await open('/safe')
      expect(page.status).to.equal(401)
      expect(json(page)).to.include({ code: 'insufficient_user_authentication' })
      expect(asked()).to.have.length(5)
    })

    it('one more round for each explicit login', async () => {
      await start({ acrValues: ['gold'] })
      acrs('bronze')
      await open('/safe')
      await open('/login')
      expect((await open('/safe')).status).to.equal(401)
      expect(asked()).to.have.length(3)
    })

    it('one that was asked for among others is asked for alone', async () => {
      await start(
        { acrValues: ['gold'] },
        { flow: { authorizationParams: { acr_values: 'any gold' } } },
      )
      await open('/login')
      expect((await open('/safe')).status).to.equal(200)
      expect(asked().map(({ acr_values }) => acr_values)).to.deep.equal(['any gold', 'gold'])
    })

    it('with maxAge and claims: all of them count', async () => {
      await start({ acrValues: ['gold'], maxAge: minutes, claims: ({ sub }) => sub === 'alice' })
      expect((await open('/safe')).status).to.equal(200)
      expect(asked()).to.deep.equal([{ max_age: '60', acr_values: 'gold' }])
      clock.advance(2 * minutes)
      expect((await ask()).headers['www-authenticate']).to.match(/max_age="60", acr_values="gold"$/)
      app.server.authorizeAs('bob')
      expect(json(await open('/safe'))).to.include({ code: 'insufficient_scope' })
    })
  })
})

describe('requireLogin: maxAge and acrValues that are none', () => {
  const options = { clientId: 'test-client', redirectUri: 'http://127.0.0.1/callback' }
  const flow = pkceFlow({ ...options, issuer: 'https://server.example' })
  const make =
    (guard: object, by = flow) =>
    () =>
      by.requireLogin(guard)

  for (const maxAge of [0, -1, 1_000.5, 31_536_000_001, '300000', null, NaN])
    it(`maxAge ${String(maxAge)} is refused`, () => {
      expect(make({ maxAge })).to.throw(ConfigurationError, '"requireLogin.maxAge" must be')
    })

  for (const maxAge of [1, 300, 999])
    it(`maxAge ${maxAge} looks like seconds`, () => {
      expect(make({ maxAge })).to.throw(ConfigurationError, /"requireLogin\.maxAge".*seconds\?/)
    })

  for (const acrValues of ['', ' ', [], [''], ['a b'], 'a"b', 'a\\b', 'a\r\nb', 7, null, {}])
    it(`acrValues ${JSON.stringify(acrValues)} is refused`, () => {
      expect(make({ acrValues })).to.throw(ConfigurationError, 'requireLogin: "acrValues"')
    })

  it('undefined is as if it were left out', () => {
    make({ maxAge: undefined, acrValues: undefined })()
  })

  for (const guard of [{ maxAge: 60_000 }, { acrValues: 'gold' }])
    it(`without the scope openid there is nothing to look at: ${Object.keys(guard)[0]}`, () => {
      const plain = pkceFlow({ ...options, server: { rootUrl: 'http://127.0.0.1' } })
      expect(make(guard, plain)).to.throw(ConfigurationError, 'openid')
    })
})
