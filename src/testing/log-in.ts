import { randomUUID } from 'node:crypto'
import type { ArrangedLogin } from './arranged-login.ts'
import type { TestAuthorizationServer } from './authorization-server.ts'
import { logInByPage, type PlaywrightPage } from './browser-page.ts'
import type { IssuedTokens } from './grants.ts'
import { TestLoginError } from './login-error.ts'
import { walkThroughLogin } from './login-walk.ts'
import { visitBySupertest, type SupertestAgent } from './supertest-agent.ts'
import { visitByBrowser, type TestBrowser } from './test-browser.ts'

/** Options of `logIn`. */
export interface LogInOptions {
  /** Where the app sends people to log in. */
  server: TestAuthorizationServer
  /** `sub` of who logs in. Default: the server's first user, or whom `authorizeAs` says. */
  user?: string | undefined
  /**
   * What the person grants in place of all that the app asks for: less, or more. Space-delimited, or a
   * list. `openid` is always granted where it is asked for.
   */
  scope?: string | readonly string[] | undefined
  /**
   * Where to begin: the login route or a page that asks strangers to log in. A Playwright page takes a
   * path only if its context has a `baseURL`. Default: `/login`.
   */
  path?: string | undefined
  /**
   * The access token has expired by the time the login is done, so that the next request that needs it
   * refreshes it. Default: `false`.
   */
  expired?: boolean | undefined
}

/** What became of a login. */
export interface LoggedIn {
  /** Path and query of the page that the login led to. It was requested by a Playwright page only. */
  readonly landing: string
  /** What the token endpoint handed out for it. */
  readonly tokens: IssuedTokens
}

/**
 * Logs a user in, without pages: through the app's login route, the authorization server and the app's
 * callback. Afterwards the agent is signed in. Logins of several agents can run at the same time.
 *
 * @param agent supertest's `request.agent(app)`, a `createTestBrowser(origin)`, or a Playwright page
 * @throws TestLoginError if the login does not end signed in: with the status and the error code that the
 * app answered
 */
export async function logIn(
  agent: SupertestAgent | TestBrowser | PlaywrightPage,
  options: LogInOptions,
): Promise<LoggedIn> {
  const { server, user, scope, path = '/login', expired = false, ...unknown } = options
  for (const name of Object.keys(unknown)) throw new TypeError(`"${name}" is no option of logIn`)
  checkSetUp(agent, options)
  if (user !== undefined && !server.users.some(({ sub }) => sub === user))
    throw new TypeError(`There is no user "${user}": name them in the option "users" of the server`)
  const id = randomUUID()
  const arranged: ArrangedLogin = {
    id,
    ...(user !== undefined && { sub: user }),
    ...(scope !== undefined && { scope: typeof scope === 'string' ? scope : scope.join(' ') }),
    ...(expired && { expired }),
  }
  const landing =
    'goto' in agent
      ? await logInByPage(agent, server, arranged, path)
      : await walkThroughLogin({
          visitor: 'fetch' in agent ? visitByBrowser(agent) : visitBySupertest(agent),
          serverOrigin: server.origin,
          arranged,
          path,
        })
  const tokens = server.issued.find(({ loginId }) => loginId === id)
  if (!tokens)
    throw new TestLoginError(
      `The login led to ${landing.replace(/\?.*/, '')}, but no tokens were issued for it: was it refused, ` +
        'or is the server one that was made with "record: false"?',
    )
  return { landing, tokens }
}

/** What a test in JavaScript easily gets wrong. */
function checkSetUp(agent: object, { server, path = '/login' }: Partial<LogInOptions>): void {
  if (!['goto', 'fetch', 'jar'].some((member) => member in agent))
    throw new TypeError('logIn takes request.agent(app), createTestBrowser(origin) or a page')
  if (!Array.isArray(server?.users))
    throw new TypeError('"server" must be what createTestAuthorizationServer() resolves to')
  if (!('goto' in agent) && !path.startsWith('/'))
    throw new TypeError('"path" must be a path of the app: it starts with a slash')
}
