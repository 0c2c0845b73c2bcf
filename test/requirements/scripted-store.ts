import { MemoryStore } from 'express-session'

export type StoreOperation = 'get' | 'set' | 'destroy' | 'touch'

/** What a stored entry is, told by its key. */
export type StoredKind = 'session' | 'pending login' | 'tokens' | 'logouts'

/** What a store does instead of its work. */
export type StoreMisbehaviour =
  /** Calls back with an error. */
  | 'fails'
  /** Throws. */
  | 'throws'
  /** Never calls back. */
  | 'hangs'
  /** Does its work and calls back two times, the second time with an error. */
  | 'answers twice'

/** A scripted fault. */
export interface StoreFault {
  operation: StoreOperation
  kind: StoredKind
  how: StoreMisbehaviour
  /** How many calls it lets pass before. Default: `0`. */
  after?: number
  /** How many calls it applies to. Default: all. */
  times?: number
}

/** What is stored under a key; records of the flow have their content apart. */
export type StoredRow = Record<string, unknown> & {
  content?: Record<string, unknown>
  cookie?: { expires?: string | null }
}

/** A session store in memory that can be told to misbehave. */
export interface ScriptedStore extends MemoryStore {
  misbehave(fault: StoreFault): void
  /** Ends every fault. */
  behave(): void
  /** How often it was called. */
  count(operation: StoreOperation, kind: StoredKind): number
  /** Does what hung, late. */
  catchUp(): void
  /** Forgets everything. */
  empty(): void
  /** Keys of what is stored. */
  keys(kind: StoredKind): string[]
  read(key: string): StoredRow
  write(key: string, value: object): void
  drop(key: string): void
  /** As another process has it: its own store object, the same content. */
  share(): ScriptedStore
}

type Rows = Record<string, string>
type Call = (...values: unknown[]) => void
type Callback = (error?: unknown, found?: unknown) => void

function kindOf(key: string): StoredKind {
  if (key.startsWith('pl.')) return 'pending login'
  if (key.startsWith('lm.')) return 'logouts'
  return key.startsWith('tr.') ? 'tokens' : 'session'
}

/** As talkative as errors of stores are: the whole command is in it. */
function errorOf(operation: StoreOperation, key: unknown, given: unknown): Error {
  const command = [operation, key, typeof given === 'object' ? JSON.stringify(given) : '']
  const cause = new Error(`The connection was lost while sending ${command.join(' ')}`)
  return Object.assign(new Error(`${command.join(' ')} failed`, { cause }), { command })
}

/** Makes a store that behaves until it is told otherwise. */
export function createScriptedStore(shared?: ScriptedStore): ScriptedStore {
  const store = new MemoryStore() as ScriptedStore & { sessions: Rows }
  if (shared) store.sessions = (shared as typeof store).sessions
  let faults: (StoreFault & { seen: number })[] = []
  let hanging: (() => void)[] = []
  const calls: string[] = []

  function faultOf(operation: StoreOperation, key: string): StoreMisbehaviour | undefined {
    const kind = kindOf(key)
    for (const fault of faults) {
      if (fault.operation !== operation || fault.kind !== kind) continue
      fault.seen += 1
      const { after = 0, times = Infinity, seen } = fault
      if (seen > after && seen <= after + times) return fault.how
    }
    return undefined
  }

  for (const operation of ['get', 'set', 'destroy', 'touch'] as const) {
    const work = store[operation].bind(store) as Call
    const spoilt: Call = (key, ...rest) => {
      const done = rest.at(-1) as Callback | undefined
      calls.push(`${operation} ${kindOf(String(key))}`)
      switch (faultOf(operation, String(key))) {
        case undefined:
          work(key, ...rest)
          return
        case 'fails':
          setImmediate(() => done?.(errorOf(operation, key, rest[0])))
          return
        case 'throws':
          throw errorOf(operation, key, rest[0])
        case 'hangs':
          hanging.push(() => work(key, ...rest))
          return
        case 'answers twice':
          work(key, ...rest.slice(0, -1), (error?: unknown, found?: unknown) => {
            done?.(error, found)
            done?.(new Error('said afterwards'))
          })
      }
    }
    Object.assign(store, { [operation]: spoilt })
  }

  return Object.assign(store, {
    misbehave: (fault: StoreFault) => void faults.push({ ...fault, seen: 0 }),
    behave: () => void (faults = []),
    count: (operation: StoreOperation, kind: StoredKind) =>
      calls.filter((call) => call === `${operation} ${kind}`).length,
    catchUp() {
      for (const call of hanging) call()
      hanging = []
    },
    empty() {
      for (const key of Object.keys(store.sessions)) Reflect.deleteProperty(store.sessions, key)
    },
    keys: (kind: StoredKind) => Object.keys(store.sessions).filter((key) => kindOf(key) === kind),
    read: (key: string) => JSON.parse(store.sessions[key] ?? '{}') as StoredRow,
    write: (key: string, value: object) => void (store.sessions[key] = JSON.stringify(value)),
    drop: (key: string) => void Reflect.deleteProperty(store.sessions, key),
    share: () => createScriptedStore(store),
  })
}
