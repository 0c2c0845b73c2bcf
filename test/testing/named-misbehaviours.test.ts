import { expect } from 'chai'
import {
  createTestBrowser,
  logIn,
  type MisbehaviourName,
  misbehaviours,
  type TestBrowser,
  TestLoginError,
} from '../../src/testing/index.ts'
import { type AppSetUp, type RunningApp, startApp } from '../support/app.ts'
import { namesByRow, rowsOfOtherSenders, rowsWithoutServer } from './misbehaviour-rows.ts'

const names = Object.keys(misbehaviours) as MisbehaviourName[]

/** What waits for a timeout, or waits at all: done at the same time. */
const isSlow = (name: MisbehaviourName): boolean => /-(slow|hang|drip)$/.test(name)

function setUpFor(name: MisbehaviourName): AppSetUp {
  const flow = { timeout: 1_000 }
  const posted = ['authorization-by-query', 'authorization-huge-form'].includes(name)
  return posted ? { tlsProxy: true, flow: { ...flow, responseMode: 'form_post' } } : { flow }
}

/** The code of the error that the app ends with, or `accepted`. */
async function outcomeOf(name: MisbehaviourName): Promise<string> {
  const app = await startApp({
    ...setUpFor(name),
    routes(express, flow) {
      express.get('/token', flow.requireToken(), (_req, res) => void res.json({}))
      express.get('/userinfo', (req, res, next) => {
        flow.userInfo(req).then((claims) => res.json(claims), next)
      })
      express.get('/disconnect', (req, res, next) => {
        flow.disconnect(req).then((done) => res.json(done), next)
      })
    },
  })
  try {
    const publicOrigin = app.origin
    const browser = createTestBrowser(app.origin.replace('https:', 'http:'), { publicOrigin })
    return await meet(name, app, browser)
  } finally {
    await app.close()
  }
}

async function meet(
  name: MisbehaviourName,
  { server }: RunningApp,
  browser: TestBrowser,
): Promise<string> {
  const { meets } = misbehaviours[name]
  if (meets === 'login') {
    server.misbehave(name)
    try {
      await logIn(browser, { server, user: 'bob' })
      return 'accepted'
    } catch (error) {
      if (!(error instanceof TestLoginError)) throw error
      return error.code ?? error.message
    }
  }
  await logIn(browser, { server, user: 'bob', expired: meets === 'refresh' })
  server.misbehave(name)
  const path = { refresh: '/token', userinfo: '/userinfo', disconnect: '/disconnect' }[meets]
  const response = await browser.fetch(path, { headers: { accept: 'application/json' } })
  if (meets === 'disconnect') {
    expect((await browser.fetch('/token')).status).to.equal(401)
    expect(server.count('revocation')).to.be.greaterThan(0)
  }
  if (response.status < 400) return 'accepted'
  return ((await response.json()) as { code: string }).code
}

describe('misbehaviours by name', () => {
  const running = new Map<MisbehaviourName, Promise<string>>()

  before(() => {
    for (const name of names.filter(isSlow)) {
      const outcome = outcomeOf(name)
      outcome.catch(() => undefined) // for the test of this name
      running.set(name, outcome)
    }
  })

  for (const name of names) {
    const { outcome, meets } = misbehaviours[name]
    it(`${name}, met by ${meets}: ${outcome}`, async () => {
      expect(await (running.get(name) ?? outcomeOf(name))).to.equal(outcome)
    })
  }

  it('every row of section D that a server can cause has one, and every one has a row', () => {
    const rows = [
      ...Object.keys(namesByRow),
      ...Object.values(rowsWithoutServer).flat(),
      ...Object.values(rowsOfOtherSenders).flat(),
    ]
    const all = Array.from({ length: 88 }, (_, at) => `D-${at + 1}`)
    expect(rows.sort()).to.deep.equal(all.sort())
    expect(Object.values(namesByRow).flat()).to.include.members(names)
  })

  it('for the next request only, or until switched off; with conditions over their own', async () => {
    const app = await startApp()
    const { server } = app
    const attempt = () => logIn(createTestBrowser(app.origin), { server })
    const code = async () => {
      const [settled] = await Promise.allSettled([attempt()])
      return settled.status === 'fulfilled' ? 'accepted' : (settled.reason as TestLoginError).code
    }
    server.misbehave('token-invalid-grant', { times: 1 })
    expect([await code(), await code()]).to.deep.equal(['code_rejected', 'accepted'])
    const stop = server.misbehave('token-invalid-grant')
    expect([await code(), await code()]).to.deep.equal(['code_rejected', 'code_rejected'])
    stop()
    expect(await code()).to.equal('accepted')
    server.misbehave('token-invalid-grant', { when: () => false })
    expect(await code()).to.equal('accepted')
    // It is about refreshing, whatever else is said.
    server.misbehave('refresh-invalid-grant', { when: () => true, times: 1 })
    expect(await code()).to.equal('accepted')
    await app.close()
  })

  it('refuses one that it does not know', async () => {
    const app = await startApp()
    expect(() => app.server.misbehave('token-hnag' as MisbehaviourName)).to.throw(
      TypeError,
      '"token-hnag"',
    )
    await app.close()
  })
})
