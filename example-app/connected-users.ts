import type { Pool } from 'pg'
import type { createClient } from 'redis'

/** What the background job found out about a user. */
export interface ProjectCount {
  projects: number
  /** Milliseconds since the epoch. */
  countedAt: number
}

/** The app's own list of the users who connected an account: tokens alone do not say whose they are. */
export interface ConnectedUsers {
  ids(): Promise<string[]>
  /** Adds a user who may be there already. */
  add(id: string): Promise<void>
  remove(id: string): Promise<void>
  /** `undefined` before the first count. */
  countOf(id: string): Promise<ProjectCount | undefined>
  setCount(id: string, count: ProjectCount): Promise<void>
}

/** As long as this process runs. */
export function usersInMemory(): ConnectedUsers {
  const counts = new Map<string, ProjectCount | undefined>()
  return {
    ids: () => Promise.resolve([...counts.keys()]),
    add: (id) => Promise.resolve(void counts.set(id, counts.get(id))),
    remove: (id) => Promise.resolve(void counts.delete(id)),
    countOf: (id) => Promise.resolve(counts.get(id)),
    setCount: (id, count) => Promise.resolve(void counts.set(id, count)),
  }
}

/** A hash in Redis. */
export function usersInRedis(
  client: Pick<ReturnType<typeof createClient>, 'hKeys' | 'hSetNX' | 'hDel' | 'hGet' | 'hSet'>,
): ConnectedUsers {
  const key = 'example-app-connected-users'
  return {
    ids: () => client.hKeys(key),
    async add(id) {
      await client.hSetNX(key, id, 'null')
    },
    async remove(id) {
      await client.hDel(key, id)
    },
    async countOf(id) {
      const found = JSON.parse((await client.hGet(key, id)) ?? 'null') as ProjectCount | null
      return found ?? undefined
    },
    async setCount(id, count) {
      await client.hSet(key, id, JSON.stringify(count))
    },
  }
}

/** A table in PostgreSQL, made if there is none. */
export async function usersInPostgres(pool: Pool): Promise<ConnectedUsers> {
  // Two processes that make a table at once: one fails, unless they take turns.
  await pool.query(`DO $$ BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('example_app_connected_users'));
    CREATE TABLE IF NOT EXISTS example_app_connected_users (id text PRIMARY KEY, count jsonb);
  END $$`)
  return {
    async ids() {
      const { rows } = await pool.query<{ id: string }>(
        'SELECT id FROM example_app_connected_users',
      )
      return rows.map(({ id }) => id)
    },
    async add(id) {
      const text = 'INSERT INTO example_app_connected_users (id) VALUES ($1) ON CONFLICT DO NOTHING'
      await pool.query(text, [id])
    },
    async remove(id) {
      await pool.query('DELETE FROM example_app_connected_users WHERE id = $1', [id])
    },
    async countOf(id) {
      const { rows } = await pool.query<{ count: ProjectCount | null }>(
        'SELECT count FROM example_app_connected_users WHERE id = $1',
        [id],
      )
      return rows[0]?.count ?? undefined
    },
    async setCount(id, count) {
      const text = 'UPDATE example_app_connected_users SET count = $2 WHERE id = $1'
      await pool.query(text, [id, count])
    },
  }
}
