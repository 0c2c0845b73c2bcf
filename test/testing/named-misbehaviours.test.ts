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
import { namesByRow, rowsWithoutServer } from './misbehaviour-rows.ts'

const names = Object.keys(misbehaviours) as MisbehaviourName[]

/** What waits for a timeout, or waits at all: done at the same time. */
const isSlow = (name: MisbehaviourName): boolean => /-(slow|hang|drip)$/.test(name)

function setUpFor(name: MisbehaviourName): AppSetUp {
  const flow = { timeout: 1_000, routes: { backchannelLogout: '/ended' } }
  if (name.startsWith('pushed-'))
    return {
      flow,
      serverOptions: { metadata: { require_pushed_authorization_requests: true } },
    }
  const posted = ['authorization-by-query', 'authorization-huge-form'].includes(name)
  return posted
    ? { tlsProxy: true, flow: { ...flow, responseMode: 'form_post' } }
    : { flow, postLogout: true }
}

/** The code of the error that the app ends with, or `accepted`. */
async function outcomeOf(name: MisbehaviourName): Promise<string> {
  const app = await startApp({
    ...setUpFor(name),
    routes(express, flow) {
      express.get('/login-only', flow.requireLogin(), (_req, res) => void res.json({}))
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
  if (meets === 'logout') {
    const { headers } = await browser.fetch('/logout')
    const back = await fetch(headers.get('location') ?? '', { redirect: 'manual' })
    const returned = await browser.fetch(pathOf(back))
    return pathOf(returned) === '/' ? 'accepted' : String(returned.status)
  }
  if (meets === 'logout token') {
    const { status } = await server.sendLogoutToken({ to: `${browser.origin}/ended`, sub: 'bob' })
    const isOut = (await browser.fetch('/login-only')).status === 401
    const outcomes: Record<number, string> = { 200: 'accepted', 400: 'refused', 413: 'refused' }
    return isOut === (status === 200) ? (outcomes[status] ?? String(status)) : 'half done'
  }
  const path = { refresh: '/token', userinfo: '/userinfo', disconnect: '/disconnect' }[meets]
  const response = await browser.fetch(path, { headers: { accept: 'application/json' } })
  if (meets === 'disconnect') {
    expect((await browser.fetch('/token')).status).to.equal(401)
    expect(server.count('revocation')).to.be.greaterThan(0)
  }
  if (response.status < 400) return 'accepted'
  return ((await response.json()) as { code: string }).code
}

function pathOf({ headers }: Response): string {
  const { pathname, search } = new URL(headers.get('location') ?? 'none:', 'http://app.invalid')
  return pathname + search
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
    const rows = [...Object.keys(namesByRow), ...Object.values(rowsWithoutServer).flat()]
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

  it('of a logout token: for the next one that is sent, whoever asks for it', async () => {
    const app = await startApp({ flow: { routes: { backchannelLogout: '/ended' } } })
    const { server } = app
    const send = async () =>
      (await server.sendLogoutToken({ to: app.url('/ended'), sub: 'alice' })).status
    server.misbehave('logout-token-wrong-aud', { times: 1 })
    expect([await send(), await send()]).to.deep.equal([400, 200])
    await app.close()
  })

  it('refuses one that it does not know', async () => {
    const app = await startApp()
    expect(() => app.server.misbehave('token-hnag' as MisbehaviourName)).to.throw(
      TypeError,
      '"token-hnag"',
    )
    for (const second of [{ times: 1 }, { hang: true }])
      expect(() => app.server.misbehave('token-hnag' as 'token', second as never)).to.throw(
        TypeError,
        '"token-hnag"',
      )
    await app.close()
  })
})
