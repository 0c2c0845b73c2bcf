import { expect } from 'chai'
import type { Page, Response } from 'playwright-core'
import { answerPage, colours, homePage } from '../../example-app/pages.ts'
import type { ProtectedApi, Visitor } from '../../example-app/pages.ts'
import { projectsPage } from '../../example-app/projects-pages.ts'
import type { Example } from '../../example-app/start-example.ts'
import { expectAccessible, phone, press, pressTab } from './accessibility.ts'
import { describeInChromium, openTab } from './chromium.ts'
import { startExample } from './example.ts'
import { chooseColour, goToConnect, goToLogIn, logIn, logInHere, sayName, sees } from './person.ts'

/** What a browser may load to show a page, in bytes. */
const largest = 50_000

describeInChromium('Example app: for everybody', () => {
  let example: Example

  before(async () => {
    example = await startExample({ jobInterval: 0, secondApp: {} })
  })

  after(() => example.close())

  describe('axe finds nothing wrong, light or dark, and nobody scrolls sideways', () => {
    let page: Page

    beforeEach(async () => {
      page = await openTab({ bypassCSP: true, viewport: phone }) // axe is a script, and pages take none
    })

    async function visit(url: string, heading: string) {
      await page.goto(url)
      await sees(page, heading)
      await expectAccessible(page)
    }

    it('on the pages for whom the app does not know', async () => {
      await page.goto(example.url)
      for (const colour of [...colours].reverse()) {
        await chooseColour(page, colour)
        await expectAccessible(page)
      }
      await visit(`${example.url}nothing`, 'There is nothing here')
      await visit(`${example.url}callback?code=1&state=1`, 'This login is too old')
      await visit(`${example.url}projects/login`, 'Log in first')
    })

    it('on the pages for who is signed in', async () => {
      await logIn(page, example, 'Ada')
      await expectAccessible(page)
      await page.getByRole('link', { name: 'Call the API' }).click()
      await page.getByText('The whole answer').click()
      await expectAccessible(page)
      await visit(`${example.url}profile`, 'What this app knows about you')
      await visit(`${example.url}projects`, 'Nothing is connected yet')
    })

    it('on the doctor’s page, with and without something to say', async () => {
      await visit(`${example.url}doctor`, 'Nothing is wrong')
      const otherHost = example.url.replace('127.0.0.1', 'localhost')
      await visit(`${otherHost}doctor`, '2 things are wrong')
    })

    it('on the pages of the authorization server, from a log-in to a log-out', async () => {
      const { issuer } = example.authorizationServer!
      await goToLogIn(page, example)
      await expectAccessible(page)
      await page.getByLabel('User name').fill(' ')
      await page.getByRole('button', { name: 'Continue' }).click()
      await page.getByRole('alert').waitFor()
      await expectAccessible(page)
      await page.getByRole('button', { name: 'Cancel' }).click()
      await sees(page, 'You said no')
      await expectAccessible(page)
      await page.getByRole('link', { name: 'Log in after all' }).click()
      await sayName(page, 'Ada')
      await expectAccessible(page)
      await page.getByRole('button', { name: 'Allow' }).click()
      await sees(page, 'Hello, Ada')
      await page.goto(`${example.url}login`)
      await sees(page, 'Who are you?')
      await page.getByText('You are signed in here as Ada.').waitFor()
      await expectAccessible(page)
      await visit(issuer, 'You are signed in as Ada')
      await page.goto(example.url)
      await page.getByRole('button', { name: 'Log out' }).click()
      await sees(page, 'Sign out here as well?')
      await expectAccessible(page)
      await visit(`${issuer}/session/end/success`, 'You are signed out')
      await visit(`${issuer}/interaction/none`, 'This did not work')
      await visit(`${issuer}/nothing`, 'This did not work')
    })

    it('on the pages of the plain provider, and with an account connected there', async () => {
      await logIn(page, example, 'Grace')
      await goToConnect(page)
      await expectAccessible(page)
      const provider = new URL(page.url()).origin
      await page.getByRole('button', { name: 'Allow' }).click()
      await sees(page, 'Your projects at Gitshed')
      await expectAccessible(page)
      await visit(example.url, 'Hello, Grace')
      await visit(`${provider}/oauth/authorize`, 'This did not work')
      await visit(`${provider}/nothing`, 'This did not work')
    })

    it('on the pages of the second app', async () => {
      await visit(example.secondUrl!, 'Nobody is signed in here')
      await visit(`${example.secondUrl!}nothing`, 'There is nothing here')
      await visit(`${example.secondUrl!}callback?code=1&state=1`, 'That did not work')
      await page.goto(`${example.secondUrl!}login`)
      await logInHere(page, 'Ada')
      await sees(page, 'Hello again, Ada')
      await expectAccessible(page)
    })

    it('on the pages for what seldom happens: no token any more, nothing to show, no answer', async () => {
      const ada: Visitor = { colour: undefined, name: 'Ada', isDeveloper: true }
      const api: ProtectedApi = { url: '', name: 'notes', loginAt: 'Gatehouse', accountUrl: '/' }
      const ended = { signedIn: true, connected: false, scope: [] }
      const pages = [
        homePage(ada, ended, api),
        answerPage(ada, api, undefined, undefined),
        answerPage(ada, api, 503, { failed: 'The authorization server could not be asked.' }),
        projectsPage(ada, 200, [], { projects: 1, countedAt: 0 }),
      ]
      for (const body of pages) {
        await page.route(example.url, (route) => route.fulfill({ contentType: 'text/html', body }))
        await page.goto(example.url)
        await expectAccessible(page)
      }
    })
  })

  it('by the keyboard alone, and with no script: Tab comes to everything, where it can be seen', async () => {
    const page = await openTab({ javaScriptEnabled: false, viewport: phone })
    await page.goto(example.url)
    const stops = [await pressTab(page)]
    while (stops.at(-1) !== '') stops.push(await pressTab(page))
    expect(stops.slice(0, -1)).to.deep.equal([
      ...['Skip to content', 'Example App', 'Log in', ...colours],
      'Ask the doctor',
    ])
  })

  it('by the keyboard alone, and with no script: logs in, calls the API, logs out', async () => {
    const page = await openTab({ javaScriptEnabled: false, viewport: phone })
    await page.goto(example.url)
    await press(page, 'Skip to content')
    expect(await pressTab(page), 'after the header').to.equal('Log in')
    await page.keyboard.press('Enter')
    await sees(page, 'Who are you?')
    await page.getByLabel('User name').and(page.locator(':focus')).waitFor()
    await page.keyboard.type('Ada')
    await page.keyboard.press('Enter')
    await sees(page, 'Allow access?')
    await press(page, 'Allow')
    await sees(page, 'Hello, Ada')
    await press(page, 'Call the API with my token')
    await sees(page, 'Your notes')
    await press(page, 'The whole answer')
    await page.getByRole('region', { name: 'The whole answer' }).waitFor()
    await press(page, 'Back')
    await sees(page, 'Hello, Ada')
    await press(page, 'Log out')
    await sees(page, 'Sign out here as well?')
    await page.getByRole('button', { name: 'everywhere' }).and(page.locator(':focus')).waitFor()
    await page.keyboard.press('Enter')
    await sees(page, 'Your notes, by your leave')
  })

  it('on a slow line: all that the first page needs is below 50 kB, and no script', async () => {
    const page = await openTab()
    const icon = `${example.url}icon.svg`
    const loaded: Response[] = []
    page.on('response', (response) => {
      if (response.url() !== icon) loaded.push(response) // when, and whether, is up to the browser
    })
    await page.goto(example.url)
    const kinds = loaded.map((response) => response.request().resourceType())
    expect(kinds).to.have.members(['document', 'stylesheet'])
    expect(await page.locator('link[rel=icon]').getAttribute('href')).to.equal('/icon.svg')
    const answers = [...loaded, await page.request.get(icon)]
    const bodies = await Promise.all(answers.map((answer) => answer.body()))
    const sizes = bodies.map(({ length }) => length)
    expect(sizes.reduce((sum, size) => sum + size)).to.be.within(1_000, largest)
  })
})
