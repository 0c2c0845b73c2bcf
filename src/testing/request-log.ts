import type { TestServerEndpoint } from './endpoints.ts'
import type { RecordedRequest } from './recorded-request.ts'

/** The requests that a server got. */
export interface RequestLog {
  readonly requests: readonly RecordedRequest[]
  add(request: RecordedRequest): void
  count(endpoint: TestServerEndpoint): number
  received(endpoint: TestServerEndpoint, count?: number): Promise<RecordedRequest>
  clear(): void
}

/** Without `record` it only counts: under load the requests would fill the memory. */
export function createRequestLog(record: boolean): RequestLog {
  const requests: RecordedRequest[] = []
  const counts = new Map<TestServerEndpoint, number>()
  const waiting = new Set<() => void>()
  const of = (endpoint: TestServerEndpoint): RecordedRequest[] =>
    requests.filter((request) => request.endpoint === endpoint)

  return {
    requests,
    add(request) {
      counts.set(request.endpoint, (counts.get(request.endpoint) ?? 0) + 1)
      if (record) requests.push(request)
      for (const check of waiting) check()
    },
    count: (endpoint) => counts.get(endpoint) ?? 0,
    received: (endpoint, count = 1) =>
      new Promise((resolve) => {
        const check = (): void => {
          const request = of(endpoint)[count - 1]
          if (!request) return
          waiting.delete(check)
          resolve(request)
        }
        waiting.add(check)
        check()
      }),
    clear() {
      requests.length = 0
      counts.clear()
    },
  }
}
