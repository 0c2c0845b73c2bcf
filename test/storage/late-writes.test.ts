import { syncBuiltinESMExports } from 'node:module'
import { mock } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect } from 'chai'
import type { PkceFlowError } from '../../src/index.ts'
import type { SessionStore } from '../../src/options/options.ts'
import type { KeyValueStore } from '../../src/storage/key-value-store.ts'
import { overSessionStore } from '../../src/storage/session-store.ts'
import { overTokenStore } from '../../src/storage/token-store.ts'

/** A write that a store was asked for and has not made. */
interface HeldWrite {
  what: string
  /** Makes it; or fails. */
  land(error?: Error): void
}

/** A store whose writes are made when a test says so. */
interface SlowStore {
  open(): KeyValueStore
  rows: Map<string, unknown>
  held: HeldWrite[]
}

type Done = (error?: Error) => void

function createSlowStore(): Omit<SlowStore, 'open'> & {
  hold: (what: string, write: () => void, done: Done) => void
} {
  const rows = new Map<string, unknown>()
  const held: HeldWrite[] = []
  return {
    rows,
    held,
    hold(what, write, done) {
      held.push({
        what,
        land(error) {
          if (error === undefined) write()
          done(error)
        },
      })
    },
  }
}

const valueOf = (row: unknown) => (row as { value: unknown }).value

function slowSessionStore(): SlowStore {
  const { rows, held, hold } = createSlowStore()
  const store: SessionStore = {
    get: (key, done) => done(null, rows.get(key)),
    set: (key, row, done) => {
      hold(`set ${String(valueOf(row))}`, () => rows.set(key, row), done as Done)
    },
    destroy: (key, done) => {
      hold('delete', () => rows.delete(key), done as Done)
    },
  }
  return { open: () => overSessionStore(store), rows, held }
}

function slowTokenStore(): SlowStore {
  const { rows, held, hold } = createSlowStore()
  const promise = (what: string, write: () => void) =>
    new Promise<void>((resolve, reject) => {
      hold(what, write, (error) => {
        if (error) reject(error)
        else resolve()
      })
    })
  const store = {
    get: (key: string) => rows.get(key),
    set: (key: string, row: object) =>
      promise(`set ${String(valueOf(row))}`, () => rows.set(key, row)),
    delete: (key: string) => promise('delete', () => rows.delete(key)),
  }
  return { open: () => overTokenStore(store), rows, held }
}

/** What a call comes to: `'done'`, or the code of its error. */
const outcome = (work: Promise<unknown>) =>
  work.then(
    () => 'done',
    (error: unknown) => (error as PkceFlowError).code,
  )

for (const [name, create] of [
  ['an express-session store', slowSessionStore],
  ['a token store', slowTokenStore],
] as const)
  describe(`writes that ${name} makes late`, () => {
    let store: SlowStore
    let values: KeyValueStore

    beforeEach(() => {
      mock.timers.enable({ apis: ['setTimeout'] })
      syncBuiltinESMExports() // node:timers/promises, too
      store = create()
      values = store.open()
    })

    afterEach(() => {
      mock.timers.reset()
      syncBuiltinESMExports()
    })

    const asked = () => store.held.map(({ what }) => what)

    /** A write that was given up after 5 seconds, and is under way still. */
    async function givenUp() {
      const first = outcome(values.set('key', { value: 1 }, 60_000))
      mock.timers.tick(5_000)
      expect(await first).to.equal('store_unavailable')
    }

    for (const [what, write] of [
      ['set', () => values.set('key', { value: 2 }, 60_000)],
      ['delete', () => values.delete('key')],
    ] as const)
      it(`do not overwrite a later ${what}, which waits for them`, async () => {
        await givenUp()
        const later = outcome(write())
        await nextTurn()
        expect(asked()).to.deep.equal(['set 1'])
        store.held[0]!.land()
        await nextTurn()
        expect(asked()).to.have.length(2)
        store.held[1]!.land()
        expect(await later).to.equal('done')
        const row = store.rows.get('key')
        expect(row === undefined ? undefined : valueOf(row)).to.equal(
          what === 'set' ? 2 : undefined,
        )
      })

    it('may fail at last: the next one is made all the same', async () => {
      await givenUp()
      const later = outcome(values.set('key', { value: 2 }, 60_000))
      store.held[0]!.land(new Error('at last'))
      await nextTurn()
      store.held[1]!.land()
      expect(await later).to.equal('done')
    })

    it('that never settle hold up a later one for 2 seconds', async () => {
      await givenUp()
      const second = outcome(values.set('key', { value: 2 }, 60_000))
      mock.timers.tick(1_999)
      await nextTurn()
      expect(asked()).to.deep.equal(['set 1'])
      mock.timers.tick(1)
      await nextTurn()
      expect(asked()).to.deep.equal(['set 1', 'set 2'])
      store.held[1]!.land()
      expect(await second).to.equal('done')
    })

    it('the 5 seconds are for waiting and writing together', async () => {
      await givenUp()
      const second = outcome(values.set('key', { value: 2 }, 60_000))
      mock.timers.tick(1_000)
      store.held[0]!.land()
      await nextTurn()
      expect(asked()).to.deep.equal(['set 1', 'set 2'])
      mock.timers.tick(4_000)
      expect(await second).to.equal('store_unavailable')
    })

    it('hold up neither reads nor other keys', async () => {
      await givenUp()
      expect(await values.get('key')).to.equal(undefined)
      const other = outcome(values.set('other', { value: 4 }, 60_000))
      store.held[1]!.land()
      expect(await other).to.equal('done')
    })

    it('hold up whoever writes to the same store: flows may share it', async () => {
      await givenUp()
      const other = outcome(store.open().set('key', { value: 2 }, 60_000))
      await nextTurn()
      expect(asked()).to.deep.equal(['set 1'])
      store.held[0]!.land()
      await nextTurn()
      store.held[1]!.land()
      expect(await other).to.equal('done')
    })

    it('that were settled hold up nobody', async () => {
      await givenUp()
      store.held[0]!.land()
      await nextTurn()
      const later = outcome(values.set('key', { value: 2 }, 60_000))
      expect(asked()).to.deep.equal(['set 1', 'set 2'])
      store.held[1]!.land()
      expect(await later).to.equal('done')
    })
  })

describe('a token store', () => {
  const failing: [string, () => unknown][] = [
    [
      'throws',
      () => {
        throw new Error('down')
      },
    ],
    ['rejects', () => Promise.reject(new Error('down'))],
  ]
  for (const [what, fail] of failing)
    it(`that ${what} is store_unavailable`, async () => {
      const store = { get: fail, set: fail, delete: fail }
      const values = overTokenStore(store)
      for (const call of [values.get('key'), values.set('key', {}, 60_000), values.delete('key')])
        expect(await outcome(call)).to.equal('store_unavailable')
    })

  it('that says false has not written, as a Keyv that hides failures; false of delete is no failure', async () => {
    const no = () => Promise.resolve(false)
    const store = { get: no, set: no, delete: no }
    const values = overTokenStore(store)
    expect(await outcome(values.set('key', {}, 60_000))).to.equal('store_unavailable')
    expect(await outcome(values.delete('key'))).to.equal('done')
    expect(await values.get('key')).to.equal(false)
  })
})
