import { type ChildProcess, fork } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { mock } from 'node:test'
import { pathToFileURL } from 'node:url'
import { expect } from 'chai'
import pg from 'pg'
import { Redis } from 'ioredis'
import { createClient, RESP_TYPES } from 'redis'
import { ConfigurationError } from '../../src/errors.ts'
import type { Lock } from '../../src/options/lock.ts'
import { type PostgresPool, postgresLock } from '../../src/storage/postgres-lock.ts'
import { redisLock } from '../../src/storage/redis-lock.ts'
import { bundle, bundleArgv } from '../support/bundle.ts'
import { describeWithPostgres, startPostgres } from '../support/postgres-server.ts'
import { describeWithRedis, startRedis, startRedisCluster } from '../support/redis-server.ts'
import type { Service } from '../support/service.ts'
import { until } from '../support/until.ts'
import type { Contest } from './lock-contender.ts'
import type { LockKind, OpenLock, ServiceName } from './lock-kind.ts'
import { lockKinds as postgresLockKinds } from './postgres-lock-kinds.ts'
import { lockKinds as redisLockKinds } from './redis-lock-kinds.ts'

const long = 60_000
const short = 200

type Server = Service & { url: string }

const servers: Partial<Record<ServiceName, Server>> = {}

/** A server for the suites that use it. */
function server(name: ServiceName): Server {
  return servers[name]!
}

/** One that nobody else uses. */
function freshKey(): string {
  return `test-${randomUUID()}`
}

/**
 * What every lock keeps to.
 *
 * @param module where the kinds are from
 */
