import http from 'node:http'
import type { AddressInfo } from 'node:net'

/** A database whose answers can be held back. */
export interface SlowDatabase {
  readonly url: string
  /** Resolves when the first statement has come that waits. */
  readonly asked: Promise<void>
  /** Answers what waits. */
  answer(): void
  /** Answers what waits, and from now on at once. */
  hurry(): void
  close(): Promise<void>
}

export async function startSlowDatabase(): Promise<SlowDatabase> {
  let waiting: http.ServerResponse[] = []
  let isQuick = false
  let beAsked: () => void
  const asked = new Promise<void>((resolve) => (beAsked = resolve))
  const listener = http.createServer((_request, response) => {
    if (isQuick) {
      response.end()
      return
    }
    waiting.push(response)
    beAsked()
  })
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))

  function answer() {
    for (const response of waiting) response.end()
    waiting = []
  }

  return {
    url: `http://127.0.0.1:${(listener.address() as AddressInfo).port}`,
    asked,
    answer,
    hurry() {
      isQuick = true
      answer()
    },
    async close() {
      listener.closeAllConnections()
      await new Promise((resolve) => listener.close(resolve))
    },
  }
}
