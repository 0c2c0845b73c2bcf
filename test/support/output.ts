import { format } from 'node:util'

/** What is printed from now on: on the console, on stderr, as warnings of the process. */
export interface Capture {
  /** What was printed since this was called last. */
  take(): string
  /** Prints again where it belongs. */
  stop(): void
}

export function captureOutput(): Capture {
  const printed: string[] = []
  const restores: (() => void)[] = []

  function replace(target: object, name: string, value: unknown) {
    const members = target as Record<string, unknown>
    const usual = members[name]
    members[name] = value
    restores.push(() => (members[name] = usual))
  }

  const methods = ['log', 'info', 'warn', 'error', 'debug', 'trace', 'dir', 'table'] as const
  for (const method of methods)
    replace(console, method, (...values: unknown[]) => void printed.push(format(...values)))
  replace(process.stderr, 'write', (chunk: unknown) => {
    printed.push(String(chunk))
    return true
  })
  replace(process, 'emitWarning', (...values: unknown[]) => void printed.push(format(...values)))
  return {
    take: () => printed.splice(0).join('\n'),
    stop() {
      for (const restore of restores) restore()
    },
  }
}

/** What a piece of work printed. */
export async function printedBy(work: () => Promise<unknown>): Promise<string> {
  const output = captureOutput()
  try {
    await work()
  } finally {
    output.stop()
  }
  return output.take()
}