function contract(kinds: readonly LockKind[], module: string): void {
  for (const { name, service, open } of kinds)
    describe(name, () => {
      let mine: OpenLock
      let others: OpenLock
      let lock: Lock
      let otherLock: Lock
      let key: string

      before(async () => {
        mine = await open(server(service).url)
        others = await open(server(service).url)
        ;({ lock } = mine)
        otherLock = others.lock
      })

      after(async () => {
        await mine?.close()
        await others?.close()
      })

      beforeEach(() => {
        key = freshKey()
      })

      /** Waits until a lease that is taken now for a short time has run out. */
      async function aShortTime() {
        const clock = freshKey()
        await lock.acquire(clock, short)
        await until(async () => (await lock.acquire(clock, long)) !== undefined)
      }

      it('gives one of 50 callers the lease', async () => {
        const calls = Array.from({ length: 50 }, (_, index) =>
          (index % 2 === 0 ? lock : otherLock).acquire(key, long),
        )
        const leases = await Promise.all(calls)
        expect(leases.filter((lease) => lease !== undefined)).to.have.length(1)
      })

      it('gives a second caller nothing at once', async () => {
        await lock.acquire(key, long)
        expect(await lock.acquire(key, long)).to.equal(undefined)
        expect(await otherLock.acquire(key, long)).to.equal(undefined)
      })

      it('takes keys of 80 characters, of all kinds that there are', async () => {
        const start = `Az09.-_${randomUUID()}`
        const longKey = start.padEnd(80, '.')
        expect(await lock.acquire(longKey, long)).not.to.equal(undefined)
        expect(await lock.acquire(longKey, long)).to.equal(undefined)
        expect(await lock.acquire(longKey.slice(0, 79), long)).not.to.equal(undefined)
      })

      it('keeps keys apart', async () => {
        expect(await lock.acquire(key, long)).not.to.equal(undefined)
        expect(await lock.acquire(freshKey(), long)).not.to.equal(undefined)
      })

      it('gives it to another one when it was released', async () => {
        const lease = await lock.acquire(key, long)
        await lease!.release()
        const next = await otherLock.acquire(key, long)
        expect(next).not.to.equal(undefined)
        expect(await lock.acquire(key, long)).to.equal(undefined)
        await next!.release()
        expect(await lock.acquire(key, long)).not.to.equal(undefined)
      })

      it('can be released twice; the second time does nothing', async () => {
        const lease = await lock.acquire(key, long)
        await lease!.release()
        await otherLock.acquire(key, long)
        await lease!.release()
        expect(await lock.acquire(key, long)).to.equal(undefined)
      })

      it('gives it to another one when it has run out by itself', async () => {
        await lock.acquire(key, short)
        await until(async () => (await otherLock.acquire(key, long)) !== undefined)
        expect(await lock.acquire(key, long)).to.equal(undefined)
      })

      it('lets only the owner extend and release', async () => {
        const lost = await lock.acquire(key, short)
        let taken = await otherLock.acquire(key, long)
        await until(async () => {
          taken ??= await otherLock.acquire(key, long)
          return taken !== undefined
        })
        expect(await lost!.extend(long)).to.equal(false)
        await lost!.release()
        expect(await lock.acquire(key, long), 'it is still held').to.equal(undefined)
        expect(await taken!.extend(long)).to.equal(true)
      })

      it('cannot extend what has run out, nor what was released', async () => {
        const lease = await lock.acquire(key, short)
        await aShortTime()
        expect(await lease!.extend(long)).to.equal(false)
        const released = await lock.acquire(key, long)
        await released!.release()
        expect(await released!.extend(long)).to.equal(false)
        expect(await otherLock.acquire(key, long)).not.to.equal(undefined)
      })

      it('lasts longer when it was extended', async () => {
        const lease = await lock.acquire(key, 500)
        expect(await lease!.extend(long)).to.equal(true)
        const clock = freshKey()
        await lock.acquire(clock, 500)
        await until(async () => (await lock.acquire(clock, long)) !== undefined)
        expect(await otherLock.acquire(key, long)).to.equal(undefined)
        expect(await lease!.extend(long)).to.equal(true)
      })

      it('lasts from now when it was extended, be it shorter', async () => {
        const lease = await lock.acquire(key, long)
        expect(await lease!.extend(short)).to.equal(true)
        await until(async () => (await otherLock.acquire(key, long)) !== undefined)
      })
    })

  describe('in 4 processes of 50 callers each', () => {
    let contests: Contest[]
    let counts: number[][]

    before(async () => {
      contests = kinds.flatMap(({ name: kind, service }) =>
        ['first', 'second'].map((part) => {
          const key = `${part}-${freshKey()}`
          return { kind, key, url: server(service).url }
        }),
      )
      counts = await compete(module, contests)
    })

    for (const { name } of kinds)
      it(`${name}: gives one of them the lease of each key`, () => {
        const winners = contests.map(({ kind }, index) => ({
          kind,
          count: counts.reduce((sum, ofProcess) => sum + ofProcess[index]!, 0),
        }))
        const mine = winners.filter(({ kind }) => kind === name)
        expect(mine.map(({ count }) => count)).to.deep.equal([1, 1])
      })
  })

  describe('while the server is down', () => {
    for (const { name, service, open } of kinds)
      it(`${name}: calls reject, and leases are still there afterwards`, async () => {
        const { lock, close } = await open(server(service).url)
        const key = freshKey()
        const lease = await lock.acquire(key, long)
        await server(service).kill()
        try {
          for (const call of [
            () => lock.acquire(freshKey(), long),
            () => lease!.extend(long),
            () => lease!.release(),
          ])
            expect(await rejection(call())).to.be.instanceOf(Error)
        } finally {
          await server(service).restart()
        }
        await until(() => lease!.extend(long).catch(() => false))
        expect(await lock.acquire(key, long)).to.equal(undefined)
        await close()
      })
  })
}

/** Lets 4 processes want the same; resolves to how many leases of each key each of them got. */
async function compete(module: string, contests: Contest[]): Promise<number[][]> {
  const [contender = '', kinds] = await Promise.all(
    ['lock-contender.ts', module].map((file) => bundle(join(import.meta.dirname, file))),
  )
  const args = [pathToFileURL(kinds!).href, JSON.stringify(contests)]
  const children = Array.from({ length: 4 }, () => fork(contender, args, { execArgv: bundleArgv }))
  try {
    await Promise.all(children.map(message))
    const counts = children.map(message)
    for (const child of children) child.send('go')
    return (await Promise.all(counts)) as number[][]
  } finally {
    for (const child of children) child.kill()
  }
}

async function message(child: ChildProcess): Promise<unknown> {
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`A contender ended with ${code}.`)
  })
  ended.catch(() => undefined)
  const [received] = (await Promise.race([once(child, 'message'), ended])) as [unknown]
  return received
}

