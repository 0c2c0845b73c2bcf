import { expect } from 'chai'
import type { RunningApp } from '../support/app.ts'
import { type Browser, createBrowser, type Page } from '../support/browser.ts'
import { until } from '../support/until.ts'
import { accountOf, browserOf, startConnect, startConnectApp, told } from './connect-app.ts'
import { json } from './steps.ts'

/** All orders of `steps`. */
function permutations<T>(steps: readonly T[]): T[][] {
  if (steps.length < 2) return [[...steps]]
  return steps.flatMap((first, at) =>
    permutations(steps.toSpliced(at, 1)).map((rest) => [first, ...rest]),
  )
}

describe('connecting accounts, in every order', () => {
  let app: RunningApp

  before(async () => {
    app = await startConnectApp()
  })

  after(() => app.close())

  afterEach(async () => {
    for (const user of ['ann', 'ben'])
      await (await browserOf(app, user)).request(app.url('/disconnect'))
    app.server.reset()
    app.errors.length = 0
  })

  describe('in two tabs of one browser', () => {
    const accounts = [
      ['alice', 'alice'],
      ['alice', 'bob'],
    ] as const
    for (const [one, other] of accounts)
      for (const order of permutations([0, 1]))
        it(`P16: ${one} and ${other}, finished in the order ${order.join()}: the last one stays`, async () => {
          const browser = await browserOf(app, 'ann')
          const answers = [
            await startConnect(app, browser, { as: one }),
            await startConnect(app, browser, { as: other }),
          ]
          for (const at of order) {
            const page = await browser.open(answers[at]!)
            expect(page.url).to.equal(app.url('/connected'))
          }
          const last = [one, other][order[1]!]!
          expect(await accountOf(app, browser)).to.equal(last)
          const [first, second] = app.server.issued
          if (one !== other) await until(() => !first!.active && !first!.refreshable)
          else expect(first).to.include({ active: true })
          expect(second).to.include({ active: true, refreshable: true })
          expect(await told(app, browser)).to.include({ token: second!.accessToken })
        })

    for (const [one, other] of accounts)
      it(`P16: ${one} and ${other}, at the same time: one of them stays, and both tabs arrive`, async () => {
        const browser = await browserOf(app, 'ann')
        const answers = [
          await startConnect(app, browser, { as: one }),
          await startConnect(app, browser, { as: other }),
        ]
        const pages = await Promise.all(answers.map((answer) => browser.open(answer)))
        for (const page of pages) expect(page.url).to.equal(app.url('/connected'))
        expect(await accountOf(app, browser)).to.be.oneOf([one, other])
        expect(app.server.count('token')).to.equal(2)
        if (one === other) return
        await until(() => app.server.issued.filter(({ active }) => active).length === 1)
        const { token } = await told(app, browser)
        expect(app.server.issued.find(({ active }) => active)!.accessToken).to.equal(token)
      })
  })

  describe('A starts, B finishes', () => {
    const steps = [
      'log out',
      'log in as ben',
      'log in as ann',
      'callback',
      'callback again',
    ] as const
    type Step = (typeof steps)[number]

    const users: Partial<Record<Step, string | undefined>> = {
      'log out': undefined,
      'log in as ben': 'ben',
      'log in as ann': 'ann',
    }

    async function perform(browser: Browser, step: Step, answer: string): Promise<Page> {
      if (step.startsWith('callback')) return browser.open(answer)
      const user = users[step]
      return browser.request(app.url(user === undefined ? '/own/logout' : `/own/login/${user}`))
    }

    for (const order of permutations(steps))
      it(`P16: ${order.join(', ')}`, async () => {
        const browser = await browserOf(app, 'ann')
        const answer = await startConnect(app, browser)
        let user: string | undefined = 'ann'
        let outcome: 'connected' | 'user_changed' | undefined
        for (const step of order) {
          const page = await perform(browser, step, answer)
          if (step in users) user = users[step]
          else {
            // What the first one came to is what the second one comes to.
            outcome ??= user === 'ann' ? 'connected' : 'user_changed'
            if (outcome === 'connected') expect(page.url).to.equal(app.url('/connected'))
            else expect(json(page)).to.include({ code: 'user_changed' })
          }
          expect((await told(app, browser)).user).to.equal(user ?? null)
        }
        const ann = await accountOf(app, await browserOf(app, 'ann'))
        expect(ann).to.equal(outcome === 'connected' ? 'alice' : undefined)
        for (const nobody of [await browserOf(app, 'ben'), createBrowser()])
          expect(await told(app, nobody)).to.include({ token: null, connected: false })
        expect(app.server.count('token')).to.equal(outcome === 'connected' ? 1 : 0)
        expect(app.server.issued.every(({ active }) => active)).to.equal(true)
      })
  })
})
