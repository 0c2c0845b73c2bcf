import { expect } from 'chai'
import { everythingIn } from '../support/everything-in.ts'

// What has to be true of every answer, whatever was sent: nothing here knows what that was.

/** An answer; texts are bytes, one a character. */
interface Answer {
  status: number
  headers: ReadonlyMap<string, readonly string[]>
  body: string
  raw: string
}

/** Text that hostile input is made of, and that no answer may repeat as it is. */
export const marks = { tag: '<zq', attribute: '"zq', header: 'x-zq' } as const

/** Header fields that an app with this package sends. Anything else was smuggled in. */
const usualHeaders: ReadonlySet<string> = new Set([
  ...['date', 'connection', 'keep-alive', 'content-length', 'content-type', 'transfer-encoding'],
  ...[
    'x-powered-by',
    'x-app',
    'x-login-url',
    'etag',
    'location',
    'set-cookie',
    'allow',
    'cache-control',
  ],
  ...['referrer-policy', 'content-security-policy', 'clear-site-data', 'retry-after'],
  ...['www-authenticate', 'vary'],
])

/** Nothing that was sent comes back where it means something: no markup, no header field. */
export function expectNoEcho({ raw, headers, body }: Answer): void {
  if (raw.includes(marks.tag)) expect.fail(`markup that was sent: ${raw}`)
  const isHtml = headers.get('content-type')?.[0]?.startsWith('text/html') === true
  if (isHtml && body.includes(marks.attribute)) expect.fail(`a quote that was sent: ${body}`)
  for (const name of headers.keys())
    if (!usualHeaders.has(name)) expect.fail(`a header field that was sent, ${name}: ${raw}`)
}

/** No cache keeps the answer, and the page that it leads to does not learn where it came from. */
export function expectPrivate({ headers, raw }: Answer): void {
  if (headers.get('cache-control')?.join() !== 'no-store') expect.fail(`not no-store: ${raw}`)
  const policies = headers.get('referrer-policy')?.join()
  if (policies !== 'no-referrer' && policies !== 'same-origin') expect.fail(`tells where: ${raw}`)
}

/** 2xx, 3xx or 4xx, or one of the codes that say that somebody else failed. */
export function expectStatus(
  { status, body, raw }: Answer,
  failures: readonly string[] = [],
): void {
  if (status >= 200 && status < 500) return
  expect(status, raw).to.be.within(500, 504)
  expect((JSON.parse(body) as { code?: unknown }).code, raw).to.be.oneOf([...failures])
}

/** Where a redirect may lead. */
export interface Destinations {
  /** Origins that the app named, and its own. */
  origins: readonly string[]
  /** The authorization endpoint. */
  authorization: string
  /** The end session endpoint. */
  endSession: string
  clientId: string
  redirectUri: string
}

/**
 * The redirect, as a browser resolves it, leads to the app, to an origin that it named, or to the
 * authorization server with a request that is whole. Gives that place.
 *
 * @param base URL that was asked for
 */
export function expectKnownPlace(location: string, base: string, to: Destinations): URL {
  if (!/^[\x21-\x7e]+$/.test(location)) expect.fail(`no URL: ${JSON.stringify(location)}`)
  const place = new URL(location, base)
  // A browser drops these anywhere in a URL; so does URL, but not before it has looked at the start.
  const bare = new URL(location.replaceAll(/[\t\r\n]/g, ''), base)
  // A browser that takes a backslash for a slash finds another host here.
  if (bare.href !== place.href || /^[/\\]{2}/.test(location))
    expect.fail(`may lead elsewhere: ${location}`)
  if (to.origins.includes(place.origin)) return place
  const endpoint = place.origin + place.pathname
  if (endpoint === to.authorization) expectAuthorizationRequest(place.searchParams, to)
  else expect(endpoint, 'leads off the app').to.equal(to.endSession)
  return place
}

/** RFC 6749 section 4.1.1, RFC 7636 section 4.3: each parameter once, and its value is ours. */
function expectAuthorizationRequest(sent: URLSearchParams, to: Destinations): void {
  const names = [...sent.keys()]
  if (new Set(names).size < names.length) expect.fail(`repeated: ${names.join(' ')}`)
  const ours = {
    response_type: 'code',
    client_id: to.clientId,
    redirect_uri: to.redirectUri,
    code_challenge_method: 'S256',
  }
  for (const [name, value] of Object.entries(ours))
    if (sent.get(name) !== value) expect.fail(`${name} is not ${value}: ${sent.toString()}`)
  for (const name of ['state', 'nonce', 'code_challenge'])
    if (!/^[\w-]{43}$/.test(sent.get(name) ?? '')) expect.fail(`no ${name}: ${sent.toString()}`)
}

/** Where an answer sends the browser: by a redirect, or by a page that refreshes. */
export function placeOf({ headers, body }: Answer): string | undefined {
  const [location] = headers.get('location') ?? []
  if (location !== undefined) return location
  const refresh = /http-equiv="refresh" content="0;url=([^"]*)"/.exec(body)?.[1]
  return refresh?.replaceAll(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)))
}

/** What is not to be seen anywhere, however many there are. */
export interface Secrets {
  add(secret: unknown): void
  /** The first letters of one that `text` shows, whatever stands before or after it. */
  findIn(text: string): string | undefined
}

/** Letters by which a secret is recognised. None of ours is shorter. */
const recognised = 16

export function createSecrets(): Secrets {
  const starts = new Set<string>()
  return {
    add(secret) {
      if (typeof secret !== 'string' || secret.length < recognised) return
      starts.add(secret.slice(0, recognised))
      starts.add(Buffer.from(secret).toString('base64').slice(0, recognised))
    },
    findIn(text) {
      for (const [word] of text.matchAll(/[\w+-]{16,}/g))
        for (let at = 0; at + recognised <= word.length; at += 1) {
          const start = word.slice(at, at + recognised)
          if (starts.has(start)) return start.slice(0, 6)
        }
      return undefined
    },
  }
}

/** Cookies of ours belong to the browser that they are set in, authorization and logout requests too. */
export function expectNoSecret(answer: Answer, secrets: Secrets, to: Destinations): void {
  const { headers, body } = answer
  const shown = [body]
  for (const [name, values] of headers)
    for (const value of values) {
      const isOwnCookie =
        name === 'set-cookie' && /^(connect\.sid|(__Host-)?pkce(-silent)?\.)/.test(value)
      const isRequest =
        name === 'location' &&
        [to.authorization, to.endSession].some((endpoint) => value.startsWith(`${endpoint}?`))
      if (!isOwnCookie && !isRequest) shown.push(value)
    }
  const found = secrets.findIn(shown.join('\n'))
  if (found !== undefined) expect.fail(`the secret ${found}… is shown: ${answer.raw}`)
}

/** Not in a message, a stack, a cause or any other member, at any depth. */
export function expectNoSecretInError(error: unknown, secrets: Secrets): void {
  const shown = everythingIn(error)
  const found = secrets.findIn(shown)
  if (found !== undefined) expect.fail(`an error shows the secret ${found}…: ${shown}`)
}
