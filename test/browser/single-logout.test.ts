import { expect } from 'chai'
import type { Page } from 'playwright-core'
import type { Example } from '../../example-app/start-example.ts'
import { describeInChromium, openBrowser } from './chromium.ts'
import { startExample } from './example.ts'
import { logIn, logInHere, logOut, sees, signOutEverywhere } from './person.ts'
import { type ReceivedRequests, watchRequests } from './received-requests.ts'

describeInChromium('Example app: single logout, with a second app at the same server', () => {
  let example: Example
  let secondUrl: string
  let requests: ReceivedRequests

  beforeEach(async () => {
    example = await startExample({ secondApp: {} })
    secondUrl = example.secondUrl!
    requests = watchRequests()
  })

  afterEach(async () => {
    requests.stop()
    await example.close()
  })

  /** Two tabs of one browser, signed in as Ada at both apps. */
  async function signInAtBoth(): Promise<[Page, Page]> {
    const browser = await openBrowser()
    const first = await browser.newPage()
    await logIn(first, example, 'Ada')
    const second = await browser.newPage()
    await second.goto(secondUrl)
    await second.getByRole('link', { name: 'Log in' }).click()
    await sees(second, 'Who are you?')
    await second.getByText('Second App', { exact: true }).waitFor()
    await logInHere(second, 'Ada')
    await sees(second, 'Hello again, Ada')
    await first.reload()
    await sees(first, 'Hello, Ada')
    return [first, second]
  }

  /** Status of the answer to the logout token that this app is sent next. */
  function logoutToken(url: string): Promise<number> {
    return requests.nextStatus('/backchannel-logout', new URL(url).host)
  }

  /** The authorization server asks who this is, and does not know who it was. */
  async function isAskedAnew(page: Page) {
    await page.getByRole('link', { name: 'Log in' }).click()
    await sees(page, 'Who are you?')
    expect(await page.getByLabel('User name').inputValue()).to.equal('')
  }

  it('P17: out of the first app: back there, and the second one knows nobody either', async () => {
    const [first, second] = await signInAtBoth()
    const told = logoutToken(secondUrl)
    await logOut(first)
    expect(first.url()).to.equal(example.url)
    expect(await told).to.equal(200)
    await second.reload()
    await sees(second, 'Nobody is signed in here')
    await isAskedAnew(second)
    await logInHere(second, 'Ada')
    await sees(second, 'Hello again, Ada')
  })

  it('P17: out of the second app: the same the other way round', async () => {
    const [first, second] = await signInAtBoth()
    const told = logoutToken(example.url)
    await second.getByRole('button', { name: 'Log out' }).click()
    await signOutEverywhere(second)
    await sees(second, 'Nobody is signed in here')
    expect(second.url()).to.equal(secondUrl)
    expect(await told).to.equal(200)
    await first.getByRole('link', { name: 'Call the API with my token' }).click()
    await sees(first, 'Who are you?')
  })

  it('P17: at the server’s own page: both apps know nobody, each told by back-channel', async () => {
    const [first, second] = await signInAtBoth()
    const told = Promise.all([logoutToken(example.url), logoutToken(secondUrl)])
    const account = await first.context().newPage()
    await account.goto(example.url)
    await account.getByRole('link', { name: 'Gatehouse' }).click()
    await sees(account, 'You are signed in as Ada')
    await signOutEverywhere(account)
    await sees(account, 'You are signed out')
    expect(await told).to.deep.equal([200, 200])
    await first.reload()
    await sees(first, 'Your notes, by your leave')
    await second.reload()
    await sees(second, 'Nobody is signed in here')
    await isAskedAnew(first)
  })

  it('P17: from the server’s log-in page, when an app asks who is there', async () => {
    const [first, second] = await signInAtBoth()
    await second.goto(`${secondUrl}login`)
    await second.getByText('You are signed in here as Ada.').waitFor()
    const told = logoutToken(example.url)
    await second.getByRole('link', { name: 'Sign out everywhere' }).click()
    await sees(second, 'You are signed in as Ada')
    await signOutEverywhere(second)
    await sees(second, 'You are signed out')
    expect(await told).to.equal(200)
    await first.goto(`${example.url}profile`)
    await sees(first, 'Who are you?')
  })

  it('P17: who stays signed in at the server stays so in the second app', async () => {
    const [first, second] = await signInAtBoth()
    await first.getByRole('button', { name: 'Log out' }).click()
    await sees(first, 'Sign out here as well?')
    await first.getByRole('button', { name: 'No, stay' }).click()
    await sees(first, 'Your notes, by your leave')
    await second.reload()
    await sees(second, 'Hello again, Ada')
  })

  it('P17: another browser of the same person stays signed in', async () => {
    const [first] = await signInAtBoth()
    const [other, otherSecond] = await signInAtBoth()
    const told = logoutToken(secondUrl)
    await logOut(first)
    expect(await told).to.equal(200)
    await other.reload()
    await sees(other, 'Hello, Ada')
    await otherSecond.reload()
    await sees(otherSecond, 'Hello again, Ada')
  })
})
