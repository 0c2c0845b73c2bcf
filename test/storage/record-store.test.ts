import { mock } from 'node:test'
import { inspect } from 'node:util'
import { expect } from 'chai'
import { MemoryStore } from 'express-session'
import type { PkceFlowError, SessionStore } from '../../src/index.ts'
import { createRecordStore, type RecordStore } from '../../src/storage/record-store.ts'
import { overSessionStore } from '../../src/storage/session-store.ts'

type Done = (error?: unknown, result?: unknown) => void

/** A store that does as told, whatever it is asked. */
function storeThat(answer: (done: Done) => void): SessionStore {
  return {
    get: (_id, done) => {
      answer(done)
    },
    set: (_id, _session, done) => {
      answer(done as Done)
    },
    destroy: (_id, done) => {
      answer(done as Done)
    },
  }
}

const key = 'a'.repeat(32)
const secret = 'S3cr3t.that-a-store-was-given-with-a-command'

describe('record store', () => {
  const recordsIn = (store: SessionStore, flow = 'flow') =>
    createRecordStore(overSessionStore(store), 'xx.', flow)

  const operations: [string, (records: RecordStore) => Promise<unknown>][] = [
    ['get', (records) => records.get(key)],
    ['set', (records) => records.set(key, { value: 1 }, 60_000)],
    ['destroy', (records) => records.destroy(key)],
  ]

  /** What an operation comes to: a value, or the code of its error. */
  const outcome = (work: Promise<unknown>): Promise<unknown> =>
    work.catch((error: unknown) => {
      expect(inspect(error, { depth: Infinity })).not.to.include(secret)
      return (error as PkceFlowError).code
    })

  describe('with stores that fail in odd ways', () => {
    const failures: [string, (done: Done) => void][] = [
      ['call back with an error', (done) => done(new Error(`SETEX sess: ${secret}`))],
      ['call back with an error later', (done) => setImmediate(done, new Error(secret))],
      [
        'call back later with an error whose message is no text',
        (done) => setImmediate(done, Object.assign(new Error(), { message: { secret } })),
      ],
      ['call back with text', (done) => done(secret)],
      ['call back with a number', (done) => done(5)],
      ['call back with true', (done) => done(true)],
      ['call back with an object', (done) => done({ code: 'EPIPE', command: secret })],
      [
        'throw an error',
        () => {
          throw new Error(secret)
        },
      ],
      [
        'throw text',
        () => {
          // oxlint-disable-next-line typescript/only-throw-error -- stores do
          throw secret
        },
      ],
      [
        'call back with an error, then without',
        (done) => {
          done(new Error(secret))
          done(null, {})
        },
      ],
      [
        'call back with an error, then throw',
        (done) => {
          done(new Error(secret))
          throw new Error(secret)
        },
      ],
    ]
    for (const [what, answer] of failures)
      for (const [operation, run] of operations)
        it(`${operation}: that ${what}: store_unavailable`, async () => {
          expect(await outcome(run(recordsIn(storeThat(answer))))).to.equal('store_unavailable')
        })

    const successes: [string, (done: Done) => void][] = [
      ['call back without anything', (done) => done()],
      ['call back with null', (done) => done(null, null)],
      ['call back with false and empty text', (done) => done(false, '')],
      [
        'call back twice',
        (done) => {
          done()
          done()
        },
      ],
      [
        'call back, then with an error',
        (done) => {
          done()
          done(new Error('late'))
        },
      ],
      [
        'call back, then throw',
        (done) => {
          done()
          throw new Error('late')
        },
      ],
    ]
    for (const [what, answer] of successes)
      for (const [operation, run] of operations)
        it(`${operation}: that ${what}: it is done, and nothing is found`, async () => {
          expect(await outcome(run(recordsIn(storeThat(answer))))).to.equal(undefined)
        })

    for (const [operation, run] of operations) {
      const result = operation === 'set' ? 'store_unavailable' : undefined
      it(`${operation}: that call back with ENOENT: ${result ?? 'there is no such file'}`, async () => {
        const missing = Object.assign(new Error('gone'), { code: 'ENOENT' })
        const store = storeThat((done) => done(missing))
        expect(await outcome(run(recordsIn(store)))).to.equal(result)
      })
    }

    for (const [operation, run] of operations)
      it(`${operation}: that never call back: store_unavailable after 5 seconds`, async () => {
        mock.timers.enable({ apis: ['setTimeout'] })
        try {
          const late: { done?: Done } = {}
          let settled: unknown = 'waiting'
          const store = storeThat((done) => {
            late.done = done
          })
          const waiting = outcome(run(recordsIn(store))).then((result) => (settled = result))
          mock.timers.tick(4_999)
          await Promise.resolve()
          expect(settled).to.equal('waiting')
          mock.timers.tick(1)
          await waiting
          expect(settled).to.equal('store_unavailable')
          late.done!(new Error('at last'))
          late.done!(null, { version: 1 })
        } finally {
          mock.timers.reset()
        }
      })

    it('keeps what went wrong as the cause, without what could be a secret', async () => {
      const cause = Object.assign(new Error(`connect ECONNREFUSED, key ${secret}`), {
        code: 'ECONNREFUSED',
        port: 6379,
        command: { args: [secret] },
      })
      const error: unknown = await recordsIn(storeThat((done) => done(cause)))
        .get(key)
        .catch((thrown: unknown) => thrown)
      expect(error).to.include({ code: 'store_unavailable', status: 503 })
      expect((error as Error).cause).to.include({ code: 'ECONNREFUSED', port: 6379 })
      expect(inspect(error, { depth: Infinity, showHidden: true })).not.to.include(secret)
    })
  })

  describe('what is found', () => {
    /** What is stored for a record, changed as a test likes. */
    async function stored(change: (row: Record<string, unknown>) => unknown) {
      const rows = new Map<string, unknown>()
      const store: SessionStore = {
        get: (id, done) => {
          done(null, rows.get(id))
        },
        set: (id, row, done) => {
          rows.set(id, row)
          done?.()
        },
        destroy: (id, done) => {
          rows.delete(id)
          done?.()
        },
      }
      await recordsIn(store).set(key, { value: 1 }, 60_000)
      const [[id, row] = []] = rows
      rows.set(id!, change(JSON.parse(JSON.stringify(row)) as Record<string, unknown>))
      return store
    }

    it('is what was written, as JSON gives it back', async () => {
      const found = await recordsIn(await stored((row) => row)).get(key)
      expect(found?.content).to.deep.equal({ value: 1 })
    })

    const garbage: [string, (row: Record<string, unknown>) => unknown][] = [
      ...[null, undefined, 'text', 5, true, [], {}, () => ({})].map(
        (value): [string, () => unknown] => [inspect(value), () => value],
      ),
      ['a session of express-session', () => ({ cookie: { originalMaxAge: null } })],
      ['a row without version', ({ version: _, ...row }) => row],
      ['a row of another version', (row) => ({ ...row, version: 2 })],
      ['a row with the version as text', (row) => ({ ...row, version: '1' })],
      ['a row without flow', ({ flow: _, ...row }) => row],
      ['a row of another flow', (row) => ({ ...row, flow: 'other' })],
      ['a row without expiry', ({ expiresAt: _, ...row }) => row],
      ['a row with the expiry as text', (row) => ({ ...row, expiresAt: String(row.expiresAt) })],
      ['a row that has expired', (row) => ({ ...row, expiresAt: Date.now() - 1 })],
      ['a row that expires never', (row) => ({ ...row, expiresAt: null })],
      ['a row without content', ({ content: _, ...row }) => row],
      ['a row with text as content', (row) => ({ ...row, content: 'text' })],
      ['a row with null as content', (row) => ({ ...row, content: null })],
    ]
    for (const [what, change] of garbage)
      it(`is nothing for ${what}`, async () => {
        expect(await recordsIn(await stored(change)).get(key)).to.equal(undefined)
      })

    it('is nothing for another flow, and for another kind', async () => {
      const store = await stored((row) => row)
      expect(await recordsIn(store, 'other').get(key)).to.equal(undefined)
      expect(await createRecordStore(overSessionStore(store), 'yy.', 'flow').get(key)).to.equal(
        undefined,
      )
    })
  })

  describe('what is written', () => {
    interface Row {
      expiresAt: number
      cookie: { originalMaxAge: number; maxAge: number; expires: Date }
    }

    /** Keys and rows of all writes. */
    function recorder() {
      const written: [key: string, row: Row][] = []
      const store: SessionStore = {
        ...storeThat((done) => {
          done()
        }),
        set: (id, row, done) => {
          written.push([id, row])
          done?.()
        },
      }
      return { store, written }
    }

    it('has a key of 35 characters that every store’s column holds, and no session has', async () => {
      const { store, written } = recorder()
      await recordsIn(store).set(key, {}, 60_000)
      expect(written[0]![0]).to.match(/^[a-z]{2}\.[0-9a-f]{32}$/)
    })

    it('P14: has an expiry that every express-session store understands', async () => {
      const { store, written } = recorder()
      mock.timers.enable({ apis: ['Date'], now: 1_700_000_000_000 })
      try {
        await recordsIn(store).set(key, {}, 60_000)
      } finally {
        mock.timers.reset()
      }
      const [[, row] = []] = written
      expect(row).to.deep.include({
        expiresAt: 1_700_000_060_000,
        cookie: {
          originalMaxAge: 60_000,
          maxAge: 60_000,
          expires: new Date(1_700_000_060_000),
        },
      })
    })

    it('is a fresh object each time: session-file-store writes into what it is given', async () => {
      const { store, written } = recorder()
      const content = Object.freeze({ value: 1 })
      await recordsIn(store).set(key, content, 60_000)
      await recordsIn(store).set(key, content, 60_000)
      const [first, second] = written.map(([, row]) => row)
      expect(first).not.to.equal(second)
      expect(first!.cookie).not.to.equal(second!.cookie)
    })

    it('content cannot take the place of what is ours', async () => {
      const records = recordsIn(new MemoryStore())
      const content = { version: 7, flow: 'other', expiresAt: 1, cookie: null }
      await records.set(key, content, 60_000)
      expect((await records.get(key))?.content).to.deep.equal(content)
    })

    it('is gone when it was destroyed', async () => {
      const records = recordsIn(new MemoryStore())
      await records.set(key, { value: 1 }, 60_000)
      await records.destroy(key)
      expect(await records.get(key)).to.equal(undefined)
    })
  })
})
