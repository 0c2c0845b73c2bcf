import { MemoryStore } from 'express-session'
import type { Lease, Lock } from '../../src/index.ts'
import { callers } from './callers.ts'
import type { PassingTime } from './passing-time.ts'

/** Something that stores or leases, and that a flow calls. */
export interface Call {
  place: 'store' | 'tokenStore' | 'lock'
  operation: string
  /** What is stored there, by its key. */
  kind: string
  /** Whether express-session calls for itself: loads, saves or touches the session of a request. */
  byExpressSession: boolean
}

/** What one call does instead of its work. */
export type Fault =
  /** Calls back with an error, or rejects. */
  | 'fails'
  /** Throws at once. */
  | 'throws'
  /** Does its work and says that it failed; one that calls back, then says that it succeeded. */
  | 'fails, having done it'
  /** Never answers. */
  | 'hangs'
  /** Does its work when nobody waits any more, a second after the limit. */
  | 'comes late'
  /** Does its work when everything is over, and has been done again. */
  | 'comes last'
  /** Does its work, says so, then that it failed. */
  | 'answers, then fails'
  /** Does its work and says so twice. */
  | 'answers twice'
  /** Says that somebody else has the lease, or that nothing was written. */
  | 'says no'

/** Whether this call can do that. */
export function isPossible({ place, operation, byExpressSession }: Call, fault: Fault): boolean {
  switch (fault) {
    // A promise settles once; express-session goes on twice if it is answered twice.
    case 'answers, then fails':
    case 'answers twice':
      return place === 'store' && !byExpressSession
    case 'says no':
      return (
        ['acquire', 'extend'].includes(operation) || (place === 'tokenStore' && operation === 'set')
      )
    // Nobody would know of it.
    case 'fails, having done it':
    case 'comes last':
      return operation !== 'get'
    default:
      return true
  }
}

/** Stores and a lock whose n-th call is at fault. */
export interface FaultyCalls {
  readonly store: MemoryStore
  readonly tokenStore: {
    get(key: string): unknown
    set(...values: unknown[]): unknown
    delete(key: string): unknown
  }
  readonly lock: Lock
  /** Of the session store: JSON by key. */
  readonly rows: Record<string, string>
  readonly userRows: Map<string, unknown>
  /** Since they were last counted anew. */
  readonly calls: readonly Call[]
  /** Calls that are at work. */
  readonly atWork: number
  /** The call that is at fault, when it was made. */
  readonly spoilt: Call | undefined
  /** Whether it has not answered. */
  readonly isStuck: boolean
  /** Counts anew; the call of this number, from 0, will be at fault. */
  spoil(index?: number, fault?: Fault): void
  /** Counts no more; nothing new is at fault. */
  stop(): void
  /** Does what `comes last`. */
  doLast(): void
  /** Forgets who has which lease. */
  freeLeases(): void
}

const lateAfter = 6_000

