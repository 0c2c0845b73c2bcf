import { expect } from 'chai'
import type { Page } from 'playwright-core'
import type { Example } from '../../example-app/start-example.ts'
import { describeInChromium, openTab } from './chromium.ts'
import { startExample } from './example.ts'
import { chooseColour, goToLogIn, logInHere, sayName, sees, seesColour } from './person.ts'
import { type ReceivedRequests, watchRequests } from './received-requests.ts'

describeInChromium('Example app: saying no', () => {
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

  async function saysNo(page: Page, button: string) {
    const answer = page.waitForResponse((response) => response.url().includes('/callback?'))
    await page.getByRole('button', { name: button }).click()
    expect((await answer).status()).to.equal(403)
    await sees(page, 'You said no')
    expect(requests.tokenRequests()).to.equal(0)
  }

  async function logsInAfterAll(page: Page) {
    await page.getByRole('link', { name: 'Log in after all' }).click()
    await sees(page, 'Who are you?')
    await logInHere(page, 'Ada')
  }

  it('access_denied: refuse the consent, then log in after all', async () => {
    const page = await openTab()
    await page.goto(example.url)
    await chooseColour(page, 'lake')
    await goToLogIn(page, example)
    await sayName(page, 'Ada')
    await saysNo(page, 'Refuse')
    await seesColour(page, 'lake')
    await logsInAfterAll(page)
    await sees(page, 'Hello, Ada')
    await seesColour(page, 'lake')
  })

  it('access_denied: cancel at the log-in page, then log in after all', async () => {
    const page = await openTab()
    await goToLogIn(page, example)
    await saysNo(page, 'Cancel')
    await logsInAfterAll(page)
    await sees(page, 'Hello, Ada')
  })

  it('access_denied: on the way to a private page, logging in after all leads to that page', async () => {
    const page = await openTab()
    await page.goto(`${example.url}notes`)
    await sees(page, 'Who are you?')
    await saysNo(page, 'Cancel')
    await logsInAfterAll(page)
    await sees(page, 'Your notes')
    expect(page.url()).to.equal(`${example.url}notes`)
  })

  it('access_denied: reload says the same, and nobody is signed in', async () => {
    const page = await openTab()
    await goToLogIn(page, example)
    await sayName(page, 'Ada')
    await saysNo(page, 'Refuse')
    for (let times = 0; times < 2; times += 1) {
      expect((await page.reload())?.status()).to.equal(403)
      await sees(page, 'You said no')
    }
    await page.getByRole('link', { name: 'First page' }).click()
    await sees(page, 'Your notes, by your leave')
  })

  it('access_denied: who is signed in already stays so', async () => {
    const page = await openTab()
    await goToLogIn(page, example)
    await logInHere(page, 'Ada')
    await sees(page, 'Hello, Ada')
    await page.goto(`${example.url}login`)
    await sees(page, 'Who are you?')
    await page.getByRole('button', { name: 'Cancel' }).click()
    await sees(page, 'You said no')
    await page.getByRole('link', { name: 'First page' }).click()
    await sees(page, 'Hello, Ada')
  })
})
