import { expectTypeOf } from 'expect-type'
import { Cluster, Redis } from 'ioredis'
import { Cluster as Cluster5, Redis as Redis5 } from 'ioredis5'
import pg from 'pg'
import { createClient, createClientPool, createCluster, RESP_TYPES } from 'redis'
import * as redis5 from 'redis5'
import type { Lease, Lock } from '../../src/options/lock.ts'
import { postgresLock } from '../../src/storage/postgres-lock.ts'
import { redisLock } from '../../src/storage/redis-lock.ts'

// Clients as their packages make them.
expectTypeOf(redisLock(createClient())).toEqualTypeOf<Lock>()
redisLock(createClient({ url: 'redis://127.0.0.1', RESP: 2 }))
redisLock(createClient().withTypeMapping({ [RESP_TYPES.NUMBER]: String }))
redisLock(createCluster({ rootNodes: [] }))
redisLock(createClientPool())
redisLock(redis5.createClient())
redisLock(redis5.createClient({ RESP: 3 }))
redisLock(redis5.createCluster({ rootNodes: [] }))
redisLock(redis5.createClientPool())
redisLock(new Redis())
redisLock(new Redis({ stringNumbers: true }))
redisLock(new Cluster([]))
redisLock(new Redis5())
redisLock(new Cluster5([]))
expectTypeOf(postgresLock(new pg.Pool())).toEqualTypeOf<Lock>()

// What is no such client, or one that has not been made yet.
// @ts-expect-error -- a URL is no client
redisLock('redis://127.0.0.1')
// @ts-expect-error -- a client is missing
redisLock(undefined)
// @ts-expect-error -- a promise of a client
redisLock(createClient().connect())
// @ts-expect-error -- the interface for callbacks
redisLock(createClient().legacy())
// @ts-expect-error -- a transaction
redisLock(createClient().multi())
// @ts-expect-error -- a pipeline
redisLock(new Redis().pipeline())
// @ts-expect-error -- a pool of PostgreSQL
redisLock(new pg.Pool())
// @ts-expect-error -- a client of Redis
postgresLock(createClient())
// @ts-expect-error -- settings for a pool
postgresLock({ connectionString: 'postgres://127.0.0.1' })

// Options.
redisLock(createClient(), { prefix: 'my-app:' })
redisLock(createClient(), { prefix: undefined })
// @ts-expect-error -- a misspelt option
redisLock(createClient(), { prefx: 'my-app:' })
postgresLock(new pg.Pool(), { table: 'auth.locks', createTable: true })
postgresLock(new pg.Pool(), { table: undefined, createTable: undefined })
// @ts-expect-error -- a misspelt option
postgresLock(new pg.Pool(), { tableName: 'locks' })

// What comes back.
declare const lock: Lock
expectTypeOf(lock.acquire('key', 1_000)).toEqualTypeOf<Promise<Lease | undefined>>()
declare const lease: Lease
expectTypeOf(lease.extend(1_000)).toEqualTypeOf<Promise<boolean>>()
expectTypeOf(lease.release()).toEqualTypeOf<Promise<void>>()