export function createFaultyCalls(time: PassingTime): FaultyCalls {
  const store = new MemoryStore() as MemoryStore & { sessions: Record<string, string> }
  const userRows = new Map<string, unknown>()
  const leases = new Map<string, { until: number }>()
  let calls: Call[] = []
  let counts = false
  let chosen: { index: number; fault: Fault } | undefined
  let spoilt: Call | undefined
  let last: (() => void) | undefined
  let isStuck = false
  let atWork = 0

  /** The fault of a call, if it is the one. */
  function faultOf(call: Call): Fault | undefined {
    if (!counts) return undefined
    calls.push(call)
    if (chosen?.index !== calls.length - 1) return undefined
    spoilt = call
    return chosen.fault
  }

  function stick(fault: Fault, work: () => void) {
    isStuck = true
    const come = () => {
      isStuck = false
      work()
    }
    if (fault === 'comes late') time.after(lateAfter, come)
    if (fault === 'comes last') last = come
  }

  type Done = (error?: unknown, found?: unknown) => void

  for (const operation of ['get', 'set', 'destroy', 'touch'] as const) {
    const usual = (store[operation] as (...values: unknown[]) => void).bind(store)
    Object.assign(store, {
      [operation](key: string, ...rest: unknown[]) {
        const done = (typeof rest.at(-1) === 'function' ? rest.pop() : () => undefined) as Done
        const kind = kindOf(key)
        const byExpressSession = kind === 'session' && isForItself()
        const fault = faultOf({ place: 'store', operation, kind, byExpressSession })
        const error = () => errorOf(operation, key, rest[0])
        const work = (then: Done) => {
          atWork += 1
          usual(key, ...rest, (...said: [unknown?, unknown?]) => {
            atWork -= 1
            then(...said)
          })
        }
        switch (fault) {
          case undefined:
          case 'says no':
            work(done)
            return
          case 'throws':
            throw error()
          case 'fails':
            setImmediate(done, error())
            return
          case 'fails, having done it':
            work((...said) => {
              done(error())
              if (!byExpressSession) done(...said)
            })
            return
          case 'answers, then fails':
            work((...said) => {
              done(...said)
              done(error())
            })
            return
          case 'answers twice':
            work((...said) => {
              done(...said)
              done(...said)
            })
            return
          default:
            stick(fault, () => work(done))
        }
      },
    })
  }

  /** A call that gives a promise. */
  function promised<T>(call: Call, key: string, work: () => T, no?: T): Promise<T> {
    const fault = faultOf(call)
    const error = () => errorOf(call.operation, key, undefined)
    switch (fault) {
      case 'throws':
        throw error()
      case 'fails':
        return Promise.reject(error())
      case 'fails, having done it':
        work()
        return Promise.reject(error())
      case 'says no':
        return Promise.resolve(no as T)
      case 'hangs':
      case 'comes late':
      case 'comes last':
        return new Promise((resolve) => stick(fault, () => resolve(work())))
      default:
        return Promise.resolve(work())
    }
  }

  const ofLock = (operation: string): Call => ({
    place: 'lock',
    operation,
    kind: 'lease',
    byExpressSession: false,
  })

  function take(key: string, duration: number): Lease | undefined {
    const now = Date.now()
    if ((leases.get(key)?.until ?? 0) > now) return undefined
    const own = { until: now + duration }
    leases.set(key, own)
    const isOwn = () => leases.get(key) === own && own.until > Date.now()
    return {
      extend: (more) =>
        promised(
          ofLock('extend'),
          key,
          () => {
            if (isOwn()) own.until = Date.now() + more
            return isOwn()
          },
          false,
        ),
      release: () =>
        promised(ofLock('release'), key, () => {
          if (isOwn()) leases.delete(key)
        }),
    }
  }

  const ofUsers = (operation: string): Call => ({
    place: 'tokenStore',
    operation,
    kind: 'tokens',
    byExpressSession: false,
  })

  return {
    store,
    userRows,
    rows: store.sessions,
    tokenStore: {
      get: (key) => promised(ofUsers('get'), key, () => userRows.get(key)),
      set: (key, value) =>
        promised<unknown>(
          ofUsers('set'),
          String(key),
          () => userRows.set(String(key), value),
          false,
        ),
      delete: (key) => promised(ofUsers('delete'), key, () => userRows.delete(key)),
    },
    lock: {
      acquire: (key, duration) => promised(ofLock('acquire'), key, () => take(key, duration)),
    },
    get calls() {
      return calls
    },
    get atWork() {
      return atWork
    },
    get spoilt() {
      return spoilt
    },
    get isStuck() {
      return isStuck
    },
    spoil(index = -1, fault = 'fails') {
      calls = []
      counts = true
      chosen = { index, fault }
      spoilt = undefined
      isStuck = false
      last = undefined
    },
    stop() {
      counts = false
      spoilt = undefined
    },
    doLast() {
      last?.()
      last = undefined
    },
    freeLeases: () => leases.clear(),
  }
}

function kindOf(key: string): string {
  if (key.startsWith('pl.')) return 'pending login'
  if (key.startsWith('lm.')) return 'logouts'
  return key.startsWith('tr.') ? 'tokens' : 'session'
}

/** Whether the middleware calls, not a handler of ours that saves its session. */
function isForItself(): boolean {
  const nearest = callers(12).find(
    ({ file, name }) =>
      /express-session\/index\.js|\/src\/(http|storage)\//.test(file) && name !== 'save',
  )
  return nearest?.file.includes('express-session/index.js') === true
}

/** As talkative as errors of stores are: the whole command is in it. */
function errorOf(operation: string, key: string, given: unknown): Error {
  const command = `${operation} ${key} ${given === undefined ? '' : JSON.stringify(given)}`
  const cause = new Error(`The connection was lost while sending ${command}`)
  return Object.assign(new Error(`${command} failed`, { cause }), { command })
}
