import { expect } from 'chai'
import type { Example } from '../../example-app/start-example.ts'
import { describeInChromium, openTab } from './chromium.ts'
import { startExample } from './example.ts'
import { chooseColour, logIn, logInHere, sees, seesColour } from './person.ts'

describeInChromium('Example app: private pages', () => {
  let example: Example

  beforeEach(async () => {
    example = await startExample()
  })

  afterEach(() => example.close())

  it('asked for first: sent to log in, and back to that page', async () => {
    const page = await openTab()
    await page.goto(`${example.url}profile`)
    await sees(page, 'Who are you?')
    await logInHere(page, 'Ada')
    await sees(page, 'What this app knows about you')
    expect(page.url()).to.equal(`${example.url}profile`)
  })

  it('asked for in a session, with a query: back to that page, the session’s data kept', async () => {
    const page = await openTab()
    await page.goto(example.url)
    await chooseColour(page, 'heather')
    const url = `${example.url}notes?page=2&q=a%26b%20c`
    await page.goto(url)
    await sees(page, 'Who are you?')
    await logInHere(page, 'Ada')
    await sees(page, 'Your notes')
    expect(page.url()).to.equal(url)
    await seesColour(page, 'heather')
  })

  it('asked for in two tabs: each goes back to its own', async () => {
    const notes = await openTab()
    const profile = await notes.context().newPage()
    await notes.goto(`${example.url}notes`)
    await profile.goto(`${example.url}profile`)
    await logInHere(profile, 'Ada')
    await sees(profile, 'What this app knows about you')
    await logInHere(notes, 'Ada')
    await sees(notes, 'Your notes')
  })

  it('asked for when signed in: shown at once', async () => {
    const page = await openTab()
    await logIn(page, example, 'Ada')
    for (const path of ['notes', 'profile']) {
      const answer = await page.goto(example.url + path)
      expect(answer?.status()).to.equal(200)
      expect(answer?.request().redirectedFrom()).to.equal(null)
    }
  })
})
