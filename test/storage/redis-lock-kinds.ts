import { Cluster, Redis } from 'ioredis'
import { Cluster as Cluster5, Redis as Redis5 } from 'ioredis5'
import { createClient, createClientPool, createCluster } from 'redis'
import {
  createClient as createClient5,
  createClientPool as createClientPool5,
  createCluster as createCluster5,
} from 'redis5'
import { redisLock } from '../../src/storage/redis-lock.ts'
import { redisSemaphoreLock } from '../support/redis-semaphore-lock.ts'
import { type LockKind, quiet } from './lock-kind.ts'

// What docs/locks.md recommends: while a server is down, calls fail and do not wait for it.
const failFast = { maxRetriesPerRequest: 1, retryStrategy: () => 50 } as const
const failFastCluster = {
  clusterRetryStrategy: () => 50,
  redisOptions: failFast,
  maxRedirections: 1,
  enableOfflineQueue: false,
} as const

function clusterNode(url: string) {
  const { hostname, port } = new URL(url)
  return { host: hostname, port: Number(port) }
}

/** Resolves when an ioredis cluster knows its nodes. */
function isReady(client: { once(event: 'ready', listener: () => void): unknown }): Promise<void> {
  return new Promise((resolve) => client.once('ready', resolve))
}

/** All that a lock in Redis can be made of. */
export const lockKinds: readonly LockKind[] = [
  {
    name: 'redisLock, node-redis 6',
    service: 'redis',
    async open(url) {
      const client = await quiet(createClient({ url, disableOfflineQueue: true })).connect()
      return { lock: redisLock(client), close: () => client.destroy() }
    },
  },
  {
    name: 'redisLock, node-redis 6, pool',
    service: 'redis',
    async open(url) {
      const client = quiet(createClientPool({ url, disableOfflineQueue: true }))
      await client.connect()
      return { lock: redisLock(client), close: () => client.destroy() }
    },
  },
  {
    name: 'redisLock, node-redis 6, cluster',
    service: 'cluster',
    async open(url) {
      const client = quiet(
        createCluster({ rootNodes: [{ url }], defaults: { disableOfflineQueue: true } }),
      )
      await client.connect()
      return { lock: redisLock(client), close: () => client.destroy() }
    },
  },
  {
    name: 'redisLock, node-redis 5',
    service: 'redis',
    async open(url) {
      const client = await quiet(createClient5({ url, disableOfflineQueue: true })).connect()
      return { lock: redisLock(client), close: () => client.destroy() }
    },
  },
  {
    name: 'redisLock, node-redis 5, pool',
    service: 'redis',
    async open(url) {
      const client = quiet(createClientPool5({ url, disableOfflineQueue: true }))
      await client.connect()
      return { lock: redisLock(client), close: () => client.destroy() }
    },
  },
  {
    name: 'redisLock, node-redis 5, cluster',
    service: 'cluster',
    async open(url) {
      const client = quiet(
        createCluster5({ rootNodes: [{ url }], defaults: { disableOfflineQueue: true } }),
      )
      await client.connect()
      return { lock: redisLock(client), close: () => client.destroy() }
    },
  },
  {
    name: 'redisLock, ioredis 6',
    service: 'redis',
    async open(url) {
      const client = quiet(new Redis(url, failFast))
      await client.ping()
      return { lock: redisLock(client), close: () => client.disconnect() }
    },
  },
  {
    name: 'redisLock, ioredis 6, cluster',
    service: 'cluster',
    async open(url) {
      const client = quiet(new Cluster([clusterNode(url)], failFastCluster))
      await isReady(client)
      return { lock: redisLock(client), close: () => client.disconnect() }
    },
  },
  {
    name: 'redisLock, ioredis 5',
    service: 'redis',
    async open(url) {
      const client = quiet(new Redis5(url, failFast))
      await client.ping()
      return { lock: redisLock(client), close: () => client.disconnect() }
    },
  },
  {
    name: 'redisLock, ioredis 5, cluster',
    service: 'cluster',
    async open(url) {
      const client = quiet(new Cluster5([clusterNode(url)], failFastCluster))
      await isReady(client)
      return { lock: redisLock(client), close: () => client.disconnect() }
    },
  },
  {
    name: 'the adapter of docs/locks.md, redis-semaphore with ioredis',
    service: 'redis',
    async open(url) {
      const client = quiet(new Redis(url, failFast))
      await client.ping()
      return { lock: redisSemaphoreLock(client), close: () => client.disconnect() }
    },
  },
]