/** What a promise rejects with. */
function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    (value) => {
      throw new Error(`It resolved to ${String(value)}.`)
    },
    (error: unknown) => error,
  )
}

/** What is thrown for an argument that cannot be used. */
function refusal(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    expect(error).to.be.instanceOf(ConfigurationError)
    return (error as ConfigurationError).message
  }
  throw new Error('It was accepted.')
}

describeWithRedis('locks in Redis', () => {
  before(async () => {
    servers.redis = await startRedis()
    servers.cluster = await startRedisCluster()
  })

  after(() => Promise.all([servers.redis?.stop(), servers.cluster?.stop()]))

  contract(redisLockKinds, 'redis-lock-kinds.ts')

  describe('keys', () => {
    it('begin with pkce-flow:lock:, or as the option says', async () => {
      const client = await createClient({ url: server('redis').url }).connect()
      const key = freshKey()
      await redisLock(client).acquire(key, long)
      await redisLock(client, { prefix: 'my-app:' }).acquire(key, long)
      expect(await client.exists([`pkce-flow:lock:${key}`, `my-app:${key}`])).to.equal(2)
      client.destroy()
    })

    it('hold owners that nobody guesses', async () => {
      const client = await createClient({ url: server('redis').url }).connect()
      const keys = [freshKey(), freshKey()]
      for (const key of keys) await redisLock(client, { prefix: 'my-app:' }).acquire(key, long)
      const owners = await client.mGet(keys.map((key) => `my-app:${key}`))
      expect(new Set(owners).size).to.equal(2)
      for (const owner of owners) expect(owner).to.match(/^[\w-]{22}$/)
      client.destroy()
    })
  })

  describe('clients that give other types', () => {
    it('node-redis: numbers as text', async () => {
      const client = await createClient({ url: server('redis').url }).connect()
      const mapped = client.withTypeMapping({ [RESP_TYPES.NUMBER]: String })
      const lease = await redisLock(mapped).acquire(freshKey(), long)
      expect(await lease!.extend(long)).to.equal(true)
      client.destroy()
    })

    it('ioredis: numbers as text', async () => {
      const client = new Redis(server('redis').url, { stringNumbers: true })
      const lease = await redisLock(client).acquire(freshKey(), long)
      expect(await lease!.extend(long)).to.equal(true)
      client.disconnect()
    })
  })

  it('a command that is sent again after its answer was lost gets the same lease', async () => {
    const client = await createClient({ url: server('redis').url }).connect()
    const key = freshKey()
    const twice = {
      isOpen: true,
      async eval(script: string, options: { keys: string[]; arguments: string[] }) {
        await client.eval(script, options)
        return client.eval(script, options)
      },
    }
    expect(await redisLock(twice).acquire(key, long)).not.to.equal(undefined)
    expect(await redisLock(client).acquire(key, long)).to.equal(undefined)
    client.destroy()
  })
})

describe('redisLock takes', () => {
  it('nothing but clients of node-redis and ioredis', () => {
    const client = createClient()
    const ioredis = new Redis({ lazyConnect: true })
    const others: unknown[] = [
      ...[undefined, null, 'redis://127.0.0.1', 5, true, {}, [], () => undefined, Redis],
      new pg.Pool(),
      client.legacy(),
      client.multi(),
      ioredis.pipeline(),
      { eval: () => undefined },
      { eval: 'text', isOpen: true },
      { isOpen: true },
      Promise.resolve(client),
    ]
    for (const other of others)
      expect(refusal(() => redisLock(other as never))).to.match(/^redisLock takes .*createClient/)
  })

  it('no other options', () => {
    const client = createClient()
    for (const prefix of ['', null, 5, {}])
      expect(refusal(() => redisLock(client, { prefix: prefix as never }))).to.include('"prefix"')
    expect(refusal(() => redisLock(client, { prefx: 'a' } as never))).to.include('"prefix"?')
    redisLock(client, { prefix: undefined })
  })
})

