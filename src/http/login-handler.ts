import type { RequestHandler } from 'express'
import { askToConnect, needsConsent } from './connect-page.ts'
import type { Flow } from './flow.ts'
import { asyncHandler } from './handler.ts'
import { keepPrivate } from './landing.ts'
import { queryParameters } from './query.ts'
import { requireNavigation, startLogin } from './start-login.ts'
import { isPrefetch } from './user-agent.ts'

/** Options of a login handler of the app's own. */
export interface LoginOptions {
  /**
   * Where the login leads: a path as the browser sees it, or a URL of one of `returnToOrigins`.
   * Default: the query parameter `returnTo`, else `afterLogin`.
   */
  returnTo?: string | undefined
  /** Scope to ask for this time beside the option `scope`. */
  scope?: string | readonly string[] | undefined
  /** More parameters of this authorization request, for example `{ prompt: 'select_account' }`. */
  authorizationParams?: Readonly<Record<string, string>> | undefined
}

/** Sends the person to log in: the route `/login`, or a handler of the app's own. */
export function loginHandler(flow: Flow, options: LoginOptions = {}): RequestHandler {
  return asyncHandler(flow, async function login(req, res) {
    keepPrivate(res)
    if (isPrefetch(req)) {
      res.status(204).end()
      return
    }
    const samePlace = req.method === 'GET' ? flow.publicPath(req.originalUrl) : undefined
    if (samePlace !== undefined && needsConsent(flow, req)) {
      askToConnect(flow, res, samePlace)
      return
    }
    requireNavigation(flow, req)
    await startLogin(flow, req, res, {
      returnTo:
        flow.placeToReturn(options.returnTo ?? queryParameters(req).get('returnTo')) ??
        flow.settings.afterLogin,
      scope: options.scope as readonly string[] | undefined,
      parameters: options.authorizationParams ?? {},
      samePlace,
    })
  })
}
