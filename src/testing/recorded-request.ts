import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { TLSSocket } from 'node:tls'
import type { TestServerEndpoint } from './endpoints.ts'

/** A request as the test authorization server saw it. */
export interface RecordedRequest {
  readonly endpoint: TestServerEndpoint
  readonly method: string
  /** Without the query. */
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingHttpHeaders
  /** Parsed from `application/x-www-form-urlencoded`, else empty. */
  readonly body: URLSearchParams
  /** Tells connections apart. */
  readonly remotePort: number
  /** What the client presented during the TLS handshake. `trusted`: it chains to `tls.ca`. */
  readonly clientCertificate?: {
    readonly commonName: string
    readonly fingerprint256: string
    readonly trusted: boolean
  }
}

function clientCertificate(request: IncomingMessage): RecordedRequest['clientCertificate'] {
  if (!(request.socket instanceof TLSSocket)) return undefined
  const certificate = request.socket.getPeerCertificate()
  // Node answers an empty object when the client presented none.
  if (!certificate?.fingerprint256) return undefined
  return {
    commonName: String(certificate.subject.CN),
    fingerprint256: certificate.fingerprint256,
    trusted: request.socket.authorized,
  }
}

/** Reads a request to its end; `undefined` when the client goes away before. */
export async function readRequest(
  request: IncomingMessage,
  endpointOf: (path: string) => TestServerEndpoint,
): Promise<RecordedRequest | undefined> {
  const target = request.url ?? '/'
  const queryStart = target.indexOf('?')
  const path = queryStart < 0 ? target : target.slice(0, queryStart)
  const remotePort = request.socket.remotePort ?? 0
  const certificate = clientCertificate(request)
  const chunks: Buffer[] = []
  try {
    for await (const chunk of request) chunks.push(chunk as Buffer)
  } catch {
    return undefined
  }
  const isForm = request.headers['content-type']?.startsWith('application/x-www-form-urlencoded')
  return {
    endpoint: endpointOf(path),
    method: request.method ?? 'GET',
    path,
    query: new URLSearchParams(queryStart < 0 ? '' : target.slice(queryStart)),
    headers: request.headers,
    body: new URLSearchParams(isForm ? Buffer.concat(chunks).toString('utf8') : ''),
    remotePort,
    ...(certificate && { clientCertificate: certificate }),
  }
}
