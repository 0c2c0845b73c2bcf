import { placeOf, type Visitor } from './login-walk.ts'
import { sendRequest } from './plain-request.ts'

/** Options of `createTestBrowser`. */
export interface TestBrowserOptions {
  /**
   * Where the app thinks that it is, if a proxy is in front of it, for example `https://app.example`:
   * requests say so by `Host` and `X-Forwarded-Proto`, as that proxy does.
   */
  publicOrigin?: string | undefined
}

/** What to send. */
export interface TestBrowserRequest {
  /** Default: `GET`. */
  method?: string | undefined
  headers?: Readonly<Record<string, string>> | undefined
  /** `URLSearchParams` are sent as a form. */
  body?: string | URLSearchParams | undefined
}

/** As much of a browser as tests of an app need: cookies, and `fetch`. */
export interface TestBrowser {
  /** Where the app listens. */
  readonly origin: string
  /** Values by name. */
  readonly cookies: Map<string, string>
  /** Requests a path of the app. Sends and keeps cookies, and follows no redirect. */
  fetch(path: string, request?: TestBrowserRequest): Promise<Response>
}

/**
 * A browser for one app that listens, e.g. at `http://127.0.0.1:8000`. Secure cookies are sent over http,
 * too, since a test has no proxy that ends TLS.
 */
export function createTestBrowser(origin: string, options: TestBrowserOptions = {}): TestBrowser {
  const cookies = new Map<string, string>()
  const place = options.publicOrigin === undefined ? {} : placeOf(options.publicOrigin)

  return {
    origin,
    cookies,
    async fetch(path, { method, headers = {}, body } = {}) {
      const url = new URL(path, origin)
      if (url.origin !== new URL(origin).origin)
        throw new TypeError(`This browser is for ${origin} only: cookies must not go elsewhere`)
      const isForm = body instanceof URLSearchParams
      const response = await sendRequest(url.href, {
        ...(method !== undefined && { method }),
        headers: {
          ...place,
          ...(cookies.size > 0 && { cookie: cookieHeader(cookies) }),
          ...(isForm && { 'content-type': 'application/x-www-form-urlencoded' }),
          ...headers,
        },
        ...(body !== undefined && { body: body.toString() }),
      })
      keepCookies(cookies, response.headers['set-cookie'] ?? [])
      return asWebResponse(response)
    },
  }
}

export function visitByBrowser(browser: TestBrowser): Visitor {
  return async function visit({ method, path, headers, body }) {
    const response = await browser.fetch(path, { method, headers, body })
    return {
      status: response.status,
      location: response.headers.get('location') ?? undefined,
      body: await response.text(),
    }
  }
}

function cookieHeader(cookies: ReadonlyMap<string, string>): string {
  return [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
}

function keepCookies(cookies: Map<string, string>, lines: readonly string[]): void {
  for (const line of lines) {
    const [pair = '', ...attributes] = line.split(';').map((part) => part.trim())
    const name = pair.slice(0, pair.indexOf('='))
    if (attributes.some(isPast)) cookies.delete(name)
    else cookies.set(name, pair.slice(name.length + 1))
  }
}

function isPast(attribute: string): boolean {
  const [name = '', value = ''] = attribute.split('=')
  if (/^max-age$/i.test(name)) return Number(value) <= 0
  return /^expires$/i.test(name) && Date.parse(value) <= Date.now()
}

function asWebResponse({
  status,
  headers,
  body,
}: Awaited<ReturnType<typeof sendRequest>>): Response {
  const sent = new Headers()
  for (const [name, value] of Object.entries(headers))
    for (const each of [value ?? []].flat()) sent.append(name, each)
  const isEmpty = [204, 205, 304].includes(status)
  return new Response(isEmpty ? null : new Uint8Array(body), { status, headers: sent })
}
