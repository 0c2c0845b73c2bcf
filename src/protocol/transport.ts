import http from 'node:http'
import https from 'node:https'
import { PkceFlowError } from '../errors.ts'
import { isSecureOrLoopback } from '../secure-url.ts'
import { createKeptConnections } from './kept-connections.ts'

/** A whole response of the authorization server. */
export interface ServerResponse {
  status: number
  headers: http.IncomingHttpHeaders
  body: Buffer
}

/** What is sent to the authorization server. */
export interface ServerRequest {
  method: 'GET' | 'POST'
  headers: Readonly<Record<string, string>>
  body?: string | undefined
  /** Redirects that are followed, within the first URL's origin. Default: none. */
  redirects?: number
}

/** Sends one request to the authorization server and reads the whole response. */
export type Transport = (url: URL, request: ServerRequest) => Promise<ServerResponse>

/** Responses of an authorization server are some kilobytes; what is larger is no such response. */
const largestResponse = 1024 * 1024

/**
 * Bytes that are read for it at most: with headers, interim responses, the sizes and extensions of
 * chunks. Node limits each of these, but not how many come, and the time limit alone would let in as
 * much as a server can send meanwhile.
 */
const mostRead = 2 * largestResponse

/** Each piece that it comes in costs time and memory, however small: a chunk, or what a socket brings. */
const mostPieces = 16_384

/** Responses that only say that another one comes (RFC 9110 section 15.2). */
const mostInterim = 100

/**
 * The one way to the authorization server: over `node:http`, which costs a third of the built-in
 * `fetch`, with connections kept alive, one time limit from the first byte sent to the last one
 * received, and a cap on the size.
 *
 * Rejects with `server_unavailable`, `server_timeout` or `invalid_server_response`.
 *
 * @param timeout milliseconds for a whole exchange, redirects included
 * @param agent the caller's own, for client certificates, CAs or a proxy
 * @param holdsProcess whether the process waits for an answer before it ends
 */
export function createTransport(
  timeout: number,
  agent: http.Agent | undefined,
  holdsProcess = true,
): Transport {
  const kept = createKeptConnections()

  return async function send(url, request) {
    // Not by the wall clock, which may be set meanwhile.
    const deadline = performance.now() + timeout
    let target = url
    for (let redirects = request.redirects ?? 0; ; redirects -= 1) {
      if (!isSecureOrLoopback(target))
        throw new PkceFlowError(
          'invalid_server_response',
          'The authorization server named an endpoint that is not an https: URL.',
        )
      const left = Math.max(deadline - performance.now(), 1)
      const by = { agent: agent ?? kept.agentFor(target), holdsProcess }
      const response = await exchange(target, request, left, by)
      if (redirects <= 0 || !isRedirect(response)) return response
      const location = redirectTarget(response, target)
      if (location?.origin !== url.origin)
        throw new PkceFlowError(
          'invalid_server_response',
          'The authorization server redirected a request for its metadata to another origin.',
        )
      target = location
    }
  }
}

function isRedirect({ status }: ServerResponse): boolean {
  return status >= 301 && status <= 308 && status !== 304
}

function redirectTarget({ headers }: ServerResponse, base: URL): URL | undefined {
  const { location } = headers
  return location !== undefined && URL.canParse(location, base.href)
    ? new URL(location, base)
    : undefined
}

function exchange(
  url: URL,
  { method, headers, body }: ServerRequest,
  timeout: number,
  { agent, holdsProcess }: { agent: http.Agent; holdsProcess: boolean },
): Promise<ServerResponse> {
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
    const options = { method, agent, headers: { ...headers, ...length } }
    const request =
      url.protocol === 'https:' ? https.request(url, options) : http.request(url, options)

    // One timer over connecting, sending, waiting and reading: a socket timeout alone would start
    // anew with every byte that a server drips.
    const timer = setTimeout(() => {
      // A process that was stopped, or busy, finds it due before it has read what came meanwhile: a
      // token that would be lost. Reading comes before what is set here.
      overdue = setImmediate(() => {
        fail(
          new PkceFlowError('server_timeout', 'The authorization server did not answer in time.', {
            retryAfter: 1,
          }),
        )
      })
    }, timeout)
    let overdue: NodeJS.Immediate | undefined
    if (!holdsProcess) timer.unref()

    function stopTimer() {
      clearTimeout(timer)
      clearImmediate(overdue)
    }

    function fail(error: PkceFlowError) {
      stopTimer()
      reject(error)
      request.destroy()
    }

    function refuse(what: string, cause?: Error) {
      const message = `The authorization server sent ${what}.`
      fail(new PkceFlowError('invalid_server_response', message, { cause }))
    }

    function failConnection(cause: NodeJS.ErrnoException) {
      // Of Node's parser.
      if (cause.code?.startsWith('HPE_') === true) refuse('what is no HTTP response', cause)
      else
        fail(
          new PkceFlowError(
            'server_unavailable',
            'The authorization server could not be reached.',
            {
              retryAfter: 1,
              cause,
            },
          ),
        )
    }

    request.on('error', failConnection)
    let interim = 0
    request.on('information', () => {
      interim += 1
      if (interim > mostInterim) refuse('more than 100 interim responses')
    })
    // Without this one, it would be waited for what cannot come any more.
    request.on('upgrade', () => {
      refuse('a response that switches protocols')
    })
    request.on('socket', (socket) => {
      if (!holdsProcess) socket.unref()
      let read = 0
      const count = (chunk: Buffer) => {
        read += chunk.length
        if (read > mostRead) refuse('a response of more than 2 MiB with all that is around it')
      }
      socket.on('data', count)
      request.once('close', () => socket.off('data', count))
    })
    request.on('response', (response) => {
      const chunks: Buffer[] = []
      let size = 0
      response.on('data', (chunk: Buffer) => {
        size += chunk.length
        chunks.push(chunk)
        if (size > largestResponse) refuse('a response of more than 1 MiB')
        else if (chunks.length > mostPieces) refuse('a response in more than 16,384 pieces')
      })
      response.on('error', failConnection)
      response.on('end', () => {
        stopTimer()
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks),
        })
      })
    })
    request.end(body)
  })
}