describe('postgresLock takes', () => {
  it('nothing but pools', () => {
    for (const other of [undefined, null, 'postgres://127.0.0.1', 5, {}, { query: 'text' }])
      expect(refusal(() => postgresLock(other as never))).to.match(/^postgresLock takes .*new Pool/)
  })

  it('no table names but plain ones', () => {
    const pool = new pg.Pool()
    const wrong = [
      ...['', '1st', 'Locks', 'my-locks', 'a.b.c', '.a', 'a.', 'a b', 'a"b', "a'b", 'a;b', 'a\n'],
      ...['é', 'a'.repeat(64), `a.${'a'.repeat(64)}`, null, 5, ['locks']],
    ]
    for (const table of wrong)
      expect(
        refusal(() => postgresLock(pool, { table: table as never })),
        String(table),
      ).to.include('"table"')
    for (const table of ['locks', '_1', 'auth.locks', 'a'.repeat(63), undefined])
      postgresLock(pool, { table })
  })

  it('no other options', () => {
    const pool = new pg.Pool()
    for (const createTable of [null, 'yes', 1])
      expect(refusal(() => postgresLock(pool, { createTable: createTable as never }))).to.include(
        '"createTable"',
      )
    expect(refusal(() => postgresLock(pool, { tabel: 'a' } as never))).to.include('"table"?')
  })
})

