/**
 * Leases that several processes share, one for each key: what makes a login finish once and a token
 * refresh once over all processes that share a store. `redisLock` and `postgresLock` are two; write
 * your own over whatever your processes share. Calls may reject: nothing is done then, and the person
 * gets `lock_unavailable`. Each call is given up after 5 seconds.
 */
export interface Lock {
  /**
   * Takes the lease of `key` for `duration` milliseconds if nobody holds it, and resolves to it; to
   * `undefined` if somebody does. It must not wait for a lease: whoever wants it asks again.
   *
   * @param key up to 80 characters of `A-Z a-z 0-9 . - _`
   */
  acquire(key: string, duration: number): Promise<Lease | undefined>
}

/** A lease that was taken. It ends by itself. */
export interface Lease {
  /**
   * Makes it last until `duration` milliseconds from now. Resolves to whether it is still the
   * caller's: `false` if it ran out and somebody else may hold it.
   */
  extend(duration: number): Promise<boolean>
  /** Gives it back, if it is still the caller's. */
  release(): Promise<void>
}
