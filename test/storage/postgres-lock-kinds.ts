import pg from 'pg'
import { postgresLock } from '../../src/storage/postgres-lock.ts'
import { type LockKind, type OpenLock, quiet } from './lock-kind.ts'

function open(url: string, table: string, options?: string): Promise<OpenLock> {
  const pool = quiet(new pg.Pool({ connectionString: url, max: 5, ...(options && { options }) }))
  const lock = postgresLock(pool, { table, createTable: true })
  return Promise.resolve({ lock, close: () => pool.end() })
}

/** All that a lock in PostgreSQL can be made of. */
export const lockKinds: readonly LockKind[] = [
  {
    name: 'postgresLock, pg',
    service: 'postgres',
    open: (url) => open(url, 'pkce_flow_locks'),
  },
  {
    name: 'postgresLock, pg, transactions serializable by default',
    service: 'postgres',
    open: (url) => open(url, 'public.locks', '-c default_transaction_isolation=serializable'),
  },
]
