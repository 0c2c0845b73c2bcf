import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { IncomingMessage, ServerResponse } from 'node:http'

/** A request that one of the servers in this process received. */
export interface ReceivedRequest {
  method: string
  /** Path and query. */
  url: string
  authorization: string | undefined
}

/** Every request that the app, the API and the authorization server receive. */
export interface ReceivedRequests {
  readonly all: readonly ReceivedRequest[]
  /** How many token requests (RFC 6749 section 4.1.3) there were. */
  tokenRequests(): number
  /** Status of the next answer to a request for this path, at this host (and port) if one is given. */
  nextStatus(path: string, host?: string): Promise<number>
  stop(): void
}

const started = 'http.server.request.start'
const finished = 'http.server.response.finish'

/** Watches them, also those of which the browser's page learns nothing. */
export function watchRequests(): ReceivedRequests {
  const all: ReceivedRequest[] = []
  const waiting = new Map<string, (status: number) => void>()

  function note(message: unknown) {
    const { method = '', url = '', headers } = (message as { request: IncomingMessage }).request
    all.push({ method, url, authorization: headers.authorization })
  }

  function noteAnswer(message: unknown) {
    const { request, response } = message as { request: IncomingMessage; response: ServerResponse }
    const { url = '', headers } = request
    for (const place of [url, `${headers.host}${url}`]) waiting.get(place)?.(response.statusCode)
  }

  subscribe(started, note)
  subscribe(finished, noteAnswer)
  return {
    all,
    tokenRequests: () =>
      all.filter(({ method, url }) => method === 'POST' && url === '/token').length,
    nextStatus: (path, host = '') => new Promise((resolve) => waiting.set(host + path, resolve)),
    stop() {
      unsubscribe(started, note)
      unsubscribe(finished, noteAnswer)
    },
  }
}
