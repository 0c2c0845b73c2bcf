import type { Lock } from '../../src/options/lock.ts'

/** A lock with a client of its own, as a process has one. */
export interface OpenLock {
  lock: Lock
  close: () => unknown
}

export type ServiceName = 'redis' | 'cluster' | 'postgres'

/** Something that a lock can be made of. */
export interface LockKind {
  name: string
  service: ServiceName
  open: (url: string) => Promise<OpenLock>
}

/** The part of an event emitter that says it: clients without a listener end the process. */
interface Emitter {
  on(event: 'error', listener: () => void): unknown
}

export function quiet<T extends Emitter>(client: T): T {
  client.on('error', () => undefined)
  return client
}
