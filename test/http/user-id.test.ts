import { expect } from 'chai'
import { createBrowser } from '../support/browser.ts'
import { clock } from '../support/clock.ts'
import type { AppSetUp, RunningApp } from '../support/app.ts'
import { rows } from '../support/rows.ts'
import { until } from '../support/until.ts'
import { ask, logInAs, startUserApp } from './user-app.ts'

describe('userId', () => {
  const running: RunningApp[] = []
  let tokenStore: Map<string, unknown>

  async function start({ flow, ...setUp }: AppSetUp = {}): Promise<RunningApp> {
    const app = await startUserApp({ ...setUp, flow: { tokenStore, ...flow } })
    running.push(app)
    return app
  }

  beforeEach(() => {
    tokenStore = new Map()
  })

  afterEach(async () => {
    clock.release()
    for (const app of running.splice(0).reverse()) await app.close()
  })

  /** Tokens that the server handed out, newest last, by who owns them. */
  const issued = ({ server }: RunningApp, sub: string) =>
    server.issued.filter((tokens) => tokens.sub === sub)
  const newest = (app: RunningApp, sub: string) => issued(app, sub).at(-1)!

  describe('a user id that is none', () => {
    const bad: [what: string, userId: () => unknown][] = [
      ['a number', () => 7],
      ['empty', () => ''],
      ['a promise', () => Promise.resolve('alice')],
      ['an object', () => ({ id: 'alice' })],
      ['"undefined"', () => 'undefined'],
      ['501 characters', () => 'x'.repeat(501)],
      [
        'an error',
        () => {
          throw new Error('the app’s own')
        },
      ],
    ]
    for (const [what, userId] of bad)
      it(`${what}: 500 user_id_invalid, also at the login, and attaching fails no request`, async () => {
        const app = await start({ flow: { userId } })
        const { page } = await logInAs(app, 'alice')
        expect(page.status).to.equal(500)
        expect(app.errors.pop()).to.include({ code: 'user_id_invalid', status: 500 })
        await until(() => !newest(app, 'alice').active)
        const browser = createBrowser()
        for (const path of ['/token', '/info', '/', '/disconnect']) {
          expect(await ask(app, browser, path), path).to.include({ code: 'user_id_invalid' })
          expect(app.errors.pop(), path).to.include({ code: 'user_id_invalid', status: 500 })
        }
        expect(await ask(app, browser, '/public')).to.deep.equal({ token: null })
        expect(tokenStore.size).to.equal(0)
        expect((await rows(app.store)).tokens).to.deep.equal([])
      })

    for (const nobody of [undefined, null])
      it(`${nobody} after a login: nobody is signed in, and the tokens are revoked`, async () => {
        const app = await start({ flow: { userId: () => nobody } })
        const { browser, page } = await logInAs(app, 'alice')
        expect(page.status).to.equal(500)
        expect(app.errors.pop()).to.include({ code: 'user_id_invalid' })
        await until(() => !newest(app, 'alice').active)
        expect(tokenStore.size).to.equal(0)
        expect(await ask(app, browser, '/member')).to.include({ code: 'login_required' })
        expect(await ask(app, browser, '/token')).to.include({ code: 'login_required' })
      })
  })
})
