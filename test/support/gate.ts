/** A place at which work waits until a test lets it go on. */
export interface Gate {
  /** Settles when somebody waits at it. */
  readonly reached: Promise<void>
  /** Settles when it is opened. */
  pass(): Promise<void>
  open(): void
}

export function createGate(): Gate {
  let reach = (): void => undefined
  let open = (): void => undefined
  const reached = new Promise<void>((resolve) => (reach = resolve))
  const opened = new Promise<void>((resolve) => (open = resolve))
  return {
    reached,
    pass() {
      reach()
      return opened
    },
    open: () => open(),
  }
}
