import { expect } from 'chai'
import type { Page } from 'playwright-core'
import type { Example } from '../../example-app/start-example.ts'
import { describeInChromium, openTab } from './chromium.ts'
import { startExample } from './example.ts'
import { holdCallback } from './hold-callback.ts'
import { allowOnly, goToLogIn, logIn, logInHere, logOut, sayName, sees } from './person.ts'
import { type ReceivedRequests, watchRequests } from './received-requests.ts'

describeInChromium('P3: Example app: Back, reload and double clicks', () => {
  let example: Example
  let requests: ReceivedRequests

  beforeEach(async () => {
    example = await startExample()
    requests = watchRequests()
  })

  afterEach(async () => {
    requests.stop()
    await example.close()
  })

  async function isStillSignedIn(page: Page) {
    await page.goto(`${example.url}profile`)
    await sees(page, 'What this app knows about you')
    await page.getByText('Ada').first().waitFor()
    expect(requests.tokenRequests(), 'one token request').to.equal(1)
  }

  it('P3: reload after login, three times', async () => {
    const page = await openTab()
    await logIn(page, example, 'Ada')
    for (let times = 0; times < 3; times += 1) {
      await page.reload()
      await sees(page, 'Hello, Ada')
    }
    await isStillSignedIn(page)
  })

  it('P3: Back through the authorization server’s pages leads to where the login led', async () => {
    const page = await openTab()
    await logIn(page, example, 'Ada')
    for (let times = 0; times < 3; times += 1) {
      await page.goBack()
      await sees(page, 'Hello, Ada')
    }
    await isStillSignedIn(page)
  })

  it('P3: Back and forward, and back again', async () => {
    const page = await openTab()
    await logIn(page, example, 'Ada')
    for (const step of [
      'goBack',
      'goForward',
      'goBack',
      'goBack',
      'goForward',
      'goForward',
    ] as const) {
      await page[step]()
      await sees(page, 'Hello, Ada')
    }
    await isStillSignedIn(page)
  })

  it('P3: Back from the consent page to the log-in page and forward again, then on', async () => {
    const page = await openTab()
    await goToLogIn(page, example)
    await sayName(page, 'Ada')
    await page.goBack()
    await page.goForward()
    await sees(page, 'Allow access?')
    await page.getByRole('button', { name: 'Allow' }).click()
    await sees(page, 'Hello, Ada')
    await isStillSignedIn(page)
  })

  it('P3: Back from the log-in page to the app, and log in from there', async () => {
    const page = await openTab()
    await goToLogIn(page, example)
    await page.goBack()
    await sees(page, 'Your notes, by your leave')
    await page.getByRole('link', { name: 'Log in' }).click()
    await sees(page, 'Who are you?')
    await logInHere(page, 'Ada')
    await sees(page, 'Hello, Ada')
    await isStillSignedIn(page)
  })

  it('P3: double click on "Log in"', async () => {
    const page = await openTab()
    await page.goto(example.url)
    await page.getByRole('link', { name: 'Log in' }).dblclick()
    await sees(page, 'Who are you?')
    await logInHere(page, 'Ada')
    await sees(page, 'Hello, Ada')
    await isStillSignedIn(page)
  })

  it('P3: double click on "Continue" and on "Allow"', async () => {
    const page = await openTab()
    await goToLogIn(page, example)
    await page.getByLabel('User name').fill('Ada')
    await page.getByRole('button', { name: 'Continue' }).dblclick()
    await sees(page, 'Allow access?')
    await page.getByRole('button', { name: 'Allow' }).dblclick()
    await sees(page, 'Hello, Ada')
    await isStillSignedIn(page)
  })

  it('P3: the callback’s URL opened again: at once, later, and in another tab', async () => {
    const page = await openTab()
    const callback = await logInAndKeepCallback(page)
    for (let times = 0; times < 3; times += 1) {
      await page.goto(callback)
      await sees(page, 'Hello, Ada')
      expect(page.url()).to.equal(example.url)
    }
    const other = await page.context().newPage()
    await other.goto(callback)
    await sees(other, 'Hello, Ada')
    await isStillSignedIn(page)
  })

  it('P3: the callback’s URL opened in five tabs at once, before its first answer', async () => {
    const page = await openTab()
    await goToLogIn(page, example)
    await sayName(page, 'Ada')
    const { held } = await holdCallback(page)
    await allowOnly(page)
    const callback = await held
    const others = await Promise.all(Array.from({ length: 4 }, () => page.context().newPage()))
    await Promise.all([callback.send(), ...others.map((other) => other.goto(callback.url))])
    for (const tab of [page, ...others]) await sees(tab, 'Hello, Ada')
    await isStillSignedIn(page)
  })

  it('P3: the callback’s URL opened after log-out signs nobody in', async () => {
    const page = await openTab()
    const callback = await logInAndKeepCallback(page)
    await logOut(page)
    await page.goto(callback)
    await sees(page, 'Your notes, by your leave')
    await page.goto(`${example.url}profile`)
    await sees(page, 'Who are you?')
    expect(requests.tokenRequests()).to.equal(1)
  })

  it('P2: the callback’s URL opened in another browser signs nobody in', async () => {
    const page = await openTab()
    const callback = await logInAndKeepCallback(page)
    const stranger = await openTab()
    const answer = await stranger.goto(callback)
    expect(answer?.status()).to.equal(400)
    await sees(stranger, 'This login is too old')
    await stranger.goto(example.url)
    await sees(stranger, 'Your notes, by your leave')
    await isStillSignedIn(page)
  })

  /** Logs in; resolves to the URL that the authorization server sent the browser to. */
  async function logInAndKeepCallback(page: Page): Promise<string> {
    await goToLogIn(page, example)
    await sayName(page, 'Ada')
    const { held } = await holdCallback(page)
    await allowOnly(page)
    const callback = await held
    await callback.send()
    await sees(page, 'Hello, Ada')
    return callback.url
  }
})
