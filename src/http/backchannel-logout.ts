import { debuglog } from 'node:util'
import type { Request, RequestHandler, Response } from 'express'
import { LogoutTokenRefusal, validateLogoutToken } from '../protocol/logout-token.ts'
import type { Flow } from './flow.ts'
import { readForm } from './form-body.ts'
import { asyncHandler } from './handler.ts'
import { keepPrivate } from './landing.ts'
import { isStoredSession, requireSession, setSessionAside } from './session.ts'

const debug = debuglog('express-pkce-flow')

/** Characters: as much as a form may hold that nobody has parsed yet. */
const longestToken = 64 * 1024

/**
 * The route that the authorization server posts logout tokens to (OpenID Connect Back-Channel Logout
 * 1.0 section 2.5): 200 if it ended what there was, 400 if it is no logout token for this client. No
 * browser is there, so no cookie; the sign-ins find out with their next request.
 */
export function backchannelLogoutHandler(flow: Flow): RequestHandler {
  const { settings } = flow

  /** Throws a {@link LogoutTokenRefusal}; rejects if it cannot be told or stored now. */
  async function logOut(req: Request, res: Response) {
    const form = await readForm(req, res)
    const tokens = typeof form === 'string' ? [] : form.getAll('logout_token')
    const [token = '\0'] = tokens
    if (form === 'too large' || token.length > longestToken) return 413
    if (token === '\0' || tokens.length > 1)
      throw new LogoutTokenRefusal('There is no logout_token in a form.')
    if (settings.store === undefined) requireSession(req)
    const logout = await validateLogoutToken(token, await flow.getServer(), settings)
    await flow.records(req).serverEndings?.endBySignedRequest(req, logout)
    return 200
  }

  return asyncHandler(flow, async function backchannelLogout(req, res) {
    keepPrivate(res)
    let status: 200 | 400 | 413
    try {
      status = await logOut(req, res)
    } catch (error) {
      if (!(error instanceof LogoutTokenRefusal)) throw error
      // For the developer, who set NODE_DEBUG: who posted it may be anybody.
      debug('%s: back-channel logout refused: %s', settings.name, error.message)
      status = 400
    } finally {
      // The server is no visitor: `saveUninitialized` would keep a session for it.
      if (!isStoredSession(req)) setSessionAside(req)
    }
    if (status === 200) res.status(status).end()
    else res.status(status).json({ error: 'invalid_request' })
  })
}
