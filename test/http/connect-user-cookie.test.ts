import { expect } from 'chai'
import type { Request } from 'express'
import type { AppSetUp, RunningApp } from '../support/app.ts'
import { type Browser, createBrowser, nextUrl, type Page } from '../support/browser.ts'
import { ownPage, startConnect, startConnectApp } from './connect-app.ts'
import { openForm, postAnswer } from './form-post.ts'
import { json } from './steps.ts'

/** What a cookie of the app's own says, beside the session. */
const userOfCookie = ({ headers }: Request) => /(?:^|; )user=(\w+)/.exec(headers.cookie ?? '')?.[1]

/**
 * The continue step (docs/same-site.md): the app's user is known by a `SameSite=Strict` cookie of its
 * own, which comes with nothing that another site caused, redirects included.
 */
describe('connecting an account, of a user whose own cookie is Strict', () => {
  let app: RunningApp
  let browser: Browser

  afterEach(() => app.close())

  const cookies = () => browser.cookies.get('127.0.0.1')!

  function signIn(user: string | undefined) {
    if (!browser.cookies.has('127.0.0.1')) browser.cookies.set('127.0.0.1', new Map())
    if (user === undefined) cookies().delete('user')
    else cookies().set('user', user)
  }

  /** Does `work` as another site caused it. */
  async function crossSite(work: () => Promise<Page>): Promise<Page> {
    const user = cookies().get('user')
    signIn(undefined)
    try {
      return await work()
    } finally {
      signIn(user)
    }
  }

  /** Goes on as browsers do: a redirect is still caused by the other site, what our page does is not. */
  async function goOn(page: Page): Promise<Page> {
    const next = nextUrl(page)!
    return page.headers.location === undefined
      ? browser.request(next)
      : crossSite(() => browser.request(next))
  }

  const setUps: [string, AppSetUp][] = (['query', 'form_post'] as const).flatMap((responseMode) =>
    (['lax', 'strict', 'none'] as const).map((sameSite): [string, AppSetUp] => [
      `${responseMode}, session ${sameSite}`,
      {
        tlsProxy: true,
        flow: { responseMode, userId: userOfCookie },
        session: { cookie: { sameSite, secure: true } },
      },
    ]),
  )

  for (const [what, setUp] of setUps)
    describe(what, () => {
      let send: () => Promise<Page>

      /** The answer is on its way. */
      beforeEach(async () => {
        app = await startConnectApp(setUp)
        browser = createBrowser({ tlsProxy: true })
        signIn('ann')
        if (setUp.flow?.responseMode === 'query') {
          const url = await startConnect(app, browser)
          send = () => crossSite(() => browser.request(url))
        } else {
          const answer = await openForm(app, browser, '/login', ownPage)
          send = () => crossSite(() => postAnswer(app, browser, answer))
        }
      })

      const answerOf = async (user: string | undefined) => {
        const page = await send()
        expect(app.server.count('token'), 'nothing is sent before the user is known').to.equal(0)
        signIn(user)
        return goOn(page)
      }

      it('the user comes along on the second try, and is connected', async () => {
        const page = await answerOf('ann')
        expect(nextUrl(page), page.body).to.equal(app.url('/connected'))
        expect(app.server.count('token')).to.equal(1)
        const told = json(await browser.request(app.url('/told')))
        expect(told).to.include({ sub: 'alice', connected: true })
      })

      it('P3: so is who sends the answer again, and arrives with that cookie', async () => {
        await answerOf('ann')
        const again = await send()
        expect(nextUrl(again)).to.equal(app.url('/connected'))
        const headers = { accept: 'application/json' }
        expect(again.headers).not.to.have.property('location')
        expect(json(await browser.request(app.url('/told'), { headers }))).to.include({
          sub: 'alice',
        })
        expect(app.server.count('token')).to.equal(1)
      })

      for (const user of ['ben', undefined])
        it(`P16: ${user ?? 'nobody'} comes along: 409 user_changed, nothing is sent`, async () => {
          const page = await answerOf(user)
          expect(page.status).to.equal(409)
          expect(json(page)).to.include({ code: 'user_changed' })
          expect(app.server.count('token')).to.equal(0)
          signIn('ann')
          expect(json(await browser.request(app.url('/told')))).to.include({ connected: false })
        })
    })

  it('the session is Lax and has the user, and the answer is posted: as before, by a 303 or a page', async () => {
    app = await startConnectApp({
      tlsProxy: true,
      flow: { responseMode: 'form_post' },
      session: { cookie: { secure: true, sameSite: 'lax' } },
    })
    browser = createBrowser({ tlsProxy: true })
    await browser.request(app.url('/own/login/ann'))
    const answer = await openForm(app, browser, '/login', ownPage)
    const session = cookies().get('connect.sid')!
    cookies().delete('connect.sid')
    const page = await postAnswer(app, browser, answer)
    expect(cookies().has('connect.sid')).to.equal(false)
    cookies().set('connect.sid', session)
    expect((await browser.open(nextUrl(page)!)).url).to.equal(app.url('/connected'))
  })
})
