import { Store, type SessionData } from 'express-session'

/** Rows that are kept; those that nobody has asked for longest go first. */
const mostRows = 2_000

/**
 * A store whose rows a test reads and writes as text, to begin every case at the same moment of a
 * login. It holds so many rows and no more, as a million cases leave some behind each.
 */
export class RewindableStore extends Store {
  /** A Map by this name is how processes know a store that is theirs alone. */
  readonly store = new Map<string, string>()

  put(key: string, text: string): void {
    this.store.delete(key)
    this.store.set(key, text)
    const [oldest] = this.store.keys()
    if (this.store.size > mostRows && oldest !== undefined) this.store.delete(oldest)
  }

  override get(key: string, done: (error: unknown, row?: SessionData | null) => void): void {
    const text = this.store.get(key)
    if (text !== undefined) this.put(key, text)
    const row = text === undefined ? undefined : (JSON.parse(text) as SessionData)
    setImmediate(done, null, row)
  }

  override set(key: string, row: SessionData, done?: (error?: unknown) => void): void {
    this.put(key, JSON.stringify(row))
    if (done) setImmediate(done)
  }

  override destroy(key: string, done?: (error?: unknown) => void): void {
    this.store.delete(key)
    if (done) setImmediate(done)
  }
}
