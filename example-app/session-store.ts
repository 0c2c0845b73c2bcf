import type { Store } from 'express-session'

/** Where sessions are kept. */
export interface SessionStore {
  /** `undefined` is express-session's own store, in memory. */
  store: Store | undefined
  close: () => Promise<void>
}

/** Opens Redis if there is an address, so that sessions outlive this process. */
export async function openSessionStore(redisUrl: string | undefined): Promise<SessionStore> {
  if (redisUrl === undefined) return { store: undefined, close: () => Promise.resolve() }
  // Imported only here: who has no Redis need not wait for its client.
  const [{ RedisStore }, { createClient }] = await Promise.all([
    import('connect-redis'),
    import('redis'),
  ])
  const client = createClient({ url: redisUrl })
  client.on('error', (error: Error) => console.error(`Redis: ${error.message}`))
  await client.connect()
  return {
    store: new RedisStore({ client, prefix: 'example-app:' }),
    close: () => client.close(),
  }
}
