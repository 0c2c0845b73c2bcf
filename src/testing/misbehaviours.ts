import type { AnyFault, Misbehaviour } from './faults.ts'
import type { RecordedRequest } from './recorded-request.ts'

/** A fault that applies to the request at hand. */
export type AppliedFault = AnyFault & { readonly processed: boolean }

/** What is scripted at the moment. */
export interface Misbehaviours {
  /** Returns a function that stops it. */
  add(misbehaviour: Misbehaviour): () => void
  /** The faults for this request, in the order in which they were scripted; counts them as used. */
  take(request: RecordedRequest): AppliedFault[]
  clear(): void
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
  const scripted = new Set<{ misbehaviour: Misbehaviour; seen: number }>()

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
        const { endpoint, fault, times, when, after = 0, processed = false } = entry.misbehaviour
        if (endpoint !== 'any' && endpoint !== request.endpoint) continue
        if (when && !when(request)) continue
        if (isDelivery(fault) && taken.some(isDelivery)) continue
        entry.seen += 1
        if (entry.seen <= after) continue
        if (times !== undefined && entry.seen >= after + times) scripted.delete(entry)
        if (times === undefined || entry.seen <= after + times) taken.push({ ...fault, processed })
      }
      return taken
    },

    clear: () => scripted.clear(),
  }
}
