import { expect } from 'chai'
import type { Page } from 'playwright-core'
import type { Example } from '../../example-app/start-example.ts'
import { type Certificate, createCertificates } from '../support/certificates.ts'
import { describeInChromium, openTab } from './chromium.ts'
import { startExample } from './example.ts'
import { logIn, sees } from './person.ts'
import { type ReceivedRequests, watchRequests } from './received-requests.ts'

// With SameSite=None the browser keeps nothing back: the app has to tell.
describeInChromium('Example app: what a page of another site can do', () => {
  let certificate: Certificate
  let example: Example
  let requests: ReceivedRequests

  before(async () => {
    certificate = (await createCertificates({ names: ['app.example'] })).server
  })

  beforeEach(async () => {
    example = await startExample({
      host: 'app.example',
      tls: certificate,
      sessionCookie: { sameSite: 'none' },
    })
    requests = watchRequests()
  })

  afterEach(async () => {
    requests.stop()
    await example.close()
  })

  /** A page of another site with this content. */
  async function showOtherPage(page: Page, content: string) {
    await page.goto(`${example.authorizationServer!.issuer}/style.css`) // no policy forbids anything
    await page.setContent(content, { waitUntil: 'commit' })
  }

  const embeddings = [
    (url: string) => `<img src="${url}">`,
    (url: string) => `<iframe src="${url}"></iframe>`,
    (url: string) => `<script src="${url}"></script>`,
    (url: string) => `<link rel="stylesheet" href="${url}">`,
  ]
  for (const embed of embeddings)
    it(`P14: ${embed('/login')} starts no login and leaves no cookie`, async () => {
      const page = await openTab()
      const status = requests.nextStatus('/login')
      await showOtherPage(page, embed(`${example.url}login`))
      expect(await status).to.equal(403)
      expect(await page.context().cookies()).to.deep.equal([])
    })

  it('P17: an image logs nobody out', async () => {
    const page = await openTab()
    await logIn(page, example, 'Ada')
    const status = requests.nextStatus('/logout')
    await showOtherPage(page, `<img src="${example.url}logout">`)
    expect(await status).to.equal(403)
    await page.goto(example.url)
    await sees(page, 'Hello, Ada')
  })

  it('P17: a form and a link log nobody out', async () => {
    const page = await openTab()
    await logIn(page, example, 'Ada')
    for (const content of [
      `<form method="post" action="${example.url}logout"><button>Win</button></form>`,
      `<a href="${example.url}logout">Win</a>`,
    ]) {
      const status = requests.nextStatus('/logout')
      await showOtherPage(page, content)
      await page.getByText('Win').click()
      expect(await status).to.equal(403)
      await sees(page, 'That did not work')
    }
    await page.goto(example.url)
    await sees(page, 'Hello, Ada')
  })
})
