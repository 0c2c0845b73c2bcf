import type { Request } from 'express'
import type { TokenRecord } from '../storage/token-records.ts'
import type { Flow } from './flow.ts'
import { loginReference, emptySession, sessionLifetime } from './session.ts'

/** Reads who is signed in, once a request. */
export interface CurrentLogin {
  /**
   * Tokens of this browser's sign-in through the flow, `undefined` if there is none. Rejects with
   * `store_unavailable` if that cannot be told.
   */
  read(req: Request): Promise<TokenRecord | undefined>
  /** Whether the session says that there is a sign-in; needs no store. */
  isLikely(req: Request): boolean
}

/** A request asks several times (attaching, guards, the handler), the store is asked once. */
export function createCurrentLogin(flow: Flow): CurrentLogin {
  const { name } = flow.settings
  const reads = new WeakMap<Request, { key: string; record: Promise<TokenRecord | undefined> }>()

  async function load(req: Request, key: string) {
    const record = await flow.records(req).tokenRecords.read(key, sessionLifetime(req))
    if (record !== 'ended') return record
    // A request that was under way wrote the session back after it was ended: end it again.
    if (loginReference(req, name)?.key === key) await emptySession(req)
    return undefined
  }

  return {
    isLikely: (req) => loginReference(req, name) !== undefined,
    read(req) {
      const reference = loginReference(req, name)
      if (reference === undefined) return Promise.resolve(undefined)
      const { key } = reference
      const known = reads.get(req)
      if (known?.key === key) return known.record
      const record = load(req, key)
      reads.set(req, { key, record })
      return record
    },
  }
}

/** Whether the access token can still be used. */
export function isUsable({ expiresAt }: TokenRecord): boolean {
  return expiresAt === undefined || expiresAt > Date.now()
}
