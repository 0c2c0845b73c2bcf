import { once } from 'node:events'
import http from 'node:http'
import { text } from 'node:stream/consumers'
import type { Page } from './browser.ts'

/** What goes over the wire as it is written here, where a URL would be normalised. */
export interface RawRequest {
  method?: string
  /** The request target. */
  path: string
  headers?: http.OutgoingHttpHeaders
  body?: string | Buffer
}

/** One request to 127.0.0.1; no cookie is kept, nothing is followed. */
export async function rawRequest(origin: string, { body, ...options }: RawRequest): Promise<Page> {
  const { port } = new URL(origin)
  const request = http.request({ host: '127.0.0.1', port, agent: false, ...options })
  request.end(body)
  const [response] = (await once(request, 'response')) as [http.IncomingMessage]
  return {
    url: origin + options.path,
    status: response.statusCode ?? 0,
    headers: response.headers,
    body: await text(response),
  }
}
