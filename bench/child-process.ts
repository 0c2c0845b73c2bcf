import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** What a child process says over the IPC channel that `fork` opened. */
export type ChildMessage = { origin: string } | { answer: number }

/** A server in a process of its own. */
export interface ServerProcess {
  origin: string
  /** What it answers to a question; which ones it knows is said in its file. */
  ask: (question: string) => Promise<number>
  /** Ends the process and waits until it is gone. */
  stop: () => Promise<void>
}

const answerTimeout = 60_000

/** Starts a file of this folder, TypeScript or JavaScript, and waits until it listens. */
export async function startServerProcess(
  file: string,
  { args = [], nodeOptions = [] }: { args?: string[]; nodeOptions?: string[] } = {},
): Promise<ServerProcess> {
  const loader = file.endsWith('.ts') ? ['--import', import.meta.resolve('tsx')] : []
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), args, {
    execArgv: [...loader, ...nodeOptions],
  })
  try {
    const ready = await receive(child, file)
    if (!('origin' in ready)) throw new Error(`${file} did not say where it listens.`)
    return {
      origin: ready.origin,
      async ask(question) {
        child.send(question)
        const message = await receive(child, file)
        if (!('answer' in message)) throw new Error(`${file} did not answer "${question}".`)
        return message.answer
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
