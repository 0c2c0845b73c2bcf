import { randomBytes } from 'node:crypto'
import { ConfigurationError } from '../errors.ts'
import { invalid, isText, refuseUnknown } from '../options/checks.ts'
import type { Lease, Lock } from '../options/lock.ts'

/** A client, cluster or client pool of node-redis 5 or 6: as much of it as a lock needs. */
export interface NodeRedisClient {
  readonly isOpen: boolean
  eval(script: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>
}

/** A `Redis` or `Cluster` of ioredis 5 or 6: as much of it as a lock needs. */
export interface IoredisClient {
  readonly status: string
  eval(script: string, numberOfKeys: number, ...keysAndArguments: string[]): Promise<unknown>
}

export interface RedisLockOptions {
  /**
   * What the keys in Redis begin with. Processes that share their leases give the same one; apps that
   * share a Redis and no leases give different ones. Default: `'pkce-flow:lock:'`.
   */
  prefix?: string | undefined
}

/** Runs a script on one key; resolves to whether it returned 1. */
type RunScript = (script: string, key: string, ...rest: string[]) => Promise<boolean>

/**
 * ioredis sends a command again whose answer was lost with the connection: an owner who has the lease
 * already gets it as well, else the lost answer would lock everybody out.
 */
const acquireScript = `
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return 1 end
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 0`

const extendScript = `
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 0`

const releaseScript = `
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0`

/**
 * Leases in Redis, one key for each. Calls take as long as the client takes: let it fail fast while
 * Redis is down (`disableOfflineQueue: true` of node-redis, `maxRetriesPerRequest: 1` of ioredis).
 *
 * @param client a client that the app connects, closes, and listens to the `error` events of
 * @throws `configuration` for anything that is no such client, and for a wrong option
 */
export function redisLock(
  client: NodeRedisClient | IoredisClient,
  options: Readonly<RedisLockOptions> = {},
): Lock {
  const run = scriptRunner(client)
  refuseUnknown(options, ['prefix'], '')
  const { prefix = 'pkce-flow:lock:' } = options
  if (!isText(prefix)) throw invalid('prefix', 'must be a non-empty string')

  return {
    async acquire(name, duration) {
      const key = prefix + name
      const owner = randomBytes(16).toString('base64url')
      const isTaken = await run(acquireScript, key, owner, String(duration))
      return isTaken ? createLease(run, key, owner) : undefined
    },
  }
}

function createLease(run: RunScript, key: string, owner: string): Lease {
  return {
    extend: (duration) => run(extendScript, key, owner, String(duration)),
    async release() {
      await run(releaseScript, key, owner)
    },
  }
}

function scriptRunner(client: unknown): RunScript {
  if (isNodeRedis(client))
    return async (script, key, ...rest) =>
      isOne(await client.eval(script, { keys: [key], arguments: rest }))
  if (isIoredis(client))
    return async (script, key, ...rest) => isOne(await client.eval(script, 1, key, ...rest))
  throw new ConfigurationError(
    'redisLock takes a client of node-redis 5 or newer (createClient(), createCluster() or ' +
      'createClientPool()) or of ioredis (new Redis() or new Cluster()).',
  )
}

/**
 * Both have `eval` with other arguments. `isOpen` is what node-redis has on clients, clusters and pools,
 * and neither on its transactions nor on its interface for callbacks.
 */
function isNodeRedis(client: unknown): client is NodeRedisClient {
  const { eval: run, isOpen } = (client ?? {}) as Partial<NodeRedisClient>
  return typeof run === 'function' && typeof isOpen === 'boolean'
}

/** `status` is what ioredis has on a `Redis` and a `Cluster`, and not on its pipelines. */
function isIoredis(client: unknown): client is IoredisClient {
  const { eval: run, status } = (client ?? {}) as Partial<IoredisClient>
  return typeof run === 'function' && typeof status === 'string'
}

/** Clients can be told to give numbers as text. */
function isOne(reply: unknown): boolean {
  return Number(reply) === 1
}
