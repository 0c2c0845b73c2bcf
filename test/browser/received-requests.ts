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

/** Watches them, also those of which the browser's page learns nothing. */
export function watchRequests(): ReceivedRequests {
  const all: ReceivedRequest[] = []
  const waiting = new Map<string, (status: number) => void>()

  function note(message: unknown) {
    const { request, response } = message as { request: IncomingMessage; response: ServerResponse }
    const { method = '', url = '', headers } = request
    all.push({ method, url, authorization: headers.authorization })
    // Not its end, which a browser that blocks it for a page of another site does not wait for.
    response.once('close', () => {
      if (!response.headersSent) return
      for (const place of [url, `${headers.host}${url}`]) waiting.get(place)?.(response.statusCode)
    })
  }

  subscribe(started, note)
  return {
    all,
    tokenRequests: () =>
      all.filter(({ method, url }) => method === 'POST' && url === '/token').length,
    nextStatus: (path, host = '') => new Promise((resolve) => waiting.set(host + path, resolve)),
    stop() {
      unsubscribe(started, note)
    },
  }
}
