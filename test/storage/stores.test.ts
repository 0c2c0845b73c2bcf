import { randomBytes } from 'node:crypto'
import { mock } from 'node:test'
import { expect } from 'chai'
import type { Store } from 'express-session'
import type { TokenStore } from '../../src/options/options.ts'
import type { KeyValueStore } from '../../src/storage/key-value-store.ts'
import { createRecordStore, type RecordStore } from '../../src/storage/record-store.ts'
import { createSealing } from '../../src/storage/sealing.ts'
import { overSessionStore } from '../../src/storage/session-store.ts'
import { overTokenStore } from '../../src/storage/token-store.ts'
import { answerUrl, json, program } from '../http/steps.ts'
import { logIn } from '../protocol/attempt.ts'
import { type RunningApp, startApp } from '../support/app.ts'
import { createBrowser } from '../support/browser.ts'
import { type OpenStore, sessionStores, type StoreKind, tokenStores } from './stores.ts'

const sealing = createSealing([randomBytes(32)])
const newKey = () => randomBytes(16).toString('hex')
const secret = 'S3cr3t-that-was-stored'

/** What a row of the contract works with. */
interface Given {
  values: KeyValueStore
  records: RecordStore
  /** A key that nothing is stored under. */
  key: string
  /** The records of another flow, or of another kind. */
  others: readonly RecordStore[]
  isSealed: boolean
}

/** What every store does for records, whatever it is. */
const contract: [string, (given: Given) => Promise<void>][] = [
  [
    'what was set is got, as plain JSON',
    async ({ records, key }) => {
      const plain = { text: '“ü” \u{1f510} \\ \u0001', list: [1, [null, false]], a: { 'b.c': {} } }
      const content = { ...plain, at: new Date(0), nothing: undefined }
      await records.set(key, content, 60_000)
      const found = await records.get(key)
      expect(found!.content).to.deep.equal({ ...plain, at: '1970-01-01T00:00:00.000Z' })
      expect(found!.expiresAt).to.be.closeTo(Date.now() + 60_000, 5_000)
    },
  ],
  [
    'tokens of 16 kB are got whole',
    async ({ records, key }) => {
      const content = { token: randomBytes(12_000).toString('base64url') }
      await records.set(key, content, 60_000)
      expect((await records.get(key))!.content).to.deep.equal(content)
    },
  ],
  [
    'where nothing was set, nothing is got',
    async ({ records, key }) => {
      expect(await records.get(key)).to.equal(undefined)
    },
  ],
  [
    'set again: all of it is replaced, and it lives longer',
    async ({ records, key }) => {
      await records.set(key, { first: true }, 10_000)
      const before = await records.get(key)
      await records.set(key, { second: true }, 100_000)
      const after = await records.get(key)
      expect(after!.content).to.deep.equal({ second: true })
      expect(after!.expiresAt - before!.expiresAt).to.be.closeTo(90_000, 5_000)
      await atTime(50_000, async () => {
        expect((await records.get(key))?.content).to.deep.equal({ second: true })
      })
    },
  ],
  [
    'set twice at once: the second one is got',
    async ({ records, key }) => {
      const first = records.set(key, { write: 1 }, 60_000)
      await records.set(key, { write: 2 }, 60_000)
      await first
      expect((await records.get(key))?.content).to.deep.equal({ write: 2 })
    },
  ],
  [
    'what is got is a copy',
    async ({ records, key }) => {
      const content = { list: ['a'] }
      await records.set(key, content, 60_000)
      content.list.push('b')
      ;((await records.get(key))!.content as typeof content).list.push('c')
      expect((await records.get(key))!.content).to.deep.equal({ list: ['a'] })
    },
  ],
  [
    'P14: it has ended when its time is over, though the store was told a day',
    async ({ records, key }) => {
      await records.set(key, {}, 60_000)
      await atTime(61_000, async () => {
        expect(await records.get(key)).to.equal(undefined)
      })
    },
  ],
  [
    '2 seconds, the shortest lifetime, are 2 seconds',
    async ({ records, key }) => {
      await records.set(key, { value: 1 }, 2_000)
      expect((await records.get(key))?.content).to.deep.equal({ value: 1 })
      await atTime(2_001, async () => {
        expect(await records.get(key)).to.equal(undefined)
      })
    },
  ],
  [
    'destroyed, it is gone; once more is no error',
    async ({ records, key }) => {
      await records.set(key, { value: 1 }, 60_000)
      await records.destroy(key)
      expect(await records.get(key)).to.equal(undefined)
      await records.destroy(key)
    },
  ],
  [
    'a record of another flow or kind is none',
    async ({ records, others, key }) => {
      await records.set(key, { value: 1 }, 60_000)
      for (const other of others) expect(await other.get(key)).to.equal(undefined)
    },
  ],
  [
    'what is stored can be read if it is not sealed, and only then',
    async ({ records, values, key, isSealed }) => {
      await records.set(key, { [secret]: secret }, 60_000)
      const row = JSON.stringify(await values.get(`xx.${key}`))
      expect(row.includes(secret)).to.equal(!isSealed)
    },
  ],
]

