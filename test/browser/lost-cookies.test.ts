import { expect } from 'chai'
import type { Page, Request } from 'playwright-core'
import type { Example, ExampleOptions } from '../../example-app/start-example.ts'
import { describeInChromium, openBrowserWithoutCookies, openTab } from './chromium.ts'
import { startExample } from './example.ts'
import { chooseColour, goToLogIn, logInHere, sayName, sees, seesColour } from './person.ts'

describeInChromium('Example app: cookies that are blocked or lost', () => {
  let example: Example

  async function start(options?: ExampleOptions) {
    example = await startExample(options)
  }

  afterEach(() => example.close())

  /** Clicks "Allow"; resolves to the paths of the app that the browser went to. */
  async function allows(page: Page): Promise<string[]> {
    const paths: string[] = []
    const note = (request: Request) => {
      const { origin, pathname } = new URL(request.url())
      if (request.isNavigationRequest() && `${origin}/` === example.url) paths.push(pathname)
    }
    page.on('request', note)
    await page.getByRole('button', { name: 'Allow' }).click()
    await page.getByText('Example App').first().waitFor()
    page.off('request', note)
    return paths
  }

  it('login_not_found: all cookies cleared on the way: a clear page, no loop, and "Start again" works', async () => {
    await start()
    const page = await openTab()
    await page.goto(`${example.url}profile`)
    await sayName(page, 'Ada')
    await page.context().clearCookies({ name: /^(pkce\.|example_app)/ })
    expect(await allows(page)).to.deep.equal(['/callback'])
    await sees(page, 'This login is too old')
    await page.getByRole('link', { name: 'Start again' }).click()
    await sees(page, 'Who are you?')
    await logInHere(page, 'Ada')
    await sees(page, 'Hello, Ada')
  })

  it('login_not_found: a browser that blocks the app’s cookies: a clear page, no loop', async () => {
    await start({ host: 'localhost' })
    const page = await (await openBrowserWithoutCookies('http://localhost')).newPage()
    for (const path of ['', 'notes', 'profile']) {
      if (path === '') await goToLogIn(page, example)
      else await page.goto(example.url + path)
      await sayName(page, 'Ada')
      expect(await allows(page)).to.deep.equal(['/callback'])
      await sees(page, 'This login is too old')
    }
    expect(await page.context().cookies(example.url)).to.deep.equal([])
  })

  for (const sameSite of ['lax', 'strict'] as const)
    it(`Session cookie SameSite=${sameSite} lost on the way: arrives all the same, in a new session`, async () => {
      await start({ host: 'localhost', sessionCookie: { sameSite } })
      const page = await openTab()
      await page.goto(example.url)
      await chooseColour(page, 'amber')
      await goToLogIn(page, example)
      await sayName(page, 'Ada')
      await page.context().clearCookies({ name: 'example_app_session' })
      // Sent on once to come back with the session cookie; there is none, and it goes on without.
      expect(await allows(page)).to.deep.equal(['/callback', '/callback', '/'])
      await sees(page, 'Hello, Ada')
      await seesColour(page, 'fern')
    })
})
