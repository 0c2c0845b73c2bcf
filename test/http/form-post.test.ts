import { gzipSync } from 'node:zlib'
import { expect } from 'chai'
import express, { type RequestHandler } from 'express'
import { home } from '../protocol/attempt.ts'
import { startApp, type AppSetUp, type RunningApp } from '../support/app.ts'
import { createBrowser, type Browser, nextUrl } from '../support/browser.ts'
import { openForm, postAnswer } from './form-post.ts'

const form = 'application/x-www-form-urlencoded'

describe('response mode form_post (OAuth 2.0 Form Post Response Mode)', () => {
  let app: RunningApp
  let browser: Browser

  async function start(setUp: AppSetUp = {}) {
    app = await startApp({ tlsProxy: true, ...setUp, flow: { responseMode: 'form_post' } })
    browser = createBrowser({ tlsProxy: true })
  }

  afterEach(() => app.close())

  it('the answer comes as a POST, and leads on by 303', async () => {
    await start()
    const answer = await openForm(app, browser)
    expect([...answer.keys()]).to.have.members(['code', 'state', 'iss'])
    const page = await postAnswer(app, browser, answer)
    expect(page.status).to.equal(303)
    expect((await browser.open(nextUrl(page)!)).url).to.equal(app.url('/'))
    expect((await home(app, browser)).sub).to.equal('alice')
    const { query } = await app.server.received('authorization')
    expect(query.get('response_mode')).to.equal('form_post')
  })

  it('the cookie that binds the login comes along with a cross-site POST, and only over TLS', async () => {
    await start()
    const { headers } = await browser.request(app.url('/login'))
    const [cookie, ...others] = headers['set-cookie']!
    expect(others).to.be.empty
    expect(cookie).to.match(/^__Host-pkce\.[\w-]{8}\.[0-9a-f]{32}=o[0-9a-z]+\.[\w-]{22};/)
    const attributes = cookie!.split('; ').slice(1)
    expect(
      attributes.filter((attribute) => !/^(Expires|Max-Age)=/.test(attribute)),
    ).to.have.members(['Path=/', 'HttpOnly', 'Secure', 'SameSite=None'])
  })

  describe('an app that has parsed the body already', () => {
    const parsers: [string, RequestHandler][] = [
      ['express.urlencoded({ extended: false })', express.urlencoded({ extended: false })],
      ['express.urlencoded({ extended: true })', express.urlencoded({ extended: true })],
      ['express.text()', express.text({ type: form })],
      ['express.raw()', express.raw({ type: form })],
      ['express.json(), which leaves forms alone', express.json()],
    ]
    for (const [what, parser] of parsers)
      it(`${what}: makes no difference`, async () => {
        await start({ before: (routes) => routes.use(parser) })
        const page = await postAnswer(app, browser, await openForm(app, browser))
        expect(page.status).to.equal(303)
      })

    it('and has thrown it away: a clear error, not a hanging request', async () => {
      await start({
        before: (routes) => {
          routes.use((req, _res, next) => {
            req.resume().on('end', () => {
              next()
            })
          })
        },
      })
      const page = await postAnswer(app, browser, await openForm(app, browser))
      expect(page.status).to.equal(400)
      expect(app.errors[0]).to.include({ code: 'invalid_callback' })
    })
  })

  describe('what is no such answer: 400 invalid_callback, and the login is still pending', () => {
    const wrong: [string, (answer: URLSearchParams) => Parameters<Browser['request']>[1]][] = [
      ['GET, with the answer in the query', () => ({ method: 'GET', headers: {} })],
      ['JSON', (answer) => post(JSON.stringify(Object.fromEntries(answer)), 'application/json')],
      ['another type', (answer) => post(answer.toString(), 'text/plain')],
      ['no type', (answer) => ({ method: 'POST', body: answer.toString(), headers: {} })],
      ['no body', () => ({ method: 'POST', headers: {} })],
      ['an empty form', () => post('')],
      ['state twice', (answer) => post(`${answer.toString()}&state=x`)],
      ['code twice', (answer) => post(`${answer.toString()}&code=x`)],
      ['state[x]', (answer) => post(answer.toString().replace('state=', 'state[x]='))],
      ['state[]', (answer) => post(answer.toString().replace('state=', 'state[]='))],
      ['1,500 parameters', (answer) => post(answer.toString() + '&x=1'.repeat(1_500))],
      ['NUL in state', (answer) => post(answer.toString().replace('state=', 'state=%00'))],
    ]
    for (const [what, navigation] of wrong)
      for (const parser of ['the app’s own parser', 'ours'] as const)
        it(`${what} (${parser})`, async () => {
          await start({
            before: (routes) => {
              const extended = express.urlencoded({ extended: true, limit: '1mb' })
              if (parser !== 'ours') routes.use(extended)
            },
          })
          const answer = await openForm(app, browser)
          const given = navigation(answer)!
          const query = given.method === 'GET' ? `?${answer.toString()}` : ''
          const page = await browser.request(app.url(`/callback${query}`), given)
          // An app's own parser may refuse first, in its own words.
          expect(page.status).to.be.oneOf(parser === 'ours' ? [400] : [400, 413])
          if (parser === 'ours') expect(app.errors[0]).to.include({ code: 'invalid_callback' })
          expect(app.server.count('token')).to.equal(0)

          expect((await postAnswer(app, browser, answer)).status).to.equal(303)
        })

    it('a body of more than 64 kB (ours: an app may allow more in its own parser)', async () => {
      await start()
      const answer = await openForm(app, browser)
      const page = await browser.request(
        app.url('/callback'),
        post(`${answer.toString()}&x=${'x'.repeat(64 * 1024)}`),
      )
      expect(page.status).to.equal(400)
      expect((await postAnswer(app, browser, answer)).status).to.equal(303)
    })

    it('compressed (ours)', async () => {
      await start()
      const answer = await openForm(app, browser)
      const zipped = gzipSync(answer.toString())
      const page = await browser.request(app.url('/callback'), {
        method: 'POST',
        headers: { 'content-type': form, 'content-encoding': 'gzip' },
        body: zipped as never,
      })
      expect(page.status).to.equal(400)
      expect((await postAnswer(app, browser, answer)).status).to.equal(303)
    })
  })

  it('a type with parameters is a form', async () => {
    await start()
    const answer = await openForm(app, browser)
    const page = await browser.request(
      app.url('/callback'),
      post(answer.toString(), `${form}; charset=UTF-8`),
    )
    expect(page.status).to.equal(303)
  })

  it('an error comes the same way', async () => {
    await start()
    app.server.misbehave('authorization', { authorizationError: 'access_denied' })
    const page = await postAnswer(app, browser, await openForm(app, browser))
    const next = nextUrl(page)
    expect((next === undefined ? page : await browser.open(next)).status).to.equal(403)
    expect(app.errors[0]).to.include({ code: 'access_denied', oauthError: 'access_denied' })
  })

  it('with responseMode query a POST is 405, and uses up nothing', async () => {
    app = await startApp()
    browser = createBrowser()
    const answer = new URL(await browser.openUntil(app.url('/callback'), app.url('/login')))
    const page = await browser.request(app.url('/callback'), post(answer.searchParams.toString()))
    expect(page.status).to.equal(405)
    expect((await browser.open(answer.href)).url).to.equal(app.url('/'))
  })
})

function post(body: string, type = form) {
  return { method: 'POST', body, headers: { 'content-type': type } }
}