/** Does `work` as if so many milliseconds had passed. Servers' clocks go on as they are. */
async function atTime(passed: number, work: () => Promise<void>) {
  mock.timers.enable({ apis: ['Date'], now: Date.now() + passed })
  try {
    await work()
  } finally {
    mock.timers.reset()
  }
}

/** The contract, over what is opened before its tests run. */
function keepsRecords(open: () => KeyValueStore) {
  for (const isSealed of [false, true])
    describe(isSealed ? 'sealed' : 'as JSON', () => {
      for (const [what, check] of contract)
        it(what, async () => {
          const values = open()
          const recordsOf = (kind: 'xx.' | 'yy.', flow: string) =>
            createRecordStore(values, kind, flow, isSealed ? sealing : undefined)
          await check({
            values,
            records: recordsOf('xx.', 'flow'),
            others: [recordsOf('xx.', 'other'), recordsOf('yy.', 'flow')],
            key: newKey(),
            isSealed,
          })
        })
    })
}

/** What a person does in an app that keeps its sessions in this store. */
const journeys: [string, (app: RunningApp) => Promise<void>][] = [
  [
    'log in, have a token, log out',
    async (app) => {
      const browser = await logIn(app)
      const before = browser.copy()
      expect(json(await browser.request(app.url('/token')))).to.deep.equal({
        token: app.server.issued[0]!.accessToken,
      })
      await browser.open(app.url('/logout'))
      for (const each of [browser, before]) {
        const page = await each.request(app.url('/token'), { headers: program })
        expect(page.status).to.equal(401)
      }
    },
  ],
  [
    'log in in two tabs',
    async (app) => {
      const browser = createBrowser()
      const first = await answerUrl(app, browser)
      const second = await answerUrl(app, browser)
      for (const answer of [second, first])
        expect((await browser.open(answer)).url).to.equal(app.url('/'))
      expect((await browser.request(app.url('/token'))).status).to.equal(200)
      expect(app.errors).to.be.empty
    },
  ],
  [
    'open the answer twice',
    async (app) => {
      const browser = createBrowser()
      const answer = await answerUrl(app, browser)
      const again = browser.copy()
      await browser.open(answer)
      await again.open(answer)
      for (const each of [browser, again])
        expect(json(await each.request(app.url('/')))).to.include({ sub: 'alice' })
      expect(app.server.count('token')).to.equal(1)
    },
  ],
]

/** The journeys, each in an app of its own. */
function servesApps(store: () => Store) {
  for (const [what, travel] of journeys)
    for (const encryptionKeys of [undefined, [randomBytes(32)]])
      it(encryptionKeys === undefined ? what : `${what}, sealed`, async () => {
        const app = await startApp({
          session: { store: store() },
          flow: { lock: 'process', encryptionKeys },
        })
        try {
          await travel(app)
        } finally {
          await app.close()
        }
      })
}

/** An app whose one user has tokens in the store, whatever session asks for them. */
function servesUsers(store: () => TokenStore) {
  for (const encryptionKeys of [undefined, [randomBytes(32)]])
    it(`log in, have a token in every session${encryptionKeys ? ', sealed' : ''}`, async () => {
      const user = newKey()
      const app = await startApp({
        flow: { lock: 'process', encryptionKeys, tokenStore: store(), userId: () => user },
      })
      try {
        const browser = await logIn(app)
        for (const each of [browser, createBrowser()])
          expect(json(await each.request(app.url('/token')))).to.deep.equal({
            token: app.server.issued[0]!.accessToken,
          })
      } finally {
        await app.close()
      }
    })
}

/** A suite for one kind of store, with one of it open. */
function suiteFor<S>(kind: StoreKind<S>, body: (store: () => S) => void) {
  kind.suite(kind.name, () => {
    let opened: OpenStore<S> | undefined

    before(async () => {
      opened = await kind.open()
    })

    after(() => opened?.close())

    body(() => opened!.store)
  })
}

describe('session stores', () => {
  for (const kind of sessionStores)
    suiteFor(kind, (store) => {
      keepsRecords(() => overSessionStore(store()))
      servesApps(store)
      servesUsers(store)
    })
})

describe('token stores', () => {
  for (const kind of tokenStores)
    suiteFor(kind, (store) => {
      keepsRecords(() => overTokenStore(store()))
      servesUsers(store)
    })
})
