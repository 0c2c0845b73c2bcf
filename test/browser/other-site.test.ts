import { expect } from 'chai'
import type { CookieOptions } from 'express-session'
import type { Page } from 'playwright-core'
import type { Example } from '../../example-app/start-example.ts'
import { type Certificate, createCertificates } from '../support/certificates.ts'
import { describeInChromium, openTab } from './chromium.ts'
import { startExample } from './example.ts'
import { chooseColour, logIn, logInHere, sayName, sees, seesColour } from './person.ts'
import { type ReceivedRequests, watchRequests } from './received-requests.ts'

interface Case {
  scheme: 'http' | 'https'
  responseMode: 'query' | 'form_post'
  sameSite: NonNullable<CookieOptions['sameSite']>
}

// The authorization server is at 127.0.0.1: neither of these names is the same site.
const hosts = { http: 'localhost', https: 'app.example' }

// Browsers take SameSite=None with Secure only, and form_post needs https.
const cases: Case[] = [
  { scheme: 'http', responseMode: 'query', sameSite: 'lax' },
  { scheme: 'http', responseMode: 'query', sameSite: 'strict' },
  { scheme: 'https', responseMode: 'query', sameSite: 'lax' },
  { scheme: 'https', responseMode: 'query', sameSite: 'strict' },
  { scheme: 'https', responseMode: 'query', sameSite: 'none' },
  { scheme: 'https', responseMode: 'form_post', sameSite: 'lax' },
  { scheme: 'https', responseMode: 'form_post', sameSite: 'strict' },
  { scheme: 'https', responseMode: 'form_post', sameSite: 'none' },
]

function titleOf({ scheme, responseMode, sameSite }: Case): string {
  return `session cookie SameSite=${String(sameSite)}, ${responseMode}, ${scheme}`
}

describeInChromium('Example app: the authorization server on another site', () => {
  let certificate: Certificate
  let example: Example
  let requests: ReceivedRequests

  before(async () => {
    certificate = (await createCertificates({ names: [hosts.https] })).server
  })

  afterEach(async () => {
    requests.stop()
    await example.close()
  })

  async function start({ scheme, responseMode, sameSite }: Case) {
    example = await startExample({
      host: hosts[scheme],
      tls: scheme === 'https' ? certificate : undefined,
      sessionCookie: { sameSite },
      flow: { responseMode },
    })
    requests = watchRequests()
  }

  async function isAtNotes(page: Page, colour: string) {
    await sees(page, 'Your notes')
    expect(page.url()).to.equal(`${example.url}notes`)
    await seesColour(page, colour)
  }

  /** Reload, Back and forward, and at the end still the same person in the same session. */
  async function goesBackAndForth(page: Page, colour: string) {
    await page.reload()
    await isAtNotes(page, colour)
    await page.goBack()
    await isAtNotes(page, colour)
    await page.goForward()
    await isAtNotes(page, colour)
    await page.goto(example.url)
    await sees(page, 'Hello, Ada')
    await seesColour(page, colour)
    expect(requests.tokenRequests(), 'one token request').to.equal(1)
  }

  for (const each of cases) {
    it(`P6: ${titleOf(each)}: begun in a session, arrives at the page asked for, its data kept`, async () => {
      await start(each)
      const page = await openTab()
      await page.goto(example.url)
      await chooseColour(page, 'amber')
      await page.goto(`${example.url}notes`)
      await logInHere(page, 'Ada')
      await isAtNotes(page, 'amber')
      await goesBackAndForth(page, 'amber')
    })

    it(`P1: ${titleOf(each)}: begun without any cookie, arrives at the page asked for`, async () => {
      await start(each)
      const page = await openTab()
      await page.goto(`${example.url}notes`)
      await logInHere(page, 'Ada')
      await isAtNotes(page, 'fern')
      await goesBackAndForth(page, 'fern')
    })
  }

  // Where the browser has to be sent on to bring its session cookie.
  const roundabout = cases.filter(
    ({ responseMode, sameSite }) =>
      sameSite === 'strict' || (sameSite === 'lax' && responseMode === 'form_post'),
  )
  for (const each of roundabout)
    it(`P3: ${titleOf(each)}: double click on "Allow"`, async () => {
      await start(each)
      const page = await openTab()
      await page.goto(example.url)
      await chooseColour(page, 'amber')
      await page.goto(`${example.url}notes`)
      await sayName(page, 'Ada')
      await page.getByRole('button', { name: 'Allow' }).dblclick()
      await isAtNotes(page, 'amber')
      expect(requests.tokenRequests(), 'one token request').to.equal(1)
    })

  for (const each of cases.filter(({ sameSite }) => sameSite === 'strict'))
    it(`P6: ${titleOf(each)}: without scripts`, async () => {
      await start(each)
      const page = await openTab({ javaScriptEnabled: false })
      await page.goto(example.url)
      await chooseColour(page, 'amber')
      await page.goto(`${example.url}notes`)
      await logInHere(page, 'Ada')
      // Without a script it takes a click to post the answer.
      if (each.responseMode === 'form_post')
        await page.getByRole('button', { name: 'Continue' }).click()
      await isAtNotes(page, 'amber')
    })

  for (const each of cases.filter(({ scheme }) => scheme === 'http')) {
    /** Follows a link on a page of the other site to a private page. */
    async function followsLink(page: Page) {
      await page.goto(`${example.authorizationServer!.issuer}/elsewhere`)
      await page.evaluate(`location.href = '${example.url}notes'`)
    }

    it(`P6: ${titleOf(each)}: begun by a link on the other site, the session’s data kept`, async () => {
      await start(each)
      const page = await openTab()
      await page.goto(example.url)
      await chooseColour(page, 'amber')
      await followsLink(page)
      await logInHere(page, 'Ada')
      await isAtNotes(page, 'amber')
    })

    it(`P6: ${titleOf(each)}: signed in, a link on the other site leads to the page, not to a login`, async () => {
      await start(each)
      const page = await openTab()
      await logIn(page, example, 'Ada')
      await followsLink(page)
      await isAtNotes(page, 'fern')
    })
  }

  it('P1: begun at another name of this machine: sent to the app’s own host first, and arrives', async () => {
    await start({ scheme: 'http', responseMode: 'query', sameSite: 'lax' })
    const page = await openTab()
    await page.goto(example.url.replace('localhost', '127.0.0.1'))
    await page.getByRole('link', { name: 'Log in' }).click()
    await sees(page, 'Who are you?')
    await logInHere(page, 'Ada')
    await sees(page, 'Hello, Ada')
    expect(page.url()).to.equal(example.url)
  })
})
