import pg from 'pg'
import { describeWithPostgres, startPostgres } from '../support/postgres-server.ts'
import { describeWithRedis, startRedis } from '../support/redis-server.ts'
import type { Service } from '../support/service.ts'
import type { WorkerSettings } from './app-worker.ts'

/** What processes share. */
export interface SharedStore {
  name: string
  store: WorkerSettings['store']
  /** The `describe` for it: skipped where it is not installed. */
  suite: (title: string, body: () => void) => void
  start: () => Promise<Service & { url: string }>
}

export const sharedStores: readonly SharedStore[] = [
  {
    name: 'Redis: connect-redis and redisLock',
    store: 'redis',
    suite: describeWithRedis,
    start: startRedis,
  },
  {
    name: 'PostgreSQL: connect-pg-simple and postgresLock',
    store: 'postgres',
    suite: describeWithPostgres,
    async start() {
      const server = await startPostgres()
      const client = new pg.Client({ connectionString: server.url })
      await client.connect()
      await client.query(
        'CREATE TABLE session (sid varchar(35) PRIMARY KEY, sess json NOT NULL, expire timestamp(6) NOT NULL)',
      )
      await client.end()
      return server
    },
  },
]
