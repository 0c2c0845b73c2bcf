import { startService, type Service } from '../test/support/service.ts'
import { startServerProcess, type ServerProcess } from './child-process.ts'
import type { Contender } from './contenders.ts'
import type { Place } from './person.ts'
import { registration } from './registration.ts'
import { concurrency, type Extent } from './rounds.ts'
import { createConnections } from './user-agent.ts'

/** Processes of one measure, and how long it may be. */
export interface Bench {
  /** Starts an app, with settings beside those of the contender. */
  start(contender: Contender, more?: AppSettings): Promise<RunningApp>
  /** Starts those that were chosen, in this order. */
  startAll(contenders: readonly Contender[], more?: AppSettings): Promise<RunningApp[]>
  /** URL of a Redis, started when first asked for. */
  redis(): Promise<string>
  /** Bytes of the authorization server's last token endpoint response. */
  tokenBytes(): Promise<number>
  extent(rounds: number, times: number, warmUp: number): Extent
  /** A number of repetitions, scaled. */
  times(count: number): number
  close(): Promise<void>
}

/** What an app is told. */
export type AppSettings = Record<string, unknown>

/** An app in a process of its own. */
export interface RunningApp {
  place: Place
  process: ServerProcess
}

/** How a run was asked for. */
export interface BenchOptions {
  scale: number
  /** Parts of the names of those that are measured beside the baselines; '' is in each. */
  apps: readonly string[]
  profileFolder: string | undefined
}

export async function createBench({ scale, apps, profileFolder }: BenchOptions): Promise<Bench> {
  const connections = createConnections(concurrency)
  const server = await startServerProcess('./authorization-server.ts')
  const running = [server]
  let redis: Promise<Service> | undefined

  const nodeOptions = ['--expose-gc']
  if (profileFolder !== undefined) nodeOptions.push('--cpu-prof', `--cpu-prof-dir=${profileFolder}`)

  const bench: Bench = {
    async start(contender, more) {
      const settings = { ...contender.settings, ...more, issuer: server.origin, registration }
      const args = [JSON.stringify(settings)]
      const process = await startServerProcess(contender.file, { args, nodeOptions })
      running.push(process)
      const { origin } = process
      return { process, place: { contender, origin, issuer: server.origin, connections } }
    },
    async startAll(contenders, more) {
      const started: RunningApp[] = []
      for (const contender of contenders)
        if (apps.some((part) => contender.name.includes(part)))
          started.push(await bench.start(contender, more))
      return started
    },
    async redis() {
      redis ??= startService({
        command: 'redis-server',
        args: (port, folder) => [
          ...['--port', String(port), '--bind', '127.0.0.1', '--dir', folder],
          ...['--save', '', '--appendonly', 'no'],
        ],
        ready: /Ready to accept connections/,
      })
      return `redis://127.0.0.1:${(await redis).port}`
    },
    tokenBytes: () => server.ask('bytes'),
    extent: (rounds, times, warmUp) => ({
      rounds,
      times: bench.times(times),
      warmUp: bench.times(warmUp),
    }),
    times: (count) => Math.max(Math.round(count * scale), 24),
    async close() {
      await Promise.all(running.map((child) => child.stop()))
      await (await redis)?.stop()
      connections.destroy()
    },
  }
  return bench
}
