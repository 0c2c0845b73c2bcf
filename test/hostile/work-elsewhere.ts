import diagnostics from 'node:diagnostics_channel'

/** What goes on where no store or lock is waited for. */
export interface WorkElsewhere {
  /** Requests to the authorization server and cryptography that have not ended. */
  readonly underWay: number
  /** Grows whenever any request or piece of cryptography begins or ends. */
  readonly changes: number
  /** Watches no more. */
  release(): void
}

type Job = (...values: never[]) => Promise<unknown>

const cryptography = ['digest', 'exportKey', 'generateKey', 'importKey', 'sign', 'verify'] as const

/** Watches the requests of this process, and the cryptography that threads of its own do for it. */
export function watchWorkElsewhere(serverHost: string): WorkElsewhere {
  let underWay = 0
  let changes = 0

  const subscriptions = (
    [
      ['http.client.request.start', 1],
      ['http.client.response.finish', -1],
      ['http.client.request.error', -1],
    ] as const
  ).map(([name, by]) => {
    const count = (message: unknown) => {
      const { request } = message as { request: { getHeader(name: string): unknown } }
      changes += 1
      if (request.getHeader('host') === serverHost) underWay += by
    }
    diagnostics.subscribe(name, count)
    return () => diagnostics.unsubscribe(name, count)
  })

  const { subtle } = globalThis.crypto
  const jobs = subtle as unknown as Record<string, Job>
  for (const name of cryptography) {
    const usual = jobs[name]!.bind(subtle)
    jobs[name] = async (...values) => {
      underWay += 1
      changes += 1
      try {
        return await usual(...values)
      } finally {
        underWay -= 1
        changes += 1
      }
    }
  }

  return {
    get underWay() {
      return underWay
    },
    get changes() {
      return changes
    },
    release() {
      for (const unsubscribe of subscriptions) unsubscribe()
      // Those of the prototype again.
      for (const name of cryptography) Reflect.deleteProperty(subtle, name)
    },
  }
}
