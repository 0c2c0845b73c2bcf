import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import { MemoryStore, Store } from 'express-session'
import { home, logIn } from '../protocol/attempt.ts'
import type { Lock, PkceFlowError } from '../../src/index.ts'
import { stopTime } from '../hostile/passing-time.ts'
import { type AppSetUp, type RunningApp, startApp } from '../support/app.ts'
import { type Browser, createBrowser } from '../support/browser.ts'
import { clock } from '../support/clock.ts'
import { createGate } from '../support/gate.ts'
import { printedBy } from '../support/output.ts'
import { json, program } from './steps.ts'
import { logInAs, startUserApp, userOf } from './user-app.ts'

const hour = 3_600_000

const lock: Lock = {
  acquire: () =>
    Promise.resolve({ extend: () => Promise.resolve(true), release: () => Promise.resolve() }),
}

/** A store of which nobody knows where it keeps things. */
class FarStore extends Store {
  readonly near = new MemoryStore()
  override get: MemoryStore['get'] = (...call) => this.near.get(...call)
  override set: MemoryStore['set'] = (...call) => this.near.set(...call)
  override destroy: MemoryStore['destroy'] = (...call) => this.near.destroy(...call)
}

/** A tokenStore of which nobody knows where it keeps things. */
const farMap = () => {
  const map = new Map<string, unknown>()
  return {
    get: (key: string) => Promise.resolve(map.get(key)),
    set: (key: string, value: unknown) => Promise.resolve(map.set(key, value)),
    delete: (key: string) => Promise.resolve(map.delete(key)),
  }
}

const far = () => ({ store: new FarStore() as unknown as MemoryStore })

