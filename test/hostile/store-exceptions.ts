import type { Call, Fault } from './faulty-calls.ts'
import type { HostileFlow } from './store-scene.ts'

/** Something that a rule forbids, and that has to be so. */
interface Exception {
  flow?: RegExp
  call: Partial<Call>
  faults?: readonly Fault[]
  /** How what is found begins. */
  allows: readonly string[]
  why: string
}

const exceptions: readonly Exception[] = [
  {
    call: { operation: 'destroy', kind: 'session' },
    faults: ['fails, having done it', 'comes late', 'comes last'],
    allows: ['after it: state', 'again: state', 'at last: state'],
    why: 'the session before is gone, and what the app kept in it: the store said that it is there',
  },
  {
    call: { operation: 'set', kind: 'session', byExpressSession: true },
    allows: ['after it: state'],
    why: 'the sign-in stands, and its cookie was lost with the answer (row D-74): a repetition brings it',
  },
  {
    flow: /^(login from|silentLogin in) a session/,
    call: { operation: 'set', kind: 'session', byExpressSession: true },
    allows: ['again: state'],
    why: 'as before; but who begins anew brings no callback again, which alone would bring the cookie',
  },
  {
    flow: /^(connect|tokens per user)/,
    call: { operation: 'set', kind: 'tokens' },
    faults: ['comes last'],
    allows: ['at last:'],
    why: 'writes of one key keep their order for two seconds after one was given up, not for ever',
  },
]

/** What may be found although a rule forbids it. */
export function exceptionsFor({ name }: HostileFlow, call: Call, fault: Fault): readonly string[] {
  return exceptions
    .filter(
      (each) =>
        (each.flow?.test(name) ?? true) &&
        (each.faults?.includes(fault) ?? true) &&
        Object.entries(each.call).every(([key, value]) => call[key as keyof Call] === value),
    )
    .flatMap(({ allows }) => allows)
}
