import http from 'node:http'
import type { AddressInfo } from 'node:net'

/** An answer as it goes over the wire. */
export interface Sent {
  status: number
  headers: Readonly<Record<string, string>>
  body: string | Buffer
}

/** What an endpoint is asked. */
export interface Asked {
  body: string
  authorization: string | undefined
}

/** The endpoints of one issuer, by the last segment of their paths. */
export type Answers = Record<string, (asked: Asked) => Sent>

/**
 * An authorization server without any behaviour of its own: the test writes every answer. Many issuers
 * share its port, so that each case can have one that nobody has asked yet.
 */
export interface AnsweringServer {
  readonly origin: string
  /** Opens an issuer; its answers can be changed while it is open. */
  open(answers: Answers): { issuer: string; answers: Answers; close: () => void }
  close(): Promise<void>
}

export async function startAnsweringServer(): Promise<AnsweringServer> {
  const issuers = new Map<string, Answers>()
  let opened = 0

  const listener = http.createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const parts = (request.url ?? '').split('?')[0]!.split('/')
      const [id, name] = request.url!.startsWith('/.well-known/')
        ? [parts[3], parts[2]]
        : [parts[1], parts.at(-1)]
      const answer = issuers.get(id ?? '')?.[name ?? '']
      const { authorization } = request.headers
      const body = Buffer.concat(chunks).toString()
      deliver(response, answer?.({ body, authorization }) ?? notFound)
    })
  })
  listener.keepAliveTimeout = 60_000
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(listener.address() as AddressInfo).port}`

  return {
    origin,
    open(answers) {
      const id = `i${(opened += 1)}`
      issuers.set(id, answers)
      return { issuer: `${origin}/${id}`, answers, close: () => void issuers.delete(id) }
    },
    async close() {
      listener.closeAllConnections()
      await new Promise((resolve) => listener.close(resolve))
    },
  }
}

const notFound: Sent = { status: 404, headers: { 'content-type': 'text/plain' }, body: 'Not found' }

function deliver(response: http.ServerResponse, { status, headers, body }: Sent): void {
  response.writeHead(status, headers)
  response.end(body)
}

/** A well-behaved JSON answer. */
export function json(value: unknown): Sent {
  return {
    status: 200,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
    body: JSON.stringify(value),
  }
}
