import type { Redis } from 'ioredis'
import { Mutex } from 'redis-semaphore'
import type { Lock } from '../../src/options/lock.ts'

export function redisSemaphoreLock(client: Redis): Lock {
  // Whoever uses the lock extends its leases, and asks again.
  const once = { refreshInterval: 0, acquireAttemptsLimit: 1, retryInterval: 0 }
  return {
    async acquire(key, duration) {
      const name = `my-app:${key}`
      const mutex = new Mutex(client, name, { ...once, lockTimeout: duration })
      if (!(await mutex.tryAcquire())) return undefined
      const mine = { ...once, identifier: mutex.identifier, acquiredExternally: true } as const
      return {
        extend: (lockTimeout) => new Mutex(client, name, { ...mine, lockTimeout }).tryAcquire(),
        release: () => mutex.release(),
      }
    },
  }
}
