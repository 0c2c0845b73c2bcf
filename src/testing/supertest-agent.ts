import type { Visitor } from './login-walk.ts'

/** As much of supertest's `request.agent(app)` as is used here. */
export interface SupertestAgent {
  get(path: string): SupertestRequest
  post(path: string): SupertestRequest
  readonly jar: { setCookies(cookies: string[], domain: string, path: string): unknown }
}

/** A request of supertest's that was not sent yet. */
export interface SupertestRequest extends PromiseLike<SupertestResponse> {
  redirects(count: number): this
  set(headers: Record<string, string>): this
  send(body: string): this
}

/** As much of supertest's response as is used here. */
export interface SupertestResponse {
  readonly status: number
  readonly headers: Record<string, unknown>
  readonly text?: string
}

export function visitBySupertest(agent: SupertestAgent): Visitor {
  return async function visit({ method, path, headers, body }) {
    const request = method === 'GET' ? agent.get(path) : agent.post(path)
    const unsent = request.redirects(0).set({ ...headers })
    const response = await (body === undefined ? unsent : unsent.send(body))
    keepCookies(agent, response.headers['set-cookie'])
    const { location } = response.headers
    return {
      status: response.status,
      location: typeof location === 'string' ? location : undefined,
      body: response.text ?? '',
    }
  }
}

/**
 * supertest talks to the app at http://127.0.0.1, wherever that thinks to be: cookies for https or for a
 * domain would never be sent again.
 */
function keepCookies({ jar }: SupertestAgent, setCookie: unknown): void {
  const cookies = (Array.isArray(setCookie) ? setCookie : []) as string[]
  const elsewhere = /;\s*(secure|domain=[^;]*)(?=;|$)/gi
  const ours = cookies.filter((cookie) => cookie.search(elsewhere) >= 0)
  jar.setCookies(
    ours.map((cookie) => cookie.replace(elsewhere, '')),
    '127.0.0.1',
    '/',
  )
}
