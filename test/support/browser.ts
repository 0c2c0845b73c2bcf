import { once } from 'node:events'
import http from 'node:http'
import { text } from 'node:stream/consumers'

/** One answer, with the URL that it came from. */
export interface Page {
  url: string
  status: number
  headers: http.IncomingHttpHeaders
  body: string
}

/** What a tab is opened with. */
export interface Navigation {
  method?: string
  headers?: Record<string, string>
  body?: string
}

/** As much of a browser as a login needs: cookies per host, redirects, pages that refresh. */
export interface Browser {
  /** Cookies by host name, then by name. */
  readonly cookies: Map<string, Map<string, string>>
  /** One request, its cookies sent and kept; no redirect is followed. */
  request(url: string, navigation?: Navigation): Promise<Page>
  /** Navigates and follows redirects and refreshing pages, to the page where they end. */
  open(url: string, navigation?: Navigation): Promise<Page>
  /** Navigates until a URL that starts with `stop` would be requested; gives that URL. */
  openUntil(stop: string, url: string): Promise<string>
  /** Names of the cookies for a host. */
  cookieNames(host?: string): string[]
  /** Every answer so far, in the order in which they came. */
  readonly pages: readonly Page[]
  /** Another browser with the same cookies, from here on on its own. */
  copy(): Browser
}

/** Options of {@link createBrowser}. */
export interface BrowserOptions {
  /** Every `https:` URL is asked for as a proxy that ends TLS does: over `http:`, and says so. */
  tlsProxy?: boolean
}

/** Not by fetch(), which says in every request that it is no navigation. */
async function send(
  url: string,
  { method, headers, body }: Navigation,
  cookie: string,
  { tlsProxy = false }: BrowserOptions,
) {
  const proxied = tlsProxy && url.startsWith('https:')
  const request = http.request(proxied ? url.replace('https:', 'http:') : url, {
    method: method ?? 'GET',
    headers: {
      accept: 'text/html',
      ...(cookie && { cookie }),
      ...(proxied && { 'x-forwarded-proto': 'https' }),
      ...headers,
    },
  })
  request.end(body)
  const [response] = (await once(request, 'response')) as [http.IncomingMessage]
  return {
    url,
    status: response.statusCode ?? 0,
    headers: response.headers,
    body: await text(response),
  }
}

/** Opens a browser without any cookie. Cookies know no ports, as in a real one. */
export function createBrowser(options: BrowserOptions = {}): Browser {
  return browserWith(new Map(), options)
}

/** Where a page sends its browser, as browsers understand it. */
export function nextUrl(page: Page): string | undefined {
  const { location } = page.headers
  if (location !== undefined) return new URL(location, page.url).href
  const refresh = /http-equiv="refresh" content="\d+;url=([^"]*)"/.exec(page.body)?.[1]
  if (refresh === undefined) return undefined
  const url = refresh.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)))
  return new URL(url.replaceAll('&amp;', '&'), page.url).href
}

function browserWith(cookies: Map<string, Map<string, string>>, options: BrowserOptions): Browser {
  const pages: Page[] = []

  function keep(host: string, lines: string[]) {
    const jar = cookies.get(host) ?? new Map<string, string>()
    cookies.set(host, jar)
    for (const line of lines) {
      const [pair = '', ...attributes] = line.split(';').map((part) => part.trim())
      const name = pair.slice(0, pair.indexOf('='))
      if (attributes.some((attribute) => /^max-age=0$/i.test(attribute))) jar.delete(name)
      else jar.set(name, pair.slice(name.length + 1))
    }
  }

  async function request(url: string, navigation: Navigation = {}): Promise<Page> {
    const { hostname } = new URL(url)
    const jar = [...(cookies.get(hostname) ?? [])].map(([name, value]) => `${name}=${value}`)
    const page = await send(url, navigation, jar.join('; '), options)
    pages.push(page)
    keep(hostname, page.headers['set-cookie'] ?? [])
    return page
  }

  async function follow(page: Page, stop?: string): Promise<{ page: Page; next?: string }> {
    let current = page
    for (let hops = 0; hops < 20; hops += 1) {
      const next = nextUrl(current)
      if (next === undefined) return { page: current }
      if (stop !== undefined && next.startsWith(stop)) return { page: current, next }
      current = await request(next)
    }
    throw new Error(`Redirected in circles, at last to ${current.url}`)
  }

  return {
    cookies,
    request,
    async open(url, navigation) {
      return (await follow(await request(url, navigation))).page
    },
    async openUntil(stop, url) {
      const { page, next } = await follow(await request(url), stop)
      if (next === undefined)
        throw new Error(`Ended with ${page.status} at ${page.url}: ${page.body}`)
      return next
    },
    cookieNames: (host = '127.0.0.1') => [...(cookies.get(host)?.keys() ?? [])],
    pages,
    copy: () =>
      browserWith(new Map([...cookies].map(([host, jar]) => [host, new Map(jar)])), options),
  }
}
