import session from 'express-session'
import type { Store } from 'express-session'
import type { Lock } from 'express-pkce-flow'
import { usersInMemory, usersInPostgres, usersInRedis } from './connected-users.ts'
import type { ConnectedUsers } from './connected-users.ts'

/** Where the storage is that processes share: at most one of them. */
export interface StorageAddress {
  /** `redis://…` */
  redisUrl?: string | undefined
  /** `postgres://…` */
  databaseUrl?: string | undefined
}

/** Sessions and tokens, the app's own data, and a lock for the processes that share them. */
export interface SharedStorage {
  store: Store
  users: ConnectedUsers
  /** `undefined` is within this process. */
  lock: Lock | undefined
  close: () => Promise<void>
}

/** Opens Redis or PostgreSQL if there is an address, so that sessions outlive this process. */
export async function openStorage({
  redisUrl,
  databaseUrl,
}: StorageAddress): Promise<SharedStorage> {
  if (redisUrl !== undefined) return openRedis(redisUrl)
  if (databaseUrl !== undefined) return openPostgres(databaseUrl)
  return {
    store: new session.MemoryStore(),
    users: usersInMemory(),
    lock: undefined,
    close: () => Promise.resolve(),
  }
}

// Clients are imported only where they are used: who has no Redis need not wait for its client.

async function openRedis(url: string): Promise<SharedStorage> {
  const { RedisStore } = await import('connect-redis')
  const { createClient } = await import('redis')
  const { redisLock } = await import('express-pkce-flow/redis')
  // While Redis is down, people hear of it at once.
  const client = createClient({ url, disableOfflineQueue: true })
  client.on('error', (error: Error) => {
    console.error(`Redis: ${error.message}`)
  })
  await client.connect()
  return {
    store: new RedisStore({ client, prefix: 'example-app:' }),
    users: usersInRedis(client),
    lock: redisLock(client),
    close: () => client.close(),
  }
}

async function openPostgres(connectionString: string): Promise<SharedStorage> {
  const { default: connectPgSimple } = await import('connect-pg-simple')
  const { default: pg } = await import('pg')
  const { postgresLock } = await import('express-pkce-flow/postgres')
  const pool = new pg.Pool({ connectionString, connectionTimeoutMillis: 5_000 })
  pool.on('error', (error) => {
    console.error(`PostgreSQL: ${error.message}`)
  })
  const PgStore = connectPgSimple(session)
  const store = new PgStore({ pool, createTableIfMissing: true })
  return {
    store,
    users: await usersInPostgres(pool),
    lock: postgresLock(pool, { createTable: true }),
    async close() {
      store.close()
      await pool.end()
    },
  }
}
