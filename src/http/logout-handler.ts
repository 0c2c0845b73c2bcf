import type { Request, RequestHandler, Response } from 'express'
import { PkceFlowError } from '../errors.ts'
import type { CurrentLogin } from './current-login.ts'
import type { Flow } from './flow.ts'
import { asyncHandler } from './handler.ts'
import { keepPrivate, redirect } from './landing.ts'
import { queryParameters } from './query.ts'
import { destroySession, loginReference, requireSession, sessionLifetime } from './session.ts'
import { isPrefetch } from './user-agent.ts'

/** Options of a logout handler of the app's own. */
export interface LogoutOptions {
  /**
   * Where the logout leads: a path as the browser sees it, or a URL of one of `returnToOrigins`.
   * Default: the query parameter `returnTo`, else `afterLogout`.
   */
  returnTo?: string | undefined
}

/**
 * Ends the session, and the tokens that it refers to: the route `/logout`, or a handler of the app's
 * own. Whoever sends the old cookie afterwards is nobody. Of accounts that are connected: disconnects
 * the account, and the session stays.
 */
export function logoutHandler(
  flow: Flow,
  current: CurrentLogin,
  options: LogoutOptions = {},
): RequestHandler {
  const { settings } = flow

  function goOn(req: Request, res: Response) {
    const returnTo = flow.placeToReturn(options.returnTo ?? queryParameters(req).get('returnTo'))
    redirect(req, res, returnTo ?? settings.afterLogout)
  }

  return asyncHandler(flow, async function logout(req, res) {
    keepPrivate(res)
    if (isPrefetch(req) || req.method === 'HEAD') {
      res.status(204).end()
      return
    }
    requireOwnPage(req, settings.origin)
    requireSession(req)
    if (settings.purpose === 'connect') {
      await (await current.connection(req))?.disconnect()
      goOn(req, res)
      return
    }
    const reference = loginReference(req, settings.name)
    if (reference !== undefined)
      await flow.records(req).tokenRecords.end(reference.key, sessionLifetime(req))
    await destroySession(req)
    // Back must not bring a private page from the browser's back/forward cache (OWASP ASVS 7.4.1).
    res.setHeader('Clear-Site-Data', '"cache"')
    goOn(req, res)
  })
}

/** Refuses a logout that a page of another site caused, or an image of any. */
function requireOwnPage(req: Request, origin: string): void {
  const site = req.headers['sec-fetch-site']
  const own =
    site === undefined
      ? req.method !== 'POST' || [undefined, origin].includes(req.headers.origin)
      : (site === 'same-origin' || site === 'none') && req.headers['sec-fetch-mode'] !== 'no-cors'
  if (own) return
  throw new PkceFlowError(
    'cross_site_request',
    'Another site tried to end this session. Nothing was ended.',
  )
}
