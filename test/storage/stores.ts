import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import KeyvRedis from '@keyv/redis'
import connectPgSimple from 'connect-pg-simple'
import { RedisStore } from 'connect-redis'
import session, { MemoryStore, type Store } from 'express-session'
import { Keyv } from 'keyv'
import createMemoryStore from 'memorystore'
import pg from 'pg'
import { createClient } from 'redis'
import createFileStore from 'session-file-store'
import type { TokenStore } from '../../src/options/options.ts'
import { describeWithPostgres, startPostgres } from '../support/postgres-server.ts'
import { describeWithRedis, startRedis } from '../support/redis-server.ts'

/** A store that people use, and what it runs on. */
export interface StoreKind<S> {
  name: string
  /** The `describe` for it: skipped where what it runs on is missing. */
  suite: (title: string, body: () => void) => void
  /** Opens a new, empty one. Where it can be told how long it keeps things, it is told a day. */
  open(): Promise<OpenStore<S>>
}

export interface OpenStore<S> {
  store: S
  close(): Promise<void>
}

const daySeconds = 86_400

/** express-session stores. */
export const sessionStores: readonly StoreKind<Store>[] = [
  {
    name: 'MemoryStore of express-session',
    suite: describe,
    open: () => Promise.resolve(withoutClosing(new MemoryStore())),
  },
  {
    name: 'connect-redis',
    suite: describeWithRedis,
    async open() {
      const server = await startRedis()
      const client = createClient({ url: server.url })
      await client.connect()
      return {
        store: new RedisStore({ client, ttl: () => daySeconds }),
        async close() {
          client.destroy()
          await server.stop()
        },
      }
    },
  },
  {
    name: 'connect-pg-simple',
    suite: describeWithPostgres,
    async open() {
      const server = await startPostgres()
      const pool = new pg.Pool({ connectionString: server.url })
      // Its own table.sql leaves the length of keys open; people's tables have 36 characters and less.
      await pool.query(
        'CREATE TABLE session (sid varchar(35) PRIMARY KEY, sess json NOT NULL, expire timestamp(6) NOT NULL)',
      )
      const PgStore = connectPgSimple(session)
      const store = new PgStore({ pool, ttl: daySeconds, pruneSessionInterval: false })
      return {
        store,
        async close() {
          store.close()
          await pool.end()
          await server.stop()
        },
      }
    },
  },
  {
    name: 'memorystore',
    suite: describe,
    open() {
      const LruStore = createMemoryStore(session)
      return Promise.resolve(withoutClosing(new LruStore({ ttl: daySeconds * 1_000 })))
    },
  },
  {
    name: 'session-file-store',
    suite: describe,
    open() {
      const path = mkdtempSync(join(tmpdir(), 'sessions-'))
      const FileStore = createFileStore(session)
      const logFn = () => undefined
      return Promise.resolve({
        store: new FileStore({ path, ttl: daySeconds, reapInterval: -1, logFn }),
        close() {
          rmSync(path, { recursive: true })
          return Promise.resolve()
        },
      })
    },
  },
]

/** Stores for tokens only. */
export const tokenStores: readonly StoreKind<TokenStore>[] = [
  {
    name: 'Map',
    suite: describe,
    open: () => Promise.resolve(withoutClosing(new Map<string, unknown>())),
  },
  {
    name: 'Keyv in memory',
    suite: describe,
    open: () => Promise.resolve(withoutClosing(new Keyv())),
  },
  {
    name: 'Keyv over Redis',
    suite: describeWithRedis,
    async open() {
      const server = await startRedis()
      const adapter = new KeyvRedis(server.url)
      return {
        store: new Keyv(adapter, { throwOnErrors: true }),
        async close() {
          await adapter.disconnect(true)
          await server.stop()
        },
      }
    },
  },
]

function withoutClosing<S>(store: S): OpenStore<S> {
  return { store, close: () => Promise.resolve() }
}
