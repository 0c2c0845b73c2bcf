import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { buffer } from 'node:stream/consumers'

interface PlainRequest {
  readonly method?: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

interface PlainResponse {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

/** Not by `fetch`, which says of every request that it is no navigation (`Sec-Fetch-Mode: cors`). */
export async function sendRequest(
  url: string,
  { method = 'GET', headers, body }: PlainRequest,
): Promise<PlainResponse> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const request = url.startsWith('https:')
      ? // Servers of a test have certificates that nobody knows, and are on this machine.
        httpsRequest(url, { method, headers, agent: false, rejectUnauthorized: false }, resolve)
      : httpRequest(url, { method, headers, agent: false }, resolve)
    request.once('error', reject)
    request.end(body)
  })
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    body: await buffer(response),
  }
}
