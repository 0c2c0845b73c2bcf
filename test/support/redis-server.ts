import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { createClient } from 'redis'
import { describeWith, findFreePort, type Service, startService } from './service.ts'
import { until } from './until.ts'

/** A Redis of the tests' own. Written to disk before it answers: nothing is lost when it is killed. */
export interface RedisServer extends Service {
  readonly url: string
}

const executable = process.env.REDIS_SERVER ?? 'redis-server'

/** A suite that needs Redis: skipped where there is none, and with `CI=true` failed. */
export const describeWithRedis = describeWith(
  'Redis',
  isExecutable(executable),
  'Install it (apt-get install redis-server), or say where it is: REDIS_SERVER=/path/to/redis-server',
)

export async function startRedis(): Promise<RedisServer> {
  const server = await startService({
    command: executable,
    args: (port, folder) => redisArguments(port, folder),
    ready: /Ready to accept connections/,
  })
  return { ...server, url: urlOf(server) }
}

/** Starts a cluster of one node that has all the slots. */
export async function startRedisCluster(): Promise<RedisServer> {
  const server = await startService({
    command: executable,
    args: async (port, folder) => [
      ...redisArguments(port, folder),
      ...['--cluster-enabled', 'yes', '--cluster-port', String(await findFreePort())],
      ...['--cluster-announce-ip', '127.0.0.1'],
    ],
    ready: /Ready to accept connections/,
  })
  const url = urlOf(server)
  try {
    await withClient(url, async (command) => {
      await command(['CLUSTER', 'ADDSLOTSRANGE', '0', '16383'])
    })
    await clusterIsReady(url)
  } catch (error) {
    await server.stop()
    throw error
  }
  return {
    ...server,
    url,
    async restart() {
      await server.restart()
      await clusterIsReady(url)
    },
  }
}

function redisArguments(port: number, folder: string): string[] {
  return [
    ...['--port', String(port), '--bind', '127.0.0.1', '--dir', folder],
    ...['--save', '', '--appendonly', 'yes', '--appendfsync', 'always'],
  ]
}

function urlOf({ port }: Service): string {
  return `redis://127.0.0.1:${port}`
}

/** A cluster has its slots at once, and takes commands a little later. */
function clusterIsReady(url: string): Promise<void> {
  return withClient(url, (command) =>
    until(async () => {
      const info = await command(['CLUSTER', 'INFO'])
      return typeof info === 'string' && info.includes('cluster_state:ok')
    }),
  )
}

async function withClient(
  url: string,
  work: (command: (words: string[]) => Promise<unknown>) => Promise<void>,
): Promise<void> {
  const client = createClient({ url })
  await client.connect()
  try {
    await work((words) => client.sendCommand(words))
  } finally {
    client.destroy()
  }
}

function isExecutable(name: string): boolean {
  const folders = name.includes('/') ? [''] : (process.env.PATH ?? '').split(delimiter)
  return folders.some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}
