import { expect } from 'chai'
import type { AppSetUp, RunningApp } from '../support/app.ts'
import { type Browser, createBrowser, nextUrl, type Page } from '../support/browser.ts'
import { rawRequest } from '../support/raw-request.ts'
import { browserOf, connect, ownPage, startConnectApp, told } from './connect-app.ts'
import { json, navigation, startsLogin } from './steps.ts'

const html = { accept: 'text/html' }

/** Another host of this app, and what a browser says of a redirect from there to redirectUri's. */
const hosts: [string, string, string][] = [
  ['localhost', 'localhost', 'cross-site'],
  ['www.', 'www.app.example', 'same-site'],
]

/**
 * A click on the app's own page, whose host is not redirectUri's, arrives there as a click on another
 * site does. Nothing of the way can be believed, so the person is asked on a page of ours.
 */
describe('connecting an account is started on another host than redirectUri’s', () => {
  let app: RunningApp
  let browser: Browser

  async function start(setUp: AppSetUp = {}) {
    app = await startConnectApp(setUp)
    browser = await browserOf(app, 'ann')
  }

  beforeEach(() => start())
  afterEach(() => app.close())

  const request = (url: string, headers: Record<string, string>, method = 'GET') =>
    browser.request(url, { method, headers })

  /** Where the page's link leads; there is one. */
  function linkOf({ body }: Page): string {
    const links = [...body.matchAll(/<a href="([^"]*)">/g)].map(([, href = '']) => href)
    expect(links).to.have.length(1)
    return links[0]!.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)))
  }

  function expectQuestion(page: Page) {
    expect(page.status).to.equal(200)
    expect(startsLogin(app, page), 'starts').to.equal(false)
    expect(page.headers).not.to.have.property('set-cookie')
    expect(nextUrl(page), 'goes on by itself').to.equal(undefined)
    expect(page.body).not.to.match(/<script|<form|http-equiv|onload/)
    expect(page.body).to.match(/<title>(Connect an account at [^<]+)<.*<h1>\1<\/h1>/s)
    expect(page.headers).to.include({
      'cache-control': 'no-store',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    })
  }

  const places: [string, string][] = [
    ['/login?returnTo=%2Felsewhere', '/elsewhere'],
    ['/start', '/started'],
    ['/guarded/auto', '/guarded/auto'],
    ['/guarded/redirect?x=1', '/guarded/redirect?x=1'],
  ]
  for (const [what, name, site] of hosts)
    for (const [path, end] of places)
      it(`C-28: ${what}: ${path} is sent to redirectUri’s host, asks there, and connects`, async () => {
        const host = `${name}:${new URL(app.origin).port}`
        const sent = await request(app.url(path), { ...ownPage, host })
        expect(startsLogin(app, sent)).to.equal(false)
        expect(nextUrl(sent)).to.satisfy((url: string) => url.startsWith(app.origin))

        const arriving = { ...navigation, 'sec-fetch-site': site }
        const question = await request(nextUrl(sent)!, arriving)
        expectQuestion(question)
        expect(question.body).to.include(new URL(app.origin).host)

        const page = await browser.open(linkOf(question), { headers: ownPage })
        expect(page.url).to.equal(app.url(end))
        expect(await told(app, browser)).to.include({ user: 'ann', sub: 'alice' })
        expect(app.errors, 'asking is all that the page did').to.be.empty
      })

  it('C-28: by a browser without Fetch Metadata, whose Referer is a page of that host', async () => {
    const host = `localhost:${new URL(app.origin).port}`
    const referer = `http://${host}/page`
    const sent = await request(app.url('/login'), { ...html, host, referer })
    const question = await request(nextUrl(sent)!, { ...html, referer })
    expectQuestion(question)
    // It says then that the link is on a page of ours.
    expect(question.headers['referrer-policy']).to.equal('same-origin')
    const page = await request(linkOf(question), { ...html, referer: nextUrl(sent)! })
    expect(startsLogin(app, page)).to.equal(true)
  })

  it('C-28: by an address that was typed: nothing is asked', async () => {
    const typed = { ...navigation, 'sec-fetch-site': 'none' }
    const sent = await request(app.url('/login'), { ...typed, host: 'localhost' })
    expect(startsLogin(app, await request(nextUrl(sent)!, typed))).to.equal(true)
  })

  const foreign: [string, Record<string, string>][] = [
    ['a link on another site', { ...navigation, 'sec-fetch-site': 'cross-site' }],
    ['a link on another host of this site', { ...navigation, 'sec-fetch-site': 'same-site' }],
    ['Referer: another one', { ...html, referer: 'https://evil.example/page' }],
    ['Origin: another one', { ...html, origin: 'https://evil.example' }],
    ['neither', html],
  ]
  for (const [what, headers] of foreign) {
    it(`C-28: ${what} is refused there already: 403 cross_site_request`, async () => {
      for (const path of ['/login', '/start']) {
        const page = await request(app.url(path), { ...headers, host: 'localhost' })
        expect(page.status).to.equal(403)
        expect(json(page)).to.include({ code: 'cross_site_request' })
      }
    })

    it(`C-28: ${what} that pretends to have been sent on gets the question, and no more`, async () => {
      for (const path of ['/login', '/start']) {
        expectQuestion(await request(app.url(`${path}?pkce-flow-moved=1`), headers))
        const posted = await request(app.url(`${path}?pkce-flow-moved=1`), headers, 'POST')
        expect(posted.status).to.be.oneOf([403, 405])
      }
      const page = await request(app.url('/guarded/auto?pkce-flow-moved=1'), headers)
      expect(json(page)).to.include({ code: 'not_connected' })
      expect(startsLogin(app, page)).to.equal(false)
    })
  }

  const hidden: [string, Record<string, string>, number][] = [
    ['a frame', { ...navigation, 'sec-fetch-dest': 'iframe' }, 403],
    ['an image', { 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' }, 403],
    ['a script', { 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' }, 403],
    ['a prefetch', { ...navigation, 'sec-purpose': 'prefetch' }, 204],
  ]
  for (const [what, headers, status] of hidden)
    it(`P14: ${what} is not asked`, async () => {
      const url = app.url('/login?pkce-flow-moved=1')
      const page = await request(url, { ...headers, 'sec-fetch-site': 'cross-site' })
      expect(page.status).to.equal(status)
      expect(page.body).not.to.include('<a ')
    })

  it('P13: nothing of the address gets into the page as markup', async () => {
    const path = `/start?pkce-flow-moved=1&"><i>'`
    const headers = { ...navigation, 'sec-fetch-site': 'cross-site', host: '127.0.0.1' }
    const page = await rawRequest(app.origin, { path, headers })
    expectQuestion(page)
    expect(page.body).not.to.include('<i>')
    expect(linkOf(page)).to.equal(app.url(path))
  })

  it('P5: the link leads to redirectUri’s origin, whatever the address and Host say', async () => {
    const headers = { ...navigation, 'sec-fetch-site': 'cross-site', host: 'evil.example' }
    const page = await request(app.url('/start?pkce-flow-moved=1'), headers)
    expect(linkOf(page)).to.equal(app.url('/start?pkce-flow-moved=1'))
    expect(page.body).not.to.include('evil')
  })

  it('whose user is not signed in there: not_signed_in says where to be', async () => {
    browser = createBrowser()
    const headers = { ...navigation, 'sec-fetch-site': 'cross-site' }
    const question = await request(app.url('/login?pkce-flow-moved=1'), headers)
    const page = await request(linkOf(question), ownPage)
    expect(page.status).to.equal(401)
    expect(json(page)).to.include({ code: 'not_signed_in' })
    expect(json(page).error).to.include(`at ${app.origin}.`)
  })

  it('an account that is connected already is used there: a guard sends nobody on', async () => {
    await connect(app, browser)
    const page = await request(app.url('/guarded/auto'), { ...ownPage, host: 'localhost' })
    expect(page.status).to.equal(200)
  })

  it('a flow that people log in by asks nothing', async () => {
    await app.close()
    await start({ flow: { purpose: 'login', userId: undefined } })
    const headers = { ...navigation, 'sec-fetch-site': 'cross-site' }
    const page = await request(app.url('/login?pkce-flow-moved=1'), headers)
    expect(startsLogin(app, page)).to.equal(true)
  })
})
