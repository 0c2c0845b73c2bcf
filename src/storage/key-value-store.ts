/**
 * Where records are written, whatever is underneath. Calls reject with `store_unavailable`: at the
 * latest after 5 seconds. Writes of one key land in the order in which they were made, also if an
 * earlier one was given up and lands up to 2 seconds later.
 */
export interface KeyValueStore {
  /** What was written, as plain JSON, or whatever somebody else put there; nullish if nothing. */
  get(key: string): Promise<unknown>
  /**
   * Writes a plain object, which is not changed and not kept.
   *
   * @param lifetime milliseconds after which the store may drop it
   */
  set(key: string, value: object, lifetime: number): Promise<void>
  /** Removes what is there; nothing there is no error. */
  delete(key: string): Promise<void>
}
