import { inspect } from 'node:util'

/** Everything that an error shows to whoever looks closely. */
export function everythingIn(error: unknown): string {
  const parts = [
    inspect(error, { depth: Infinity, showHidden: true, getters: true, maxStringLength: null }),
    JSON.stringify(error) ?? '',
    String(error),
  ]
  if (error instanceof Error) {
    parts.push(error.stack ?? '', JSON.stringify(error, Object.getOwnPropertyNames(error)))
    if (error.cause !== undefined) parts.push(everythingIn(error.cause))
  }
  return parts.join('\n')
}
