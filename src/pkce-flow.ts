import {
  Router,
  type NextFunction,
  type Request,
  type RequestHandler,
  type Response,
} from 'express'
import { ConfigurationError, PkceFlowError } from './errors.ts'
import { attachToken } from './http/attach-token.ts'
import { createCurrentLogin } from './http/current-login.ts'
import { createFlow } from './http/flow.ts'
import { loginHandler, type LoginOptions } from './http/login-handler.ts'
import { logoutHandler, type LogoutOptions } from './http/logout-handler.ts'
import { requireLogin, type RequireLoginOptions } from './http/require-login.ts'
import { requireToken, withToken, type RequireTokenOptions } from './http/require-token.ts'
import { createRoutes } from './http/routes.ts'
import { readClaims, readStatus, readToken, type LoginStatus } from './http/status.ts'
import { refuseUnknown } from './options/checks.ts'
import { resolveAuthorizationParams } from './options/authorization-params.ts'
import { resolveOptions } from './options/settings.ts'
import { type PkceFlowOptions } from './options/options.ts'
import type { Claims, Token } from './token.ts'

/**
 * A flow: an Express router with the routes for logging in and out, which puts the token of the
 * person at the browser on the request for the handlers after it, and these members.
 */
export interface PkceFlow<Property extends string = 'token'> extends Router {
  /**
   * Guard: lets requests through that have a usable access token, on `req.token`. Others are sent to
   * log in (a person's) or answered 401 `login_required` or `reauthorization_required` (a program's).
   */
  requireToken(options?: RequireTokenOptions): RequestHandler
  /** The guard and a handler in one, whose `req.token` is typed as present. */
  requireToken(handler: TokenHandler<Property>): RequestHandler
  /**
   * Guard: lets requests through whose browser is signed in through this flow, whether or not its
   * token is still usable. Others as with `requireToken`; 403 `insufficient_scope` by `claims`.
   */
  requireLogin(options?: RequireLoginOptions): RequestHandler
  /**
   * Claims of the validated ID Token that this browser signed in with; `undefined` without one.
   * Rejects with `store_unavailable`.
   */
  claims(req: Request): Promise<Claims | undefined>
  /** The usable token of this browser, or `undefined`. Rejects with `store_unavailable`. */
  token(req: Request): Promise<Token | undefined>
  /** A handler that starts a login, for a route of the app's own. */
  login(options?: LoginOptions): RequestHandler
  /** A handler that ends the session, for a route of the app's own. */
  logout(options?: LogoutOptions): RequestHandler
  /** What is known about this browser's sign-in. Rejects with `store_unavailable`. */
  status(req: Request): Promise<LoginStatus>
  /**
   * Discovers the authorization server now, for apps that want to fail at start. Rejects with
   * `server_unavailable`, `server_timeout`, `invalid_server_response` or `configuration`.
   */
  ready(): Promise<void>
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
  const current = createCurrentLogin(flow)
  const skip: RequestHandler = (_req, _res, next) => {
    next()
  }

  function checkReturnTo(member: string, returnTo: unknown) {
    if (returnTo !== undefined && flow.placeToReturn(returnTo) === undefined)
      throw new ConfigurationError(
        `${member}: "returnTo" must be a path of this app, or a URL of one of returnToOrigins.`,
      )
  }

  const router = Router()
  router.use(createRoutes(flow, settings.attach ? attachToken(flow, current) : skip))

  const members = {
    requireToken(...given: unknown[]) {
      const [argument] = given
      if (typeof argument === 'function' && given.length === 1)
        return withToken(requireToken(flow, current, {}), argument as TokenHandler<Property>)
      const chosen: RequireTokenOptions = onlyOptions('requireToken', given, ['unauthenticated'])
      checkUnauthenticated('requireToken', chosen.unauthenticated)
      return requireToken(flow, current, chosen)
    },
    requireLogin(...given: unknown[]) {
      const known = ['claims', 'unauthenticated']
      const chosen: RequireLoginOptions = onlyOptions('requireLogin', given, known)
      checkUnauthenticated('requireLogin', chosen.unauthenticated)
      if (chosen.claims !== undefined && typeof chosen.claims !== 'function')
        throw new ConfigurationError('requireLogin: "claims" must be a function of the claims.')
      return requireLogin(flow, current, chosen)
    },
    login(...given: unknown[]) {
      const chosen: LoginOptions = onlyOptions('login', given, ['returnTo', 'authorizationParams'])
      checkReturnTo('login', chosen.returnTo)
      const { authorizationParams: parameters = {} } = chosen
      const authorizationParams = resolveAuthorizationParams(parameters)
      return loginHandler(flow, { ...chosen, authorizationParams })
    },
    logout(...given: unknown[]) {
      const chosen: LogoutOptions = onlyOptions('logout', given, ['returnTo'])
      checkReturnTo('logout', chosen.returnTo)
      return logoutHandler(flow, chosen)
    },
    claims: async (req: unknown) => readClaims(current, onlyRequest('claims', req)),
    token: async (req: unknown) => readToken(current, onlyRequest('token', req)),
    status: async (req: unknown) => readStatus(current, onlyRequest('status', req)),
    async ready() {
      try {
        await flow.getServer()
      } catch (error) {
        throw error instanceof PkceFlowError ? flow.describe(error) : error
      }
    },
  }
  return Object.assign(router, members)
}

/** Checks the arguments of a member that takes options: `app.use(flow.login)` lacks its `()`. */
function onlyOptions(member: string, given: unknown[], known: string[]): object {
  const [options = {}] = given
  if (given.length > 1 || typeof options !== 'object' || options === null || 'headers' in options)
    throw new ConfigurationError(
      `${member} takes an object of options and returns a handler: write ${member}(), with parentheses.`,
    )
  refuseUnknown(options, known, `${member}.`)
  return options
}

function checkUnauthenticated(member: string, mode: unknown): void {
  const modes: unknown[] = [undefined, 'auto', 'redirect', 'problem', 'next']
  if (!modes.includes(mode))
    throw new ConfigurationError(
      `${member}: "unauthenticated" must be 'auto', 'redirect', 'problem' or 'next'.`,
    )
}

function onlyRequest(member: string, req: unknown): Request {
  if (typeof req === 'object' && req !== null && 'headers' in req) return req as Request
  throw new ConfigurationError(`${member} takes the request: write await flow.${member}(req).`)
}
