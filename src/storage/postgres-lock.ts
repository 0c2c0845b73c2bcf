import { randomBytes } from 'node:crypto'
import { ConfigurationError } from '../errors.ts'
import { invalid, isText, refuseUnknown, resolveFlag } from '../options/checks.ts'
import type { Lease, Lock } from '../options/lock.ts'

/** A `Pool` of pg: as much of it as a lock needs. */
export interface PostgresPool {
  query(text: string, values: unknown[]): Promise<{ rows: unknown[] }>
}

export interface PostgresLockOptions {
  /**
   * Name of the table, with or without its schema (`'auth.locks'`): lower-case letters, digits and
   * underscores. Default: `'pkce_flow_locks'`.
   */
  table?: string | undefined
  /**
   * Whether to create the table before its first use if there is none; the pool's user needs the right
   * to create tables then. Default: `false`.
   */
  createTable?: boolean | undefined
}

/** Runs a statement; resolves to how many rows it gave back. */
type RunStatement = (text: string, values?: unknown[]) => Promise<number>

/** Milliseconds between two looks for the rows of processes that were killed. */
const sweepInterval = 600_000

const identifier = /^[a-z_][a-z0-9_]{0,62}(\.[a-z_][a-z0-9_]{0,62})?$/

/** SQLSTATE of what PostgreSQL refuses. */
const serializationFailure = '40001'
const undefinedTable = '42P01'
/** unique_violation, duplicate_object and duplicate_table: who creates a table last sees one of these. */
const createdMeanwhile: readonly unknown[] = ['23505', '42710', '42P07']

/**
 * Leases in PostgreSQL, one row for each. Every call is one statement of `pool.query`, so a lease that
 * is held or waited for holds no connection. Time is the database's: the processes' clocks may differ.
 *
 * With `createTable: true` it creates its table itself. In a migration it is:
 *
 * ```sql
 * CREATE TABLE pkce_flow_locks (
 *   key text PRIMARY KEY,
 *   owner text NOT NULL,
 *   expires_at timestamptz NOT NULL
 * )
 * ```
 *
 * @param pool a pool that the app ends, and listens to the `error` events of
 * @throws `configuration` for anything that is no such pool, and for a wrong option
 */
export function postgresLock(
  pool: PostgresPool,
  options: Readonly<PostgresLockOptions> = {},
): Lock {
  if (typeof pool?.query !== 'function')
    throw new ConfigurationError("postgresLock takes a pool of pg: new Pool() from 'pg'.")
  refuseUnknown(options, ['table', 'createTable'], '')
  const { table: name = 'pkce_flow_locks', createTable = false } = options
  if (!isText(name) || !identifier.test(name))
    throw invalid('table', "must be a name such as 'locks' or 'auth.locks', in lower case")
  resolveFlag('createTable', createTable)

  // Quoted: a name may be a word of SQL.
  const table = `"${name.replace('.', '"."')}"`
  const run = statementRunner(pool, name)
  const prepare = createTable ? once(() => createLockTable(run, table)) : () => undefined
  const sweep = createSweep(run, table)

  return {
    async acquire(key, duration) {
      await prepare()
      const owner = randomBytes(16).toString('base64url')
      const isTaken = await insertLease(run, table, key, owner, duration)
      sweep()
      return isTaken ? createLease(run, table, key, owner) : undefined
    },
  }
}

async function insertLease(
  run: RunStatement,
  table: string,
  key: string,
  owner: string,
  duration: number,
): Promise<boolean> {
  try {
    const count = await run(
      `INSERT INTO ${table} AS held (key, owner, expires_at)
       VALUES ($1, $2, clock_timestamp() + $3::float8 * interval '1 millisecond')
       ON CONFLICT (key) DO UPDATE SET owner = excluded.owner,
         expires_at = clock_timestamp() + $3::float8 * interval '1 millisecond'
       WHERE held.expires_at < clock_timestamp()
       RETURNING 1`,
      [key, owner, duration],
    )
    return count > 0
  } catch (error) {
    // Where transactions are serializable by default: somebody else was faster.
    if (codeOf(error) === serializationFailure) return false
    throw error
  }
}

function createLease(run: RunStatement, table: string, key: string, owner: string): Lease {
  return {
    async extend(duration) {
      const count = await run(
        `UPDATE ${table} SET expires_at = clock_timestamp() + $3::float8 * interval '1 millisecond'
         WHERE key = $1 AND owner = $2 AND expires_at >= clock_timestamp()
         RETURNING 1`,
        [key, owner, duration],
      )
      return count > 0
    },
    async release() {
      await run(`DELETE FROM ${table} WHERE key = $1 AND owner = $2`, [key, owner])
    },
  }
}

function statementRunner(pool: PostgresPool, name: string): RunStatement {
  return async (text, values = []) => {
    try {
      const { rows } = await pool.query(text, values)
      return rows.length
    } catch (error) {
      if (codeOf(error) !== undefinedTable) throw error
      throw new ConfigurationError(
        `There is no table ${name} for postgresLock. Create it by a migration ` +
          '(the statement is in docs/locks.md), or give the option { createTable: true }.',
        { cause: error },
      )
    }
  }
}

async function createLockTable(run: RunStatement, table: string): Promise<void> {
  try {
    await run(
      `CREATE TABLE IF NOT EXISTS ${table} (
        key text PRIMARY KEY,
        owner text NOT NULL,
        expires_at timestamptz NOT NULL
      )`,
    )
  } catch (error) {
    // IF NOT EXISTS does not see what another process is creating at this moment.
    if (!createdMeanwhile.includes(codeOf(error))) throw error
  }
}

/** Whoever asks gets the same result; after a failure the next one tries again. */
function once(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined
  return () => {
    done ??= work().catch((error: unknown) => {
      done = undefined
      throw error
    })
    return done
  }
}

/**
 * Removes rows that processes left when they were killed, now and then. Nobody waits for it, and a
 * failure is nobody's: the rows do no harm, and the next one finds them. Locked rows are left alone, so
 * two that sweep at once cannot block each other; a thousand are enough for once.
 */
function createSweep(run: RunStatement, table: string): () => void {
  let nextAt = 0
  return () => {
    if (performance.now() < nextAt) return
    nextAt = performance.now() + sweepInterval
    run(
      `DELETE FROM ${table} WHERE key IN (
        SELECT key FROM ${table} WHERE expires_at < clock_timestamp()
        LIMIT 1000 FOR UPDATE SKIP LOCKED
      )`,
    ).catch(() => undefined)
  }
}

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown } | null | undefined)?.code
}
