import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A real server in child processes, on a free port of 127.0.0.1, with its data in a temporary folder. */
export interface Service {
  readonly port: number
  /** Freezes it: connections stay and nothing answers. */
  pause(): void
  /** Thaws it. */
  resume(): void
  /** Ends it without a warning, as a lack of memory does. The data stay. */
  kill(): Promise<void>
  /** Starts it again after `kill()`, on the same port with the same data; kills it before if it runs. */
  restart(): Promise<void>
  /** Ends it and removes its data. */
  stop(): Promise<void>
}

/** How to run a server. */
export interface ServiceProgram {
  command: string
  args(port: number, folder: string): string[] | Promise<string[]>
  /** What it prints when it can be used. */
  ready: RegExp
  /** The user that it runs as, if it must not be ours. */
  user?: { uid: number; gid: number } | undefined
  /** Makes the folder ready for the first start. */
  prepare?(folder: string): Promise<void>
  /** What ends it at once and lets it tidy up outside of its folder. Default: SIGKILL. */
  stopSignal?: NodeJS.Signals | undefined
}

interface Running {
  child: ChildProcess
  exited: Promise<unknown>
}

const portsToTry = 5

/** Starts a server; rejects with what it printed if it cannot be started. */
export async function startService(program: ServiceProgram): Promise<Service> {
  const folder = mkdtempSync(join(tmpdir(), 'service-'))
  const { user, stopSignal = 'SIGKILL' } = program
  if (user !== undefined) chownSync(folder, user.uid, user.gid)
  let running: Running | undefined

  function abandon() {
    signalAll('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  }
  process.once('exit', abandon)

  function signalAll(name: NodeJS.Signals) {
    if (running !== undefined) signalFamily(running.child, name)
  }

  async function kill() {
    signalAll('SIGKILL')
    await running?.exited
    running = undefined
  }

  async function stop() {
    process.off('exit', abandon)
    signalAll('SIGCONT') // one that is frozen hears nothing
    running?.child.kill(stopSignal)
    await running?.exited
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }

  async function start(port: number) {
    running = await launch(program, port, folder)
  }

  async function startAnywhere(): Promise<number> {
    for (let attempt = 1; ; attempt += 1) {
      const port = await findFreePort()
      try {
        await start(port)
        return port
      } catch (error) {
        // Somebody else took it meanwhile.
        if (attempt === portsToTry || !/address already in use/i.test(String(error))) throw error
      }
    }
  }

  try {
    await program.prepare?.(folder)
    const port = await startAnywhere()
    return {
      port,
      pause: () => signalAll('SIGSTOP'),
      resume: () => signalAll('SIGCONT'),
      kill,
      async restart() {
        await kill()
        await start(port)
      },
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

async function launch(program: ServiceProgram, port: number, folder: string): Promise<Running> {
  const { command, ready, user } = program
  const child = spawn(command, await program.args(port, folder), {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...user,
  })
  const exited = new Promise((resolve) => {
    child.once('close', resolve)
    child.once('error', resolve)
  })
  await new Promise<void>((resolve, reject) => {
    let output = ''
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        if (ready.test(output)) return
        output += chunk.toString()
        if (ready.test(output)) resolve()
      })
    child.once('error', reject)
    child.once('close', () => reject(new Error(`${command} ended:\n${output}`)))
  })
  return { child, exited }
}

/** Sends a signal to a server and to the processes that it started itself, the server first. */
function signalFamily(server: ChildProcess, name: NodeJS.Signals): void {
  if (server.pid === undefined || server.exitCode !== null || server.signalCode !== null) return
  for (const pid of [server.pid, ...childrenOf(server.pid)])
    try {
      process.kill(pid, name)
    } catch {
      // It has ended meanwhile.
    }
}

function childrenOf(parent: number): number[] {
  return execFileSync('ps', ['-A', '-o', 'ppid=,pid='], { encoding: 'utf8' })
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .flatMap(([ppid, pid = 0]) => (ppid === parent ? [pid] : []))
}

/** A port that nobody listened on a moment ago. */
export async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/**
 * A `describe` for suites that need a service: skipped where it is not installed, loudly, and with
 * `CI=true` failed.
 */
export function describeWith(
  service: string,
  isInstalled: boolean,
  remedy: string,
): (title: string, body: () => void) => void {
  const mustRun = process.env.CI === 'true'
  let isSaid = false
  return (title, body) => {
    if (!isInstalled && !mustRun) {
      if (!isSaid)
        console.warn(`\n!!! ${service.toUpperCase()} TESTS SKIPPED: it is missing. ${remedy}\n`)
      isSaid = true
      describe.skip(title, body) // a newcomer without it can run the rest; CI=true cannot skip
      return
    }
    describe(title, function () {
      this.timeout(60_000).slow(5_000)
      if (!isInstalled)
        before(() => {
          throw new Error(`${service} is missing. ${remedy}`)
        })
      body()
    })
  }
}
