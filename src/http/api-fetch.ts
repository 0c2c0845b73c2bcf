import { PkceFlowError } from '../errors.ts'
import { saysInvalidToken } from '../protocol/bearer-challenge.ts'
import { isSecureOrLoopback } from '../secure-url.ts'

/** Where the access token for one call comes from. */
export interface TokenSource {
  /** A usable access token; rejects if there is none. */
  current(): Promise<string>
  /** One that is newer than `rejected`, or `undefined` if there is none to try. */
  replacement(rejected: string): Promise<string | undefined>
}

/** `fetch` with the access token of a {@link TokenSource} in the header `Authorization`. */
export type ApiFetch = (
  tokens: TokenSource,
  input: string | URL | Request,
  init?: RequestInit,
) => Promise<Response>

/**
 * Makes a `fetch` that sends the token to these origins only. Everything but `Authorization` is as
 * with the global `fetch`; a redirect to another origin is followed without the token. A response
 * 401 that says that the token is invalid (RFC 6750 section 3.1) is followed by one attempt with a
 * newer token, provided there is one and the body can be sent again.
 *
 * Rejects with `origin_not_allowed` before any token is asked for, as the token source does, with
 * the signal's reason, or as the global `fetch` does.
 */
export function createApiFetch(apiOrigins: ReadonlySet<string>): ApiFetch {
  return async function apiFetch(tokens, input, init) {
    const url = allowedUrl(input, apiOrigins)
    const call = createCall(url, input, init)
    call.signal?.throwIfAborted()
    const used = await orAborted(tokens.current(), call.signal)
    const response = await call.send(used)
    if (!isRejection(response, url)) return response

    const newer = await newerToken(tokens, used, call, response)
    if (newer === undefined || !call.isRepeatable) return response
    await discard(response)
    return call.send(newer)
  }
}

/**
 * Asked for also when the call cannot be repeated: the next one is better off. Nobody reads
 * `response` if there is an error in its place.
 */
async function newerToken(tokens: TokenSource, used: string, call: Call, response: Response) {
  try {
    return await orAborted(tokens.replacement(used), call.signal)
  } catch (error) {
    await discard(response)
    throw error
  }
}

/** The URL to send to: parsed once, so that what is checked is what is sent. */
function allowedUrl(input: string | URL | Request, apiOrigins: ReadonlySet<string>): URL {
  const text = input instanceof Request ? input.url : String(input)
  if (!URL.canParse(text))
    throw notAllowed('fetch takes an absolute URL: no token is sent to a relative one.')
  const url = new URL(text)
  if (!isSecureOrLoopback(url))
    throw notAllowed('fetch takes https: URLs, and http: on loopback only: no token is sent here.')
  if (url.username !== '' || url.password !== '')
    throw notAllowed(
      `fetch takes no URL with a user or password in it, as this one at ${url.origin}.`,
    )
  if (!apiOrigins.has(url.origin))
    throw notAllowed(
      `No token is sent to ${url.origin}: it is not in the option "apiOrigins". Add it if this API may have the user's token.`,
    )
  return url
}

function notAllowed(message: string): PkceFlowError {
  return new PkceFlowError('origin_not_allowed', message)
}

interface Call {
  /** Whether `send` can be called again. */
  isRepeatable: boolean
  signal: AbortSignal | undefined
  send(accessToken: string): Promise<Response>
}

function createCall(url: URL, input: string | URL | Request, init: RequestInit = {}): Call {
  // Members of a Request are getters of its class, which the copy below would lose.
  if (init instanceof Request) return createCall(url, new Request(input, init))
  const request = input instanceof Request ? input : undefined
  const headers = new Headers(init.headers ?? request?.headers)
  const signal = init.signal === undefined ? request?.signal : init.signal
  return {
    isRepeatable: init.body == null ? !request?.body : isRepeatable(init.body),
    signal: signal ?? undefined,
    send(accessToken) {
      const sent = new Headers(headers)
      sent.set('authorization', `Bearer ${accessToken}`)
      return fetch(request ?? url, { ...init, headers: sent })
    },
  }
}

function isRepeatable(body: NonNullable<RequestInit['body']>): boolean {
  return (
    typeof body === 'string' ||
    body instanceof URLSearchParams ||
    body instanceof FormData ||
    body instanceof Blob ||
    body instanceof ArrayBuffer ||
    ArrayBuffer.isView(body)
  )
}

/** Whether the API refused the token: not an origin that a redirect led to, which never saw it. */
function isRejection(response: Response, url: URL): boolean {
  return (
    response.status === 401 &&
    (!response.redirected || new URL(response.url).origin === url.origin) &&
    saysInvalidToken(response.headers.get('www-authenticate'))
  )
}

/** Frees the connection of a response that nobody reads. */
async function discard({ body }: Response): Promise<void> {
  await body?.cancel().catch(() => undefined) // one that has broken off is free already
}

/** What the promise comes to, or a rejection as soon as the caller has lost interest. */
function orAborted<Value>(
  promise: Promise<Value>,
  signal: AbortSignal | undefined,
): Promise<Value> {
  if (signal === undefined) return promise
  return new Promise((resolve, reject) => {
    const abort = () => {
      reject(signal.reason as Error)
    }
    signal.addEventListener('abort', abort, { once: true })
    if (signal.aborted) abort()
    promise.then(resolve, reject).finally(() => {
      signal.removeEventListener('abort', abort)
    })
  })
}