describe('locks and stores', () => {
  const running: RunningApp[] = []

  async function start(setUp: AppSetUp = {}, how = startApp): Promise<RunningApp> {
    const app = await how(setUp)
    running.push(app)
    return app
  }

  afterEach(async () => {
    clock.release()
    for (const app of running.splice(0).reverse()) await app.close()
  })

  describe('the warning PKCE_FLOW_NO_LOCK', () => {
    const times = (printed: string, what = 'PKCE_FLOW_NO_LOCK') => printed.split(what).length - 1

    it('comes once for a store that processes may share, and says what to do', async () => {
      const printed = await printedBy(async () => {
        const app = await start(far())
        for (let logins = 0; logins < 3; logins += 1) await logIn(app)
      })
      expect(times(printed)).to.equal(1)
      for (const part of ['no option "lock"', 'redisLock()', 'postgresLock()', "lock: 'process'"])
        expect(printed).to.include(part)
    })

    it('comes once for two flows over one store', async () => {
      const store = far()
      const printed = await printedBy(async () => {
        const app = await start(store)
        await logIn(app)
        const other = await start({ ...store, server: app.server, flow: { name: 'other' } })
        await logIn(other)
      })
      expect(times(printed)).to.equal(1)
    })

    it('comes for a store of the option "store", and for a tokenStore', async () => {
      for (const flow of [
        { store: far().store },
        { userId: userOf, tokenStore: farMap() },
        { userId: userOf, tokenStore: new FarStore() },
      ]) {
        const printed = await printedBy(async () => {
          await createBrowser().open((await start({ flow }, startUserApp)).url('/login'))
        })
        expect(times(printed)).to.equal(1)
      }
    })

    class OwnStore extends MemoryStore {}
    const quiet: [what: string, setUp: () => AppSetUp][] = [
      ['MemoryStore', () => ({})],
      ['a class that extends MemoryStore', () => ({ store: new OwnStore() })],
      ['a Map', () => ({ flow: { userId: userOf, tokenStore: new Map() } })],
      ['a lock', () => ({ ...far(), flow: { lock } })],
      ["lock: 'process'", () => ({ ...far(), flow: { lock: 'process' } })],
      ['a tokenStore and a lock', () => ({ flow: { lock, userId: userOf, tokenStore: farMap() } })],
    ]
    for (const [what, setUp] of quiet)
      it(`does not come with ${what}`, async () => {
        const printed = await printedBy(async () => {
          const app = await start(setUp(), setUp().flow?.['userId'] ? startUserApp : startApp)
          await createBrowser().open(app.url('/login'))
        })
        expect(times(printed)).to.equal(0)
      })
  })

  for (const [what, given] of Object.entries({
    true: true,
    'a text': 'locked',
    'no extend': { release: () => Promise.resolve() },
    'no release': { extend: () => Promise.resolve(true) },
  }))
    it(`lock_unavailable: an option lock that gives ${what} says what it must give`, async () => {
      const wrong = { acquire: () => Promise.resolve(given) } as unknown as Lock
      const app = await start({ flow: { lock: wrong } })
      const browser = createBrowser()
      await browser.open(app.url('/login'))
      const { code, message } = app.errors[0] as PkceFlowError
      expect(code).to.equal('lock_unavailable')
      expect(message).to.include('acquire() must give an object with extend and release')
    })

  it('lock_unavailable: of a lock that hangs and of one that fails, it says which', async () => {
    const hanging = createGate()
    const lockThat = (acquire: () => Promise<undefined>) => start({ flow: { lock: { acquire } } })
    const hangs = await lockThat(() => hanging.pass() as Promise<undefined>)
    const fails = await lockThat(() => Promise.reject(new Error('gone')))
    const time = stopTime()
    try {
      const page = createBrowser().open(hangs.url('/login'))
      await hanging.reached
      await time.pass(5_000)
      expect((await page).status).to.equal(503)
      expect((await createBrowser().open(fails.url('/login'))).status).to.equal(503)
    } finally {
      time.release()
      hanging.open()
    }
    const [late, failed] = [hangs, fails].map(({ errors }) => errors[0] as PkceFlowError)
    expect(late!.message).to.include('did not answer in time')
    expect(failed!.message).to.include('answered with an error')
    expect((failed!.cause as Error).message).to.equal('gone')
    expect([late!.retryAfter, failed!.retryAfter]).to.deep.equal([1, 1])
  })

  describe('encryptionKeys', () => {
    const [first, second, third] = [1, 2, 3].map(() => randomBytes(32).toString('base64url'))
    let store: MemoryStore
    let server: RunningApp['server'] | undefined
    let callback: string | undefined

    beforeEach(() => {
      store = new MemoryStore()
      server = undefined
      callback = undefined
    })

    /** The app, with other keys each time; store and authorization server stay. */
    async function startWith(...keys: (string | Uint8Array | undefined)[]): Promise<RunningApp> {
      const encryptionKeys = keys[0] === undefined ? undefined : keys
      const app = await start({
        store,
        flow: { encryptionKeys, ...(callback !== undefined && { redirectUri: callback }) },
        ...(server && { server }),
      })
      server ??= app.server
      callback ??= app.url('/callback')
      return app
    }

    const stored = () => JSON.stringify((store as unknown as { sessions: object }).sessions)
    const tokenOf = async (app: RunningApp, browser: Browser) =>
      json(await browser.request(app.url('/token'), { headers: program }))

    it('nothing can be read in the store, of a login under way or finished, or after a refresh', async () => {
      const app = await startWith(first)
      const browser = createBrowser()
      const answer = await browser.openUntil(app.url('/callback'), app.url('/login?returnTo=/page'))
      const atStart = stored()
      expect(atStart)
        .to.include('"pl.')
        .and.not.to.match(/codeVerifier|nonce|\/page/)
      await browser.open(answer)
      const atEnd = stored()
      clock.advance(hour)
      expect(await tokenOf(app, browser)).to.deep.equal({
        token: app.server.issued[1]!.accessToken,
      })
      const refreshed = stored()
      expect(refreshed)
        .to.include('"tr.')
        .and.not.to.match(/accessToken|idToken|scope|alice/)
      for (const text of [atStart, atEnd, refreshed])
        for (const secret of app.server.secrets) expect(text).not.to.include(secret)
    })

    it('a rotation of keys keeps people logged in, and what is written is sealed with the new one', async () => {
      const printed = await printedBy(async () => {
        clock.stop()
        const browser = await logIn(await startWith(first))
        for (const keys of [
          [first, second],
          [second, first],
        ]) {
          const app = await startWith(...keys)
          expect((await home(app, browser)).sub).to.equal('alice')
          clock.advance(hour)
          expect(await tokenOf(app, browser)).to.have.property('token')
        }
        const rotated = await startWith(Buffer.from(second!, 'base64url'))
        expect((await home(rotated, browser)).sub).to.equal('alice')
        expect(await tokenOf(rotated, browser)).to.have.property('token')
      })
      expect(printed).not.to.include('PKCE_FLOW')
    })

    const wrong: [what: string, before: (string | undefined)[], after: (string | undefined)[]][] = [
      ['another key', [first], [third]],
      ['keys where there were none', [undefined], [first]],
      ['no keys any more', [first], [undefined]],
    ]
    for (const [what, before, after] of wrong)
      it(`${what}: not signed in, one warning without secrets, and a login mends it`, async () => {
        const printed = await printedBy(async () => {
          const browser = await logIn(await startWith(...before))
          const app = await startWith(...after)
          for (let times = 0; times < 3; times += 1) {
            expect((await home(app, browser)).status.signedIn).to.equal(false)
            expect(await tokenOf(app, browser)).to.include({ code: 'login_required' })
          }
          expect(app.errors).to.deep.equal([])
          const answer = await browser.openUntil(callback!, app.url('/login'))
          await browser.open(answer.replace(callback!, app.url('/callback')))
          expect(await tokenOf(app, browser)).to.have.property('token')
        })
        expect(printed.split('PKCE_FLOW_SEALED_RECORD')).to.have.length(2)
        for (const secret of [...server!.secrets, first!, third!])
          expect(printed).not.to.include(secret)
      })

    it('tokens of users are sealed, too', async () => {
      const tokenStore = new Map()
      const flow = { encryptionKeys: [first], tokenStore }
      const app = await start({ flow }, startUserApp)
      await logInAs(app, 'alice')
      const kept = JSON.stringify([...tokenStore])
      expect(kept).to.match(/"tr\./)
      for (const secret of app.server.secrets) expect(kept).not.to.include(secret)
      expect(await app.flow.forUser('alice').userInfo()).to.include({ sub: 'alice' })
    })

    it('a sealed record that is put in the place of another person’s opens nothing', async () => {
      const app = await startWith(first)
      const alice = await logIn(app)
      app.server.authorizeAs('bob')
      const bob = await logIn(app)
      const { sessions } = store as unknown as { sessions: Record<string, string> }
      const [one, other] = Object.keys(sessions).filter((key) => key.startsWith('tr.'))
      const row = sessions[one!]!
      sessions[one!] = sessions[other!]!
      sessions[other!] = row
      const printed = await printedBy(async () => {
        for (const browser of [alice, bob]) {
          expect((await home(app, browser)).status.signedIn).to.equal(false)
          expect(await tokenOf(app, browser)).to.include({ code: 'login_required' })
        }
      })
      expect(printed).to.include('PKCE_FLOW_SEALED_RECORD')
    })
  })
})
