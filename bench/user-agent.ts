import { Agent, request, type IncomingMessage } from 'node:http'

/** One person's browser: cookies of its own, connections shared with the others of the run. */
export interface UserAgent {
  setCookie: (origin: string, name: string, value: string) => void
  /** Opens a page, follows redirects, and returns the page at their end. */
  open: (url: string) => Promise<Page>
}

/** Where a navigation ended. */
export interface Page {
  url: string
  status: number
  body: string
}

const requestTimeout = 10_000
const maxRedirects = 10

// What Chromium sends with a navigation; apps tell a person from a program by it.
const navigationHeaders = {
  accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8',
  'accept-encoding': 'gzip, deflate, br, zstd',
  'accept-language': 'en-GB,en;q=0.9',
  'sec-fetch-dest': 'document',
  'sec-fetch-mode': 'navigate',
  'sec-fetch-site': 'same-site',
  'sec-fetch-user': '?1',
  'upgrade-insecure-requests': '1',
  'user-agent':
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36',
}

/** A connection pool for user agents that take turns. */
export function createConnections(maxSockets: number): Agent {
  return new Agent({ keepAlive: true, maxSockets })
}

/** A new browser without any cookie. */
export function createUserAgent(connections: Agent): UserAgent {
  // Unlike in a browser, ports have cookies of their own: the apps and the authorization server
  // stand for sites of their own.
  const cookies = new Map<string, Map<string, string>>()

  function cookiesOf(origin: string): Map<string, string> {
    const known = cookies.get(origin) ?? new Map<string, string>()
    cookies.set(origin, known)
    return known
  }

  async function visit(url: URL): Promise<{ status: number; location?: string; body: string }> {
    const jar = cookiesOf(url.origin)
    const cookie = Array.from(jar, ([name, value]) => `${name}=${value}`).join('; ')
    const headers = cookie === '' ? navigationHeaders : { ...navigationHeaders, cookie }
    const res = await get(url, headers, connections)
    for (const line of res.headers['set-cookie'] ?? []) keepCookie(jar, line)
    const { location } = res.headers
    const body = await readBody(res)
    return { status: res.statusCode ?? 0, body, ...(location === undefined ? {} : { location }) }
  }

  return {
    setCookie: (origin, name, value) => void cookiesOf(origin).set(name, value),
    async open(start) {
      let url = new URL(start)
      for (let redirects = 0; redirects <= maxRedirects; redirects += 1) {
        const { status, location, body } = await visit(url)
        if (location === undefined) return { url: url.href, status, body }
        url = new URL(location, url)
      }
      throw new Error(`More than ${maxRedirects} redirects, the last to ${url.href}`)
    },
  }
}

function get(url: URL, headers: Record<string, string>, agent: Agent): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(requestTimeout)
    request(url, { headers, agent, signal }, resolve).on('error', reject).end()
  })
}

async function readBody(res: IncomingMessage): Promise<string> {
  let body = ''
  res.setEncoding('utf8')
  for await (const chunk of res) body += chunk as string
  return body
}

function keepCookie(jar: Map<string, string>, line: string): void {
  const [pair = '', ...attributes] = line.split('; ')
  const name = pair.slice(0, pair.indexOf('='))
  if (attributes.some(isInThePast)) jar.delete(name)
  else jar.set(name, pair.slice(name.length + 1))
}

function isInThePast(attribute: string): boolean {
  const [name = '', value = ''] = attribute.split('=')
  if (name.toLowerCase() === 'max-age') return Number(value) <= 0
  return name.toLowerCase() === 'expires' && Date.parse(value) <= Date.now()
}