describeWithPostgres('locks in PostgreSQL', () => {
  before(async () => {
    servers.postgres = await startPostgres()
  })

  after(() => servers.postgres?.stop())

  contract(postgresLockKinds, 'postgres-lock-kinds.ts')

  describe('its table', () => {
    let pool: pg.Pool
    let table: string
    const pools: pg.Pool[] = []

    function openPool(config: pg.PoolConfig = {}): pg.Pool {
      const opened = new pg.Pool({ connectionString: server('postgres').url, ...config })
      pools.push(opened)
      return opened
    }

    /** A pool that remembers the statements that it was given. */
    function recorder(): PostgresPool & { texts: string[] } {
      const texts: string[] = []
      return {
        texts,
        query(text, values) {
          texts.push(text.trimStart())
          return pool.query(text, values)
        },
      }
    }

    beforeEach(() => {
      table = `locks_${randomUUID().replaceAll('-', '_')}`
      pool = openPool()
    })

    afterEach(async () => {
      await Promise.all(pools.splice(0).map((opened) => opened.end()))
    })

    it('is created on request, by 4 that begin at the same moment', async () => {
      // Enough times that they meet in the middle of it.
      for (let round = 0; round < 10; round += 1) {
        const name = `${table}_${round}`
        const locks = Array.from({ length: 4 }, () =>
          postgresLock(openPool({ max: 1 }), { table: name, createTable: true }),
        )
        const leases = await Promise.all(locks.map((lock) => lock.acquire('key', long)))
        expect(leases.filter((lease) => lease !== undefined)).to.have.length(1)
      }
    })

    it('is created once for 50 callers, and not asked for again', async () => {
      const recording = recorder()
      const lock = postgresLock(recording, { table, createTable: true })
      await Promise.all(Array.from({ length: 50 }, () => lock.acquire('key', long)))
      await lock.acquire('key', long)
      expect(recording.texts.filter((text) => text.startsWith('CREATE'))).to.have.length(1)
    })

    it('is tried to be created again after a failure', async () => {
      const lock = postgresLock(pool, { table: `${table}.locks`, createTable: true })
      const both = [lock.acquire('key', long), lock.acquire('key', long)]
      for (const call of both) expect(await rejection(call)).to.include({ code: '3F000' })
      await pool.query(`CREATE SCHEMA ${table}`)
      expect(await lock.acquire('key', long)).not.to.equal(undefined)
    })

    it('may be there already, and have a name that is a word of SQL', async () => {
      for (let index = 0; index < 2; index += 1) {
        const lock = postgresLock(openPool(), { table: 'user', createTable: true })
        expect(await lock.acquire(freshKey(), long)).not.to.equal(undefined)
      }
    })

    it('is missing: the error says what to do', async () => {
      const error = await rejection(postgresLock(pool, { table }).acquire('key', long))
      expect(error).to.be.instanceOf(ConfigurationError)
      expect((error as Error).message)
        .to.include(`There is no table ${table}`)
        .and.to.include('createTable: true')
    })

    it('can be made with the statement of the documentation', async () => {
      const docs = await readFile(resolve(import.meta.dirname, '../../docs/locks.md'), 'utf8')
      const source = await readFile(
        resolve(import.meta.dirname, '../../src/storage/postgres-lock.ts'),
        'utf8',
      )
      const [, statement = ''] = /```sql\n([^`]*)```/.exec(docs)!
      const docstring = /```sql\n([^`]*)```/.exec(source)![1]!.replace(/^ \* ?/gm, '')
      expect(docstring.trim()).to.equal(statement.trim())
      await pool.query(statement.replace('pkce_flow_locks', table))
      expect(await postgresLock(pool, { table }).acquire('key', long)).not.to.equal(undefined)
    })

    it('holds no connection while a lease is held or waited for', async () => {
      const single = openPool({ max: 1 })
      const lock = postgresLock(single, { table, createTable: true })
      const lease = await lock.acquire('key', long)
      expect(await lock.acquire('key', long)).to.equal(undefined)
      expect((await single.query('SELECT 1 AS one')).rows).to.deep.equal([{ one: 1 }])
      expect(await lease!.extend(long)).to.equal(true)
      await lease!.release()
    })

    it('keeps no row of what was released', async () => {
      const lock = postgresLock(pool, { table, createTable: true })
      const lease = await lock.acquire('key', long)
      await lease!.release()
      expect((await pool.query(`SELECT * FROM ${table}`)).rows).to.be.empty
    })

    describe('rows of processes that were killed', () => {
      const isSweep = (text: string) => text.includes('SKIP LOCKED')

      /** Leaves rows that have run out, and one that has not. */
      async function abandon(count: number) {
        await pool.query(
          `INSERT INTO ${table} SELECT 'left-' || n, 'nobody', now() - interval '1 second'
           FROM generate_series(1, ${count}) AS n`,
        )
      }

      async function countLeft(): Promise<number> {
        const { rows } = await pool.query<{ count: number }>(
          `SELECT count(*)::int AS count FROM ${table} WHERE owner = 'nobody'`,
        )
        return rows[0]!.count
      }

      it('are removed in passing, those that are held are not', async () => {
        await postgresLock(pool, { table, createTable: true }).acquire('key', long)
        await abandon(100)
        await pool.query(
          `INSERT INTO ${table} VALUES ('held', 'somebody', now() + interval '1 hour')`,
        )
        const lock = postgresLock(pool, { table })
        expect(await lock.acquire('key', long)).to.equal(undefined)
        await until(async () => (await countLeft()) === 0)
        expect(await lock.acquire('held', long)).to.equal(undefined)
        expect(await lock.acquire('key', long)).to.equal(undefined)
      })

      it('are looked for once in ten minutes', async () => {
        const recording = recorder()
        const lock = postgresLock(recording, { table, createTable: true })
        const sweeps = () => recording.texts.filter(isSweep).length
        let now = performance.now()
        mock.method(performance, 'now', () => now)
        try {
          for (let call = 0; call < 20; call += 1) await lock.acquire('key', long)
          expect(sweeps()).to.equal(1)
          now += 599_999
          await lock.acquire('key', long)
          expect(sweeps()).to.equal(1)
          now += 1
          await lock.acquire('key', long)
          await lock.acquire('key', long)
          expect(sweeps()).to.equal(2)
        } finally {
          mock.restoreAll()
        }
      })

      it('that cannot be removed trouble nobody, nor does a removal that never ends', async () => {
        for (const answer of [
          () => Promise.reject(new Error('not now')),
          () => new Promise<never>(() => undefined),
        ]) {
          const lock = postgresLock(
            {
              query: (text, values) => (isSweep(text) ? answer() : pool.query(text, values)),
            },
            { table, createTable: true },
          )
          const lease = await lock.acquire(freshKey(), long)
          expect(await lease!.extend(long)).to.equal(true)
          await lease!.release()
        }
      })
    })
  })
})

describe('docs/locks.md', () => {
  it('shows the adapter that these tests run', async () => {
    const root = resolve(import.meta.dirname, '../..')
    const docs = await readFile(join(root, 'docs/locks.md'), 'utf8')
    const adapter = await readFile(join(root, 'test/support/redis-semaphore-lock.ts'), 'utf8')
    const [, section = ''] = docs.split('## Your own lock')
    const [, block] = /```ts\n([^`]*(?:`[^`]+`[^`]*)*?)```/.exec(section)!
    // Readers import it by the package's name.
    expect(block).to.equal(adapter.replace("'../../src/options/lock.ts'", "'express-pkce-flow'"))
  })
})
