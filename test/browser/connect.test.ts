import { expect } from 'chai'
import type { Page } from 'playwright-core'
import type { Example, ExampleOptions } from '../../example-app/start-example.ts'
import { clock } from '../support/clock.ts'
import { describeInChromium, openBrowser, openTab } from './chromium.ts'
import { startExample } from './example.ts'
import { type HeldRequest, holdCallback } from './hold-callback.ts'
import { allowOnly, goToConnect, logIn, logInHere, logOut, sees } from './person.ts'
import { type ReceivedRequests, watchRequests } from './received-requests.ts'

describeInChromium('Example app: connect an account at a plain OAuth 2.0 provider', () => {
  let example: Example
  let requests: ReceivedRequests

  async function start(options?: ExampleOptions) {
    example = await startExample({ jobInterval: 0, ...options })
    requests = watchRequests()
  }

  afterEach(async () => {
    clock.release()
    requests.stop()
    await example.close()
  })

  const isAnswer = (url: string) => url.includes('/projects/callback?')

  function received(method: string, path: string): number {
    return requests.all.filter((one) => one.method === method && one.url.startsWith(path)).length
  }

  async function allow(page: Page) {
    await page.getByRole('button', { name: 'Allow' }).click()
    await sees(page, 'Your projects at Gitshed')
    await page.getByText('Robin / Bird table', { exact: true }).waitFor()
  }

  it('connects, lists projects, disconnects, and connects again; the login stays', async () => {
    await start()
    const page = await openTab()
    await logIn(page, example, 'Ada')
    const session = await sessionCookie(page)
    for (let times = 1; times <= 2; times += 1) {
      await goToConnect(page)
      await allow(page)
      expect(page.url()).to.equal(`${example.url}projects`)
      await page.getByRole('button', { name: 'Disconnect' }).click()
      await sees(page, 'Hello, Ada')
      await page.getByRole('link', { name: 'Connect Gitshed' }).waitFor()
      expect(received('POST', '/oauth/revoke'), 'both tokens').to.equal(2 * times)
    }
    expect(await sessionCookie(page)).to.equal(session)
    expect((await page.goto(`${example.url}projects`))?.status()).to.equal(401)
    await sees(page, 'Nothing is connected yet')
    await page.getByRole('link', { name: 'Connect Gitshed' }).click()
    await sees(page, 'Connect this app?')
    await allow(page)
  })

  it('is the user’s, not the session’s: there in another browser, and after logging out', async () => {
    await start()
    const page = await openTab()
    await logIn(page, example, 'Ada')
    await goToConnect(page)
    await allow(page)
    await page.goto(example.url)
    await logOut(page)
    const other = await openTab()
    await logIn(other, example, 'Ada')
    await other.getByRole('link', { name: 'See my projects' }).click()
    await sees(other, 'Your projects at Gitshed')
    expect(received('POST', '/oauth/revoke')).to.equal(0)
    await logIn(page, example, 'Grace')
    await page.getByRole('link', { name: 'Connect Gitshed' }).waitFor()
  })

  it('not_signed_in: log in first, then connect', async () => {
    await start()
    const page = await openTab()
    expect((await page.goto(`${example.url}projects/login`))?.status()).to.equal(401)
    await sees(page, 'Log in first')
    await page.getByRole('link', { name: 'Log in' }).click()
    await logInHere(page, 'Ada')
    await sees(page, 'Nothing is connected yet')
    await page.getByRole('link', { name: 'Connect Gitshed' }).click()
    await allow(page)
  })

  it('access_denied: refuse, then connect after all', async () => {
    await start()
    const page = await openTab()
    await logIn(page, example, 'Ada')
    await goToConnect(page)
    const answer = page.waitForResponse((response) => isAnswer(response.url()))
    await page.getByRole('button', { name: 'Refuse' }).click()
    expect((await answer).status()).to.equal(403)
    await sees(page, 'You said no')
    expect(received('POST', '/oauth/token')).to.equal(0)
    await page.getByRole('link', { name: 'Connect after all' }).click()
    await allow(page)
  })

  /** Opens two tabs of one browser, both where the account is to be connected. */
  async function twoTabs(): Promise<[Page, Page]> {
    const browser = await openBrowser()
    const first = await browser.newPage()
    await logIn(first, example, 'Ada')
    const second = await browser.newPage()
    await second.goto(example.url)
    await Promise.all([goToConnect(first), goToConnect(second)])
    return [first, second]
  }

  it('P1: two tabs, both started before either finishes: both arrive, also the last one first', async () => {
    await start()
    const [first, second] = await twoTabs()
    await allow(second)
    await allow(first)
    expect(received('POST', '/oauth/token')).to.equal(2)
    await second.reload()
    await sees(second, 'Your projects at Gitshed')
  })

  it('P1: two tabs whose answers arrive at the same time: both arrive', async () => {
    await start()
    const tabs = await twoTabs()
    const answers: HeldRequest[] = []
    for (const tab of tabs) {
      const { held } = await holdCallback(tab)
      await allowOnly(tab)
      answers.push(await held)
    }
    await Promise.all(answers.map((answer) => answer.send()))
    for (const tab of tabs) await sees(tab, 'Your projects at Gitshed')
    expect(received('POST', '/oauth/token')).to.equal(2)
  })

  it('P16: disconnected in one tab while the other is on its way: that one connects', async () => {
    await start()
    const [first, second] = await twoTabs()
    await allow(first)
    await first.getByRole('button', { name: 'Disconnect' }).click()
    await sees(first, 'Hello, Ada')
    await allow(second)
  })

  it('P16: user_changed: one logs out and another in between: nobody is connected', async () => {
    await start()
    const [first, second] = await twoTabs()
    await second.goto(example.url)
    await logOut(second)
    await logIn(second, example, 'Grace')

    const answer = first.waitForResponse((response) => isAnswer(response.url()))
    await first.getByRole('button', { name: 'Allow' }).click()
    expect((await answer).status()).to.equal(409)
    await sees(first, 'Somebody else is here now')
    await first.getByRole('link', { name: 'First page' }).click()
    await sees(first, 'Hello, Grace')
    await first.getByRole('link', { name: 'Connect Gitshed' }).waitFor()
    await first.goBack()
    await sees(first, 'Somebody else is here now')
    await first.getByRole('link', { name: 'Connect my account' }).click()
    await allow(first)
  })

  it('an access token that has expired is refreshed, each time with a new refresh token', async () => {
    await start({ plainProvider: { accessTokenLifetime: 60 } })
    const page = await openTab()
    await logIn(page, example, 'Ada')
    await goToConnect(page)
    await allow(page)
    for (let times = 1; times <= 2; times += 1) {
      clock.advance(61_000)
      await page.getByRole('link', { name: 'Ask again' }).click()
      await sees(page, 'Your projects at Gitshed')
      await page.getByText('Gitshed answered 200').waitFor()
      expect(received('POST', '/oauth/token')).to.equal(1 + times)
    }
  })

  it('the background job counts, also when nobody is at the browser, until the account is disconnected', async () => {
    await start({ jobInterval: 100, plainProvider: { accessTokenLifetime: 60 } })
    const page = await openTab()
    await logIn(page, example, 'Ada')
    await goToConnect(page)
    await allow(page)
    const result = page.getByText('A background job counted 3 projects, last counted')
    while (!(await result.isVisible())) await page.reload()

    await page.goto(example.url)
    await logOut(page)
    clock.advance(61_000)
    const before = received('GET', '/api/v4/projects')
    while (received('GET', '/api/v4/projects') < before + 2)
      await new Promise((resolve) => setTimeout(resolve, 20))
    expect(received('POST', '/oauth/token'), 'refreshed').to.equal(2)
    await logIn(page, example, 'Ada')
    await page.getByRole('button', { name: 'Disconnect' }).click()
    await page.getByRole('link', { name: 'Connect Gitshed' }).waitFor()
    await page.getByRole('link', { name: 'Connect Gitshed' }).click()
    await allow(page)
  })
})

async function sessionCookie(page: Page): Promise<string | undefined> {
  const cookies = await page.context().cookies()
  return cookies.find(({ name }) => name === 'example_app_session')?.value
}
