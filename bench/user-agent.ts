import { Agent, request, type IncomingMessage } from 'node:http'

/** One person's browser: cookies of its own, connections shared with the others of the run. */
export interface UserAgent {
  setCookie: (origin: string, name: string, value: string) => void
  /** One request; no redirect is followed. With a form it is a POST. */
  visit: (url: string, form?: string) => Promise<Page>
  /** Opens a page, follows redirects, and returns the page at their end. */
  open: (url: string) => Promise<Page>
  /** Follows the redirects of a page. */
  follow: (page: Page) => Promise<Page>
}

/** An answer, and where it came from. */
export interface Page {
  url: string
  status: number
  location: string | undefined
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

  async function visit(url: string, form?: string): Promise<Page> {
    const target = new URL(url)
    const jar = cookiesOf(target.origin)
    const cookie = Array.from(jar, ([name, value]) => `${name}=${value}`).join('; ')
    const headers = {
      ...navigationHeaders,
      ...(cookie !== '' && { cookie }),
      ...(form !== undefined && { 'content-type': 'application/x-www-form-urlencoded' }),
    }
    const res = await send(target, headers, form, connections)
    for (const line of res.headers['set-cookie'] ?? []) keepCookie(jar, line)
    const { location } = res.headers
    const body = await readBody(res)
    return { url, status: res.statusCode ?? 0, location, body }
  }

  async function follow(first: Page): Promise<Page> {
    let page = first
    for (let redirects = 0; redirects <= maxRedirects; redirects += 1) {
      if (page.location === undefined) return page
      page = await visit(new URL(page.location, page.url).href)
    }
    throw new Error(`More than ${maxRedirects} redirects, the last to ${page.url}`)
  }

  return {
    setCookie: (origin, name, value) => void cookiesOf(origin).set(name, value),
    visit,
    follow,
    open: async (start) => follow(await visit(start)),
  }
}

function send(
  url: URL,
  headers: Record<string, string>,
  form: string | undefined,
  agent: Agent,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(requestTimeout)
    const method = form === undefined ? 'GET' : 'POST'
    request(url, { method, headers, agent, signal }, resolve).on('error', reject).end(form)
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
