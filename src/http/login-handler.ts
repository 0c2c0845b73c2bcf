import type { Request, RequestHandler, Response } from 'express'
import { askToConnect, needsConsent } from './connect-page.ts'
import { requireForm } from './form-body.ts'
import type { Flow } from './flow.ts'
import { asyncHandler } from './handler.ts'
import { readInitiatedLogin } from './initiated-login.ts'
import { keepPrivate, redirect } from './landing.ts'
import { refuseMethod } from './method-not-allowed.ts'
import { queryParameters } from './query.ts'
import { requireNavigation, startLogin } from './start-login.ts'
import { isFromOwnPage, isPrefetch } from './user-agent.ts'

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

/** Sends the person to log in: a handler of the app's own. */
export function loginHandler(flow: Flow, options: LoginOptions): RequestHandler {
  return asyncHandler(flow, async function login(req, res) {
    const samePlace = req.method === 'GET' ? flow.publicPath(req.originalUrl) : undefined
    if (!mayGoOn(flow, req, res, samePlace)) return
    await startLogin(flow, req, res, {
      returnTo: placeAskedFor(flow, options.returnTo ?? queryParameters(req).get('returnTo')),
      scope: options.scope as readonly string[] | undefined,
      parameters: options.authorizationParams ?? {},
      samePlace,
    })
  })
}

/**
 * The route `/login`: sends the person to log in, also if a third party asks for it (OpenID Connect
 * Core section 4), by GET or by POST.
 */
export function loginRoute(flow: Flow): RequestHandler {
  return asyncHandler(flow, async function login(req, res) {
    const samePlace = req.method === 'GET' ? flow.publicPath(req.originalUrl) : undefined
    if (!mayGoOn(flow, req, res, samePlace)) return
    if (req.method === 'POST') {
      await sendPostedOn(flow, req, res)
      return
    }
    const query = queryParameters(req)
    const initiated = readInitiatedLogin(flow, query)
    await startLogin(flow, req, res, {
      returnTo: initiated?.returnTo ?? placeAskedFor(flow, query.get('returnTo')),
      parameters: initiated?.parameters ?? {},
      samePlace,
      isForeign: initiated !== undefined && !isFromOwnPage(req, flow.settings.origin),
    })
  })
}

/**
 * Sends the browser on to ask for the same by GET: another site's form brings no `SameSite=Lax`
 * session cookie along, what a redirect leads to does, and the login has to know that session.
 */
async function sendPostedOn(flow: Flow, req: Request, res: Response): Promise<void> {
  // As the only thing that is posted here; anything else is another method, as elsewhere.
  const isForm = typeof req.is('application/x-www-form-urlencoded') === 'string'
  const initiated = isForm ? readInitiatedLogin(flow, await requireForm(req, res)) : undefined
  if (initiated === undefined) refuseMethod(res, ['GET'])
  else redirect(req, res, initiated.samePlace)
}

/** Whether a login may start with this request; one that was prefetched, or asks first, is answered. */
function mayGoOn(flow: Flow, req: Request, res: Response, samePlace: string | undefined): boolean {
  keepPrivate(res)
  if (isPrefetch(req)) {
    res.status(204).end()
    return false
  }
  if (samePlace !== undefined && needsConsent(flow, req)) {
    askToConnect(flow, res, samePlace)
    return false
  }
  requireNavigation(flow, req)
  return true
}

function placeAskedFor(flow: Flow, asked: string | null): string {
  return flow.placeToReturn(asked) ?? flow.settings.afterLogin
}
