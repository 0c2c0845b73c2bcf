import { format } from 'node:util'

/** What a piece of work printed: on the console, on stderr, as warnings of the process. */
export async function printedBy(work: () => Promise<unknown>): Promise<string> {
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
  try {
    await work()
  } finally {
    for (const restore of restores) restore()
  }
  return printed.join('\n')
}
