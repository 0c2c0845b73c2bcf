import { expect } from 'chai'
import type { Page } from 'playwright-core'
import type { Example } from '../../example-app/start-example.ts'
import { describeInChromium, openBrowser } from './chromium.ts'
import { startExample } from './example.ts'
import { type HeldRequest, holdCallback } from './hold-callback.ts'
import {
  allowOnly,
  chooseColour,
  goToLogIn,
  logIn,
  logInHere,
  logOut,
  sayName,
  sees,
  seesColour,
} from './person.ts'
import { type ReceivedRequests, watchRequests } from './received-requests.ts'

describeInChromium('Example app: several tabs at once', () => {
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

  /** Opens so many tabs of one browser, each at the log-in page. */
  async function tabsAtLogIn(count: number, colour?: string): Promise<Page[]> {
    const browser = await openBrowser()
    const tabs: Page[] = []
    while (tabs.length < count) tabs.push(await browser.newPage())
    const [first] = tabs as [Page]
    await first.goto(example.url)
    if (colour !== undefined) await chooseColour(first, colour)
    await Promise.all(tabs.map((tab) => goToLogIn(tab, example)))
    return tabs
  }

  /** Each of them is signed in, with a token that works. */
  async function canCallTheApi(tabs: Page[]) {
    for (const tab of tabs) {
      await tab.goto(`${example.url}notes`)
      await sees(tab, 'Your notes')
    }
  }

  it('P1: two tabs at the log-in page before either continues: both arrive', async () => {
    const tabs = await tabsAtLogIn(2)
    for (const tab of tabs) {
      await logInHere(tab, 'Ada')
      await sees(tab, 'Hello, Ada')
    }
    expect(requests.tokenRequests()).to.equal(2)
    await canCallTheApi(tabs)
  })

  it('P1: two tabs whose answers arrive at the same time: both arrive', async () => {
    const tabs = await tabsAtLogIn(2, 'amber')
    const answers: HeldRequest[] = []
    for (const tab of tabs) {
      await sayName(tab, 'Ada')
      const { held } = await holdCallback(tab)
      await allowOnly(tab)
      answers.push(await held)
    }
    await Promise.all(answers.map((answer) => answer.send()))
    for (const tab of tabs) await sees(tab, 'Hello, Ada')
    expect(requests.tokenRequests()).to.equal(2)
    await canCallTheApi(tabs)
    for (const tab of tabs) await seesColour(tab, 'amber')
  })

  it('P1: three tabs without a cookie finish in reverse order: all arrive', async () => {
    const tabs = await tabsAtLogIn(3)
    for (const tab of tabs.toReversed()) {
      await logInHere(tab, 'Ada')
      await sees(tab, 'Hello, Ada')
    }
    expect(requests.tokenRequests()).to.equal(3)
    await canCallTheApi(tabs)
  })

  it('P6: two people in two tabs: the session is the last one’s, and holds nothing of the first', async () => {
    const [first, second] = (await tabsAtLogIn(2)) as [Page, Page]
    await logInHere(first, 'Ada')
    await sees(first, 'Hello, Ada')
    await chooseColour(first, 'amber')
    await logInHere(second, 'Grace')
    await sees(second, 'Hello, Grace')
    await seesColour(second, 'fern')
    await first.reload()
    await sees(first, 'Hello, Grace')
  })

  it('P1: a tab that was at the log-in page when another logged in and out again arrives', async () => {
    const [first, second] = (await tabsAtLogIn(2)) as [Page, Page]
    await logInHere(first, 'Ada')
    await sees(first, 'Hello, Ada')
    await logOut(first)
    await logInHere(second, 'Ada')
    await sees(second, 'Hello, Ada')
  })

  it('P17: a tab that still shows who was signed in is nobody’s after the log-out in another', async () => {
    const browser = await openBrowser()
    const first = await browser.newPage()
    await logIn(first, example, 'Ada')
    const second = await browser.newPage()
    await second.goto(example.url)
    await sees(second, 'Hello, Ada')
    await logOut(first)
    await second.getByRole('link', { name: 'Call the API with my token' }).click()
    await sees(second, 'Who are you?')
  })
})
