import type { KeyValueStore } from './key-value-store.ts'
import type { Mutex } from './mutex.ts'
import { createRecordStore, recordKey } from './record-store.ts'
import type { Sealing } from './sealing.ts'
import { isText, isTime, object, optional } from './stored-values.ts'

/** That a logout token ended sign-ins: those whose ID Token is older. */
export interface SignedEnding {
  /** `iat`: seconds since the epoch, by the authorization server's clock. */
  issuedAt: number
  /** Milliseconds since the epoch, by ours. */
  receivedAt: number
  /** Tells it from another one of the same second. */
  tokenId: string
}

/** What ended sign-ins that have something in common. */
export interface Endings {
  signed?: SignedEnding | undefined
  /** Nobody signed it: those that began before. Milliseconds since the epoch. */
  unsigned?: number | undefined
}

/**
 * What is known about all sign-ins through a flow that have something in common, such as the person: a
 * row for each name. Lifetimes: milliseconds. Calls reject with `store_unavailable`, and those that
 * write with `lock_unavailable`.
 */
export interface LoginMarks {
  /** Notes a sign-in that lives for `lifetime` without being used. */
  note(name: string, lifetime: number): Promise<void>
  /**
   * Ends the sign-ins from before. It is known for as long as any of them can live: `lifetime`, or
   * longer if one that was noted does.
   */
  end(name: string, ending: SignedEnding, lifetime: number): Promise<void>
  /** Ends the sign-ins from before `time`, if any was noted. */
  endNoted(name: string, time: number): Promise<void>
  /** What was noted lives on while it is read, as the record of a sign-in does. */
  read(name: string, lifetime: number): Promise<Endings>
}

type Mark = Endings & {
  /** The longest of the sign-ins that were noted. */
  lifetime: number
}

/** How long a write waits for whoever is writing. Milliseconds. */
const patience = 5_000

/** The marks of one flow in one store. */
export function createLoginMarks(
  store: KeyValueStore,
  flow: string,
  mutex: Mutex,
  sealing?: Sealing,
): LoginMarks {
  const records = createRecordStore(store, 'lm.', flow, sealing)

  const keyOf = (name: string) => recordKey(JSON.stringify([flow, name]))

  async function find(key: string) {
    const stored = await records.get(key)
    if (stored === undefined || !isMark(stored.content)) return undefined
    return { expiresAt: stored.expiresAt, ...(stored.content as Mark) }
  }

  /** Under the lock, so that no ending is lost. */
  async function merge(key: string, next: Mark) {
    const before = await find(key)
    const lifetime = Math.max(next.lifetime, before?.lifetime ?? 0)
    const mark: Mark = {
      lifetime,
      signed: laterSigned(before?.signed, next.signed),
      unsigned: next.unsigned ?? before?.unsigned,
    }
    await records.set(key, mark, lifetime)
  }

  function write(name: string, mark: Mark) {
    const key = keyOf(name)
    return mutex.run(`lm.${key}`, () => merge(key, mark), patience)
  }

  return {
    note: (name, lifetime) => write(name, { lifetime }),
    end: (name, signed, lifetime) => write(name, { lifetime, signed }),
    async endNoted(name, time) {
      const noted = await find(keyOf(name))
      if (noted !== undefined) await write(name, { lifetime: noted.lifetime, unsigned: time })
    },
    async read(name, lifetime) {
      const key = keyOf(name)
      const found = await find(key)
      const left = (found?.expiresAt ?? 0) - Date.now()
      if (left < Math.max(lifetime, found?.lifetime ?? 0) * 0.9)
        mutex.runIfFree(`lm.${key}`, () => merge(key, { lifetime })).catch(() => undefined) // the next request tries again
      return { signed: found?.signed, unsigned: found?.unsigned }
    },
  }
}

/** Whether this is a mark as we write it. */
const isMark = object({
  lifetime: isTime,
  signed: optional(object({ issuedAt: Number.isFinite, receivedAt: isTime, tokenId: isText })),
  unsigned: optional(isTime),
})

/** A repetition of a logout token changes nothing; what came before it may have ended since. */
function laterSigned(
  before: SignedEnding | undefined,
  next: SignedEnding | undefined,
): SignedEnding | undefined {
  if (before === undefined || next === undefined) return next ?? before
  if (next.issuedAt !== before.issuedAt) return next.issuedAt > before.issuedAt ? next : before
  return next.tokenId === before.tokenId ? before : next
}
