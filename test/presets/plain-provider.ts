import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { Preset } from '../../src/presets/index.ts'

/** What a provider answers: JSON, or the text of a form. */
export interface Answer {
  status?: number
  json?: unknown
  form?: string
  /** Without the header Content-Type. */
  type?: 'none'
}

/** A request as a provider saw it. */
export interface Seen {
  method: string
  headers: http.IncomingHttpHeaders
  query: URLSearchParams
  /** Of a form or of a JSON object. */
  body: Record<string, unknown>
}

type Endpoint =
  | 'authorization_endpoint'
  | 'token_endpoint'
  | 'revocation_endpoint'
  | 'userinfo_endpoint'

/** Stands in for a provider of plain OAuth 2.0, at the paths that its preset names. */
export interface PlainProvider {
  /** The preset with its endpoints here. */
  preset: Preset
  /** Answers of an endpoint, one after the other. */
  answers: Record<Endpoint, Answer[]>
  seen: Record<Endpoint, Seen[]>
  close(): Promise<void>
}

const endpoints: readonly Endpoint[] = [
  'authorization_endpoint',
  'token_endpoint',
  'revocation_endpoint',
  'userinfo_endpoint',
]

const each = <T>(make: () => T) =>
  Object.fromEntries(endpoints.map((name) => [name, make()])) as Record<Endpoint, T>

/** Starts one on a free port. Its authorization endpoint says yes. */
export async function startPlainProvider(preset: Preset): Promise<PlainProvider> {
  const answers = each<Answer[]>(() => [])
  const seen = each<Seen[]>(() => [])
  const byPath = new Map(
    endpoints.flatMap((name) =>
      preset[name] === undefined ? [] : [[new URL(preset[name]).pathname, name] as const],
    ),
  )

  async function handle(request: http.IncomingMessage, response: http.ServerResponse) {
    const { pathname, searchParams: query } = new URL(request.url ?? '', 'http://127.0.0.1')
    const endpoint = byPath.get(pathname)
    if (endpoint === undefined) return response.writeHead(404).end()
    const { method = '', headers } = request
    seen[endpoint].push({ method, headers, query, body: parsed(headers, await text(request)) })
    if (endpoint === 'authorization_endpoint') {
      const location = new URL(query.get('redirect_uri') ?? '')
      location.searchParams.set('code', 'a-code')
      location.searchParams.set('state', query.get('state') ?? '')
      return response.writeHead(302, { location: location.href }).end()
    }
    const { status = 200, json, form, ...other } = answers[endpoint].shift() ?? { status: 404 }
    const type = form === undefined ? 'application/json' : 'application/x-www-form-urlencoded'
    response.writeHead(status, 'type' in other ? {} : { 'content-type': `${type}; charset=utf-8` })
    return response.end(form ?? JSON.stringify(json))
  }

  const listener = http.createServer((request, response) => {
    handle(request, response).catch((error: unknown) => response.destroy(error as Error))
  })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const origin = `http://127.0.0.1:${(listener.address() as AddressInfo).port}`
  const moved = endpoints.flatMap((name) =>
    preset[name] === undefined ? [] : [[name, origin + new URL(preset[name]).pathname]],
  )
  return {
    preset: { ...preset, ...(Object.fromEntries(moved) as Partial<Preset>), apiOrigins: [origin] },
    answers,
    seen,
    async close() {
      listener.closeAllConnections()
      await new Promise((resolve) => listener.close(resolve))
    },
  }
}

function parsed(headers: http.IncomingHttpHeaders, body: string): Record<string, unknown> {
  return headers['content-type']?.startsWith('application/json')
    ? (JSON.parse(body) as Record<string, unknown>)
    : Object.fromEntries(new URLSearchParams(body))
}
