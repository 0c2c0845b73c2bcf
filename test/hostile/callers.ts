/** A function that is under way. */
export interface Caller {
  file: string
  name: string | null
}

/** Whose call it is, the nearest first. Of a stack as text most of the time of these tests would go into it. */
export function callers(most: number): Caller[] {
  const { stackTraceLimit } = Error
  const prepare = Object.getOwnPropertyDescriptor(Error, 'prepareStackTrace')
  Error.stackTraceLimit = most
  Error.prepareStackTrace = (_error, sites) =>
    sites.map((site) => ({ file: site.getFileName() ?? '', name: site.getFunctionName() }))
  const { stack } = new Error() as unknown as { stack: Caller[] }
  Error.stackTraceLimit = stackTraceLimit
  if (prepare === undefined) Reflect.deleteProperty(Error, 'prepareStackTrace')
  else Object.defineProperty(Error, 'prepareStackTrace', prepare)
  return stack
}
