import { arrangedLoginCookie, writeArrangedLogin, type ArrangedLogin } from './arranged-login.ts'
import { TestLoginError } from './login-error.ts'
import { sendRequest } from './plain-request.ts'
import { nextPlace, postedForm, type WebPage } from './web-page.ts'

/** A request to the app, as a browser would send it. */
export interface Visit {
  readonly method: 'GET' | 'POST'
  /** With the query. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

/** Sends one request with the cookies that it has, keeps those that it gets, follows nothing. */
export type Visitor = (visit: Visit) => Promise<WebPage>

interface Walk {
  readonly visitor: Visitor
  /** Of the authorization server. */
  readonly serverOrigin: string
  readonly arranged: ArrangedLogin
  readonly path: string
}

const maxVisits = 20

/**
 * Goes through a login as a browser does: from `path` of the app to the authorization server, which it
 * asks itself, so that no cookie of the app gets there, and back. Gives the path where the login leads.
 */
export async function walkThroughLogin(walk: Walk): Promise<string> {
  // Where the app thinks that it is: known as soon as one of its answers says so. supertest listens on
  // another port for every request, and knows neither the app's host nor that a proxy ends TLS there.
  let origin: string | undefined
  let callback: string | undefined
  let visit: Visit = { method: 'GET', path: walk.path, headers: navigation('none') }
  for (let visits = 0; visits < maxVisits; visits += 1) {
    const headers = { ...visit.headers, ...(origin !== undefined && placeOf(origin)) }
    const page = await walk.visitor({ ...visit, headers })
    const next = nextPlace(page)
    if (next === undefined) throw endedAt(visit, page, callback !== undefined)
    const here = new URL(visit.path, origin ?? 'http://app.invalid')
    const url = new URL(next, here)
    if (url.origin === walk.serverOrigin) {
      const answer = await askAuthorizationServer(url, walk.arranged)
      origin = answer.url.origin
      callback = answer.url.pathname
      visit = answer.visit
      continue
    }
    if (url.searchParams.has('response_type') || url.searchParams.has('request_uri'))
      throw new TestLoginError(
        `The app logs in at ${url.origin}, and "server" is at ${walk.serverOrigin}: give it that issuer`,
      )
    if (url.origin !== here.origin) origin = url.origin
    const path = url.pathname + url.search
    if (callback !== undefined && url.pathname !== callback) return path
    visit = { method: 'GET', path, headers: navigation('same-origin') }
  }
  throw new TestLoginError(`The login that began at ${withoutQuery(walk.path)} goes in circles`)
}

/** What browsers say of a navigation, and of what caused it (Fetch Metadata). */
function navigation(site: 'none' | 'same-origin' | 'cross-site'): Record<string, string> {
  return {
    accept: 'text/html',
    'sec-fetch-site': site,
    'sec-fetch-mode': 'navigate',
    'sec-fetch-dest': 'document',
  }
}

/** As a proxy in front of the app says it; only apps with `trust proxy` believe the second. */
export function placeOf(origin: string): Record<string, string> {
  const { host, protocol } = new URL(origin)
  return { host, ...(protocol === 'https:' && { 'x-forwarded-proto': 'https' }) }
}

/** The answer of the authorization endpoint, on its way to the app. */
async function askAuthorizationServer(
  authorizationUrl: URL,
  arranged: ArrangedLogin,
): Promise<{ url: URL; visit: Visit }> {
  const { status, headers, body } = await sendRequest(authorizationUrl.href, {
    headers: { cookie: `${arrangedLoginCookie}=${writeArrangedLogin(arranged)}` },
  }).catch((cause: unknown) => {
    throw new TestLoginError('The authorization server did not answer', undefined, { cause })
  })
  const page = { status, location: headers.location, body: body.toString('utf8') }
  const form = postedForm(page.body)
  const target = form?.action ?? nextPlace(page)
  if (target === undefined)
    throw new TestLoginError(`The authorization server answered ${status}`, page)
  const url = new URL(target, authorizationUrl)
  const path = url.pathname + url.search
  if (!form) return { url, visit: { method: 'GET', path, headers: navigation('cross-site') } }
  const posted = {
    ...navigation('cross-site'),
    origin: authorizationUrl.origin,
    'content-type': 'application/x-www-form-urlencoded',
  }
  return { url, visit: { method: 'POST', path, headers: posted, body: form.fields.toString() } }
}

function endedAt({ method, path }: Visit, page: WebPage, isBack: boolean): TestLoginError {
  const answered = `${method} ${withoutQuery(path)} answered ${page.status}`
  const message = isBack
    ? `The login ended: ${answered}`
    : `${answered} and sent nobody to the authorization server; "path" must be the login route or a ` +
      'page that asks strangers to log in, and this agent may be signed in already'
  return new TestLoginError(message, page)
}

/** A code or a state is nobody's business. */
function withoutQuery(path: string): string {
  return path.replace(/\?.*/, '')
}
