import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

/** A request as an API saw it. */
export interface ApiRequest {
  method: string
  /** With the query. */
  path: string
  headers: http.IncomingHttpHeaders
  body: string
}

/** An API on a free loopback port. */
export interface ApiServer {
  readonly origin: string
  /** Oldest first. */
  readonly requests: readonly ApiRequest[]
  /** What was in the header `Authorization`, oldest first. */
  readonly authorizations: readonly (string | undefined)[]
  close(): Promise<void>
}

/** Starts an API; `answer` runs once a request was read to its end. */
export async function startApi(
  answer: (request: ApiRequest, response: http.ServerResponse) => void,
): Promise<ApiServer> {
  const requests: ApiRequest[] = []

  async function serve(incoming: http.IncomingMessage, response: http.ServerResponse) {
    const { method = '', url: path = '', headers } = incoming
    const request = { method, path, headers, body: await text(incoming) }
    requests.push(request)
    answer(request, response)
  }

  const listener = http.createServer((incoming, response) => {
    serve(incoming, response).catch(() => response.destroy())
  })
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  return {
    origin: `http://127.0.0.1:${(listener.address() as AddressInfo).port}`,
    requests,
    get authorizations() {
      return requests.map(({ headers }) => headers.authorization)
    },
    async close() {
      listener.closeAllConnections()
      await new Promise((resolve) => listener.close(resolve))
    },
  }
}
