import {
  Router,
  type NextFunction,
  type Request,
  type RequestHandler,
  type Response,
} from 'express'
import { reportAtStart } from './doctor/at-start.ts'
import { diagnose } from './doctor/diagnose.ts'
import type { Finding } from './doctor/finding.ts'
import { ConfigurationError, PkceFlowError } from './errors.ts'
import { createApiFetch } from './http/api-fetch.ts'
import { attachToken } from './http/attach-token.ts'
import { createCurrentLogin } from './http/current-login.ts'
import { createFlow } from './http/flow.ts'
import { rememberFlow } from './http/flows-by-name.ts'
import { loginHandler, type LoginOptions } from './http/login-handler.ts'
import { checkAtServer, logoutHandler, type LogoutOptions } from './http/logout-handler.ts'
import { requireLogin, resolveLoginGuard, type RequireLoginOptions } from './http/require-login.ts'
import { requireToken, withToken, type RequireTokenOptions } from './http/require-token.ts'
import { createRoutes } from './http/routes.ts'
import { silentLogin } from './http/silent-login.ts'
import { forUser, type UserTokenAccess } from './http/for-user.ts'
import { readClaims, readStatus, type LoginStatus } from './http/status.ts'
import { checkUnauthenticated } from './http/unauthenticated.ts'
import { createTokenAccess, type UserInfo } from './http/token-access.ts'
import { requireUserId } from './http/user-id.ts'
import { resolveAuthorizationParams } from './options/authorization-params.ts'
import { resolveOptions } from './options/settings.ts'
import { type PkceFlowOptions } from './options/options.ts'
import { onlyOptions, onlyRequest, scopeOf } from './options/member-arguments.ts'
import type { Claims, Token } from './token.ts'

/**
 * A flow: an Express router with the routes for logging in and out, which puts the token of the
 * person at the browser on the request for the handlers after it, and these members.
 */
export interface PkceFlow<Property extends string = 'token'> extends Router {
  /**
   * Guard: lets requests through that have a usable access token, on `req.token`, refreshed if it
   * expires soon. Others are sent to log in (a person's) or answered 401 `login_required`,
   * `reauthorization_required`, `not_connected` or `not_signed_in`, or 403 `insufficient_scope` (a
   * program's). While an expired one cannot be
   * refreshed: 503 `server_unavailable`, `lock_unavailable` or `store_unavailable`.
   */
  requireToken(options?: RequireTokenOptions): RequestHandler
  /** The guard and a handler in one, whose `req.token` is typed as present. */
  requireToken(handler: TokenHandler<Property>): RequestHandler
  /**
   * Guard: lets requests through whose browser is signed in through this flow, whether or not its
   * token is still usable. Others as with `requireToken`; 403 `insufficient_scope` by `claims`, 401
   * `insufficient_user_authentication` by `maxAge` and `acrValues`.
   */
  requireLogin(options?: RequireLoginOptions): RequestHandler
  /**
   * Claims of the validated ID Token that this browser signed in with; `undefined` without one.
   * Rejects with `store_unavailable`.
   */
  claims(req: Request): Promise<Claims | undefined>
  /**
   * The fresh token of this browser, or `undefined`: one that expires soon is refreshed first.
   * Rejects with `server_unavailable`, `lock_unavailable` or `store_unavailable` if it has expired
   * and another one cannot be had now.
   */
  token(req: Request): Promise<Token | undefined>
  /**
   * The global `fetch` with this browser's token in the header `Authorization`, to origins of the
   * option `apiOrigins` only. A response 401 that says that the token is invalid (RFC 6750 section
   * 3.1) makes one refresh and one repetition, if the body can be sent again.
   *
   * Rejects with `origin_not_allowed`, `login_required`, `not_signed_in`, `reauthorization_required`,
   * `not_connected`, as {@link PkceFlow.token} does, or as `fetch` does.
   */
  fetch(
    req: Request,
    url: string | URL | globalThis.Request,
    init?: RequestInit,
  ): Promise<globalThis.Response>
  /**
   * Claims from the userinfo endpoint (OpenID Connect Core section 5.3) about the person who logged
   * in: asked for at every call. With a preset of plain OAuth 2.0: its profile, and the account's id as
   * `sub`. Rejects as {@link PkceFlow.fetch} does, with
   * `invalid_server_response`, also if they are about somebody else, or `server_timeout`.
   */
  userInfo(req: Request): Promise<UserInfo>
  /**
   * Forgets this browser's tokens, or its user's, and revokes them at the authorization server (RFC
   * 7009) as far as that can be done. The session and the sign-in stay. Resolves to whether the
   * server confirmed. Rejects with `store_unavailable` or `lock_unavailable`.
   */
  disconnect(req: Request): Promise<{ revoked: boolean }>
  /**
   * The tokens of one of the app's users, without a request. Throws `configuration` without the
   * option `tokenStore`, `user_id_invalid`.
   */
  forUser(userId: string): UserTokenAccess
  /** A handler that starts a login, for a route of the app's own. */
  login(options?: LoginOptions): RequestHandler
  /**
   * A handler that tries once in each browser to sign its person in without a question, before the
   * first page that it guards is shown: `prompt=none` (OpenID Connect Core section 3.1.2.1). Whoever
   * cannot be signed in so gets the page, and so does whoever logged out. Throws `configuration` with
   * purpose `'connect'`.
   */
  silentLogin(): RequestHandler
  /** A handler that logs out, for a route of the app's own; see {@link LogoutOptions}. */
  logout(options?: LogoutOptions): RequestHandler
  /** What is known about this browser's sign-in. Rejects with `store_unavailable`. */
  status(req: Request): Promise<LoginStatus>
  /**
   * Discovers the authorization server now, for apps that want to fail at start. Rejects with
   * `server_unavailable`, `server_timeout`, `invalid_server_response` or `configuration`.
   */
  ready(): Promise<void>
  /**
   * Looks for what breaks logins, in the options, at the authorization server and, with a request, in
   * how it came here: proxies, session cookie, mount path. Resolves to what is wrong, empty if
   * nothing is; also a server that is down is a finding. Rejects with `configuration` only, if its
   * argument is no request.
   */
  diagnose(req?: Request): Promise<Finding[]>
}

