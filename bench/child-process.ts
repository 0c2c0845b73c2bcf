import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { ChildMessage } from './child-side.ts'

/** A server in a process of its own. */
export interface ServerProcess {
  origin: string
  /** CPU time, user and system, that the process has used since its start. */
  cpuMicroseconds: () => Promise<number>
  /** Ends the process and waits until it is gone. */
  stop: () => Promise<void>
}

const answerTimeout = 20_000

/** Starts a TypeScript file of this folder and waits until it listens. */
export async function startServerProcess(
  file: string,
  { args = [], nodeOptions = [] }: { args?: string[]; nodeOptions?: string[] } = {},
): Promise<ServerProcess> {
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), args, {
    execArgv: ['--import', import.meta.resolve('tsx'), ...nodeOptions],
  })
  try {
    const ready = await receive(child, file)
    if (!('origin' in ready)) throw new Error(`${file} did not say where it listens.`)
    return {
      origin: ready.origin,
      async cpuMicroseconds() {
        child.send('cpu')
        const answer = await receive(child, file)
        if (!('cpuMicroseconds' in answer)) throw new Error(`${file} did not say its CPU time.`)
        return answer.cpuMicroseconds
      },
      stop: () => stop(child),
    }
  } catch (err) {
    await stop(child)
    throw err
  }
}

async function receive(child: ChildProcess, file: string): Promise<ChildMessage> {
  const settled = new AbortController()
  const signal = AbortSignal.any([settled.signal, AbortSignal.timeout(answerTimeout)])
  try {
    const [message] = (await Promise.race([
      once(child, 'message', { signal }),
      once(child, 'exit', { signal }).then(() => {
        throw new Error(`${file} ended, exit code ${child.exitCode ?? -1}.`)
      }),
    ])) as [ChildMessage]
    return message
  } finally {
    settled.abort()
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  // Letting go of the channel makes the child exit by itself, which writes its CPU profile if one
  // was asked for.
  if (child.connected) child.disconnect()
  const kill = setTimeout(() => child.kill('SIGKILL'), 5_000)
  await gone
  clearTimeout(kill)
}
