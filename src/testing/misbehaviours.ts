import type { AnyFault, IdTokenFault, Misbehaviour } from './faults.ts'
import type { RecordedRequest } from './recorded-request.ts'

/** A fault that applies to the request at hand. */
export type AppliedFault = AnyFault & { readonly processed: boolean }

/** What is scripted at the moment. */
export interface Misbehaviours {
  /** Returns a function that stops it. */
  add(misbehaviour: Misbehaviour): () => void
  /** The faults for this request, in the order in which they were scripted; counts them as used. */
  take(request: RecordedRequest): AppliedFault[]
  /** Those for a logout token that the server sends of its own accord, which is no request's answer. */
  takeForLogoutToken(): IdTokenFault[]
  clear(): void
}

interface Entry {
  readonly misbehaviour: Misbehaviour
  /** How many requests it could have applied to. */
  seen: number
}

/** Whether the fault decides how the answer is delivered: there can be one per request. */
export function isDelivery(fault: AnyFault): boolean {
  return ['hang', 'reset', 'drip', 'answer', 'huge'].some((kind) => Object.hasOwn(fault, kind))
}

/**
 * A registry of scripted faults. Several can apply to one request; of those that decide how the answer
 * is delivered the one scripted first does, and the others wait: so one after the other with `times: 1`
 * makes a sequence.
 */
export function createMisbehaviours(): Misbehaviours {
  const scripted = new Set<Entry>()

  /** Whether it is its turn; counts it as used. */
  function isDue(entry: Entry): boolean {
    const { times, after = 0 } = entry.misbehaviour
    entry.seen += 1
    if (times !== undefined && entry.seen >= after + times) scripted.delete(entry)
    return entry.seen > after && (times === undefined || entry.seen <= after + times)
  }

  return {
    add(misbehaviour) {
      if (Object.keys(misbehaviour.fault).length !== 1)
        throw new TypeError('A fault is an object with exactly one member; call misbehave again')
      const entry = { misbehaviour, seen: 0 }
      scripted.add(entry)
      return () => void scripted.delete(entry)
    },

    take(request) {
      const taken: AppliedFault[] = []
      for (const entry of scripted) {
        const { endpoint, fault, when, processed = false } = entry.misbehaviour
        if (endpoint !== 'any' && endpoint !== request.endpoint) continue
        if (when && !when(request)) continue
        if (isDelivery(fault) && taken.some(isDelivery)) continue
        if (isDue(entry)) taken.push({ ...fault, processed })
      }
      return taken
    },

    takeForLogoutToken() {
      const taken: IdTokenFault[] = []
      for (const entry of scripted) {
        const { logoutToken }: AnyFault = entry.misbehaviour.fault
        if (logoutToken && !entry.misbehaviour.when && isDue(entry)) taken.push(logoutToken)
      }
      return taken
    },

    clear: () => scripted.clear(),
  }
}