/** A handler that runs for requests with a token only. */
export type TokenHandler<Property extends string = 'token'> = (
  req: Request & Record<Property, Token>,
  res: Response,
  next: NextFunction,
) => unknown

/**
 * Makes a flow: the authorization code flow with PKCE (RFC 6749 section 4.1, RFC 7636) against one
 * authorization server, for the browsers that use this app. Mount it after express-session:
 * `app.use(flow)`.
 *
 * Throws `configuration`, naming the option at fault.
 */
export function pkceFlow<const Property extends string = 'token'>(
  options: PkceFlowOptions<Property>,
): PkceFlow<Property> {
  const settings = resolveOptions(options)
  const flow = createFlow(settings)
  rememberFlow(flow)
  const current = createCurrentLogin(flow)
  const apiFetch = createApiFetch(settings.apiOrigins)
  const access = createTokenAccess(settings.purpose, current, apiFetch)
  const skip: RequestHandler = (_req, _res, next) => {
    next()
  }

  function checkReturnTo(member: string, returnTo: unknown) {
    if (returnTo !== undefined && flow.placeToReturn(returnTo) === undefined)
      throw new ConfigurationError(
        `${member}: "returnTo" must be a path of this app, or a URL of one of returnToOrigins.`,
      )
  }

  function refuseToConnect(member: string, advice: string) {
    if (settings.purpose === 'connect')
      throw new ConfigurationError(
        `${member}: nobody signs in through a flow with purpose 'connect'. ${advice}`,
      )
  }

  /** What a member gives; its errors say which flow they are of, and where to log in. */
  async function described<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      throw error instanceof PkceFlowError ? flow.describe(error) : error
    }
  }

  const router = Router()
  router.use(createRoutes(flow, current, settings.attach ? attachToken(flow, current) : skip))

  const members = {
    requireToken(...given: unknown[]) {
      const [argument] = given
      if (typeof argument === 'function' && given.length === 1)
        return withToken(requireToken(flow, current, {}), argument as TokenHandler<Property>)
      const known = ['scope', 'unauthenticated']
      const chosen: RequireTokenOptions = onlyOptions('requireToken', given, known)
      checkUnauthenticated('requireToken', chosen.unauthenticated)
      return requireToken(flow, current, { ...chosen, scope: scopeOf('requireToken', chosen) })
    },
    requireLogin(...given: unknown[]) {
      refuseToConnect('requireLogin', "Use your app's own guard, or requireToken().")
      const known = ['claims', 'maxAge', 'acrValues', 'unauthenticated']
      const chosen: RequireLoginOptions = onlyOptions('requireLogin', given, known)
      checkUnauthenticated('requireLogin', chosen.unauthenticated)
      return requireLogin(flow, current, resolveLoginGuard(settings, chosen))
    },
    login(...given: unknown[]) {
      const chosen: LoginOptions = onlyOptions('login', given, [
        'returnTo',
        'scope',
        'authorizationParams',
      ])
      checkReturnTo('login', chosen.returnTo)
      const { authorizationParams: parameters = {} } = chosen
      const authorizationParams = resolveAuthorizationParams(parameters)
      return loginHandler(flow, { ...chosen, scope: scopeOf('login', chosen), authorizationParams })
    },
    silentLogin(...given: unknown[]) {
      onlyOptions('silentLogin', given, [])
      refuseToConnect('silentLogin', 'Leave it out.')
      return silentLogin(flow, current)
    },
    logout(...given: unknown[]) {
      const chosen: LogoutOptions = onlyOptions('logout', given, ['returnTo', 'atServer'])
      checkReturnTo('logout', chosen.returnTo)
      checkAtServer(settings.purpose, chosen.atServer)
      return logoutHandler(flow, current, chosen)
    },
    claims: (req: unknown) =>
      described(async () => readClaims(current, onlyRequest('claims', req))),
    token: (req: unknown) => described(async () => access.token(onlyRequest('token', req))),
    fetch: (req: unknown, url: string | URL | globalThis.Request, init?: RequestInit) =>
      described(async () => access.fetch(onlyRequest('fetch', req), url, init)),
    userInfo: (req: unknown) =>
      described(async () => access.userInfo(onlyRequest('userInfo', req))),
    disconnect: (req: unknown) =>
      described(async () => access.disconnect(onlyRequest('disconnect', req))),
    forUser(userId: unknown) {
      const id = requireUserId(userId)
      flow.userConnection(id) // throws at once what is wrong with the options
      return forUser(() => flow.userConnection(id), apiFetch, described)
    },
    status: (req: unknown) =>
      described(async () => readStatus(current, onlyRequest('status', req))),
    ready: () =>
      described(async () => {
        await flow.getServer()
      }),
    diagnose: (req?: unknown) =>
      described(async () =>
        diagnose(flow, router, req === undefined ? req : onlyRequest('diagnose', req)),
      ),
  }
  reportAtStart(settings)
  return Object.assign(router, members)
}
