import type { Request } from 'express'
import { sessionStore } from '../http/session.ts'
import { isOfThisProcess } from '../http/shared-store.ts'
import type { SessionStore, TokenStore } from '../options/options.ts'
import type { Settings } from '../options/settings.ts'
import type { Found } from './finding.ts'

/** Stores that forget, or that processes share or ought to. */
export function examineStores(
  settings: Settings,
  req: Request | undefined,
  isClusterWorker: boolean,
): Found[] {
  const { lock, store, tokenStore } = settings
  const ofSessions = req && sessionStore(req)
  const ofRecords = [store ?? ofSessions, tokenStore].filter((each) => each !== undefined)
  const all = [ofSessions, ...ofRecords].filter((each) => each !== undefined)
  const isProduction = req?.app?.get('env') === 'production'
  return [
    ...(isProduction && all.some(forgetsAll) ? [memoryStore] : []),
    ...(isClusterWorker && lock !== 'process' && all.some(isOfThisProcess) ? [storeNotShared] : []),
    ...(lock === undefined && !ofRecords.every(isOfThisProcess) ? [lockMissing] : []),
  ]
}

/** A store without a limit, which a restart empties. The package memorystore has a limit. */
function forgetsAll(store: SessionStore | TokenStore): boolean {
  return store instanceof Map || (isOfThisProcess(store) && 'sessions' in store)
}

const memoryStore: Found = {
  code: 'memory_store',
  atFault: 'app',
  message:
    'Sessions or tokens are kept in the memory of this process, and NODE_ENV is production: a restart logs everybody out, other processes know nobody, and the memory is not given back.',
  remedy: 'Give express-session a store: Redis, PostgreSQL or the like.',
  guide: 'docs/sessions-and-stores.md#which-stores',
}

const storeNotShared: Found = {
  code: 'store_not_shared',
  atFault: 'app',
  message:
    'This process is a worker of a cluster, and keeps sessions or tokens in its own memory: a login that begins in one worker is unknown in another.',
  remedy:
    "Give express-session a store that processes share, and the flow a lock. If there is one worker only: lock: 'process'.",
  guide: 'docs/sessions-and-stores.md#several-processes',
}

const lockMissing: Found = {
  code: 'lock_missing',
  atFault: 'app',
  message:
    'The records of this flow are in a store that several processes may share, and there is no option lock: two of them could refresh the same tokens at once, which logs people out on many servers.',
  remedy:
    "Give the flow redisLock(…) or postgresLock(…), or lock: 'process' if this is the only process.",
  guide: 'docs/locks.md#one-process',
}
