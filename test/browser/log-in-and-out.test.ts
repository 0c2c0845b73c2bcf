import { expect } from 'chai'
import type { BrowserContext, Page } from 'playwright-core'
import type { Example } from '../../example-app/start-example.ts'
import { describeInChromium, openBrowser, openBrowserWithCache, openTab } from './chromium.ts'
import { startExample } from './example.ts'
import { goToLogIn, logIn, logOut, sayName, sees } from './person.ts'
import { type ReceivedRequests, watchRequests } from './received-requests.ts'

describeInChromium('Example app: log in, call the API, log out', () => {
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

  /** The access tokens that the API has been called with. */
  function accessTokens() {
    return requests.all.flatMap(
      ({ authorization }) => /^Bearer (.+)/.exec(authorization ?? '')?.[1] ?? [],
    )
  }

  it('P7: who I am, what the token may do, the API’s answer; never the token', async () => {
    const page = await openTab()
    const html: string[] = []
    const keepHtml = async () => void html.push(await page.content())

    await goToLogIn(page, example)
    await keepHtml()
    await sayName(page, 'Ada')
    await keepHtml()
    await page.getByRole('button', { name: 'Allow' }).click()
    await sees(page, 'Hello, Ada')
    await keepHtml()
    for (const allowed of ['Know that it is you', 'See your name', 'Read your notes'])
      await page.getByText(allowed).waitFor()
    await page.getByText(/It ends in \d+ minutes\./).waitFor()

    await page.getByRole('link', { name: 'Call the API with my token' }).click()
    await sees(page, 'Your notes')
    await page.getByText('The API answered 200').waitFor()
    await page.getByText('Water the ferns', { exact: true }).waitFor()
    await page.getByText('The whole answer').click()
    await keepHtml()
    await page.getByRole('link', { name: 'Call it again' }).click()
    await sees(page, 'Your notes')
    await keepHtml()
    await page.getByRole('link', { name: 'Back' }).click()
    await sees(page, 'Hello, Ada')
    await page.getByRole('link', { name: 'What it says about you' }).click()
    await sees(page, 'What this app knows about you')
    await page.getByText('preferred_username').waitFor()
    await keepHtml()

    const secrets = [...new Set(accessTokens())]
    expect(secrets, 'one token, which the API was called with twice').to.have.length(1)
    secrets.push(...valuesOf(requests, 'code'), ...valuesOf(requests, 'state'))
    expect(secrets.every((secret) => secret.length >= 20)).to.equal(true)
    const cookies = await page.context().cookies(example.url)
    for (const secret of secrets)
      for (const seen of [...html, JSON.stringify(cookies), page.url()])
        expect(seen).not.to.include(secret)
    expect(html.join()).not.to.match(/eyJ[\w-]+\./)
  })

  const browsers = [
    { title: 'asks for the pages again', open: openBrowser },
    { title: 'with a back/forward cache', open: openBrowserWithCache },
  ]
  for (const { title, open } of browsers)
    it(`P17: after log-out Back shows nothing private, in a browser ${title}`, async () => {
      const page = await (await open()).newPage()
      await logIn(page, example, 'Ada')
      await page.getByRole('link', { name: 'Call the API with my token' }).click()
      await sees(page, 'Your notes')
      await page.getByRole('link', { name: 'Back' }).click()
      await sees(page, 'Hello, Ada')
      await logOut(page)
      for (let times = 0; times < 4; times += 1) {
        await page.goBack({ waitUntil: 'commit' })
        await page.getByRole('heading', { level: 1 }).waitFor()
        expect(await page.content(), page.url()).not.to.match(/Hello, Ada|Water the ferns/)
      }
      await page.goto(`${example.url}notes`)
      await sees(page, 'Who are you?')
    })

  it('P17: after log-out the old cookies are nobody’s', async () => {
    const first = await openBrowser()
    await logIn(await first.newPage(), example, 'Ada')
    const thief = await copyOf(first)
    const other = await thief.newPage()
    await other.goto(example.url)
    await sees(other, 'Hello, Ada')

    await logOut(first.pages()[0] as Page)
    await other.reload()
    await sees(other, 'Your notes, by your leave')
    const again = await copyOf(thief)
    const third = await again.newPage()
    await third.goto(`${example.url}profile`)
    await sees(third, 'Who are you?')
  })
})

/** Another browser with the same cookies. */
async function copyOf(browser: BrowserContext): Promise<BrowserContext> {
  const copy = await openBrowser()
  await copy.addCookies(await browser.cookies())
  return copy
}

/** Values of a parameter in the queries that were received. */
function valuesOf({ all }: ReceivedRequests, name: string): string[] {
  return all.flatMap(({ url }) => new URL(url, 'http://any').searchParams.get(name) ?? [])
}
