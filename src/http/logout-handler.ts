import { setTimeout as delay } from 'node:timers/promises'
import type { Request, RequestHandler, Response } from 'express'
import { ConfigurationError, PkceFlowError } from '../errors.ts'
import { buildLogoutUrl } from '../protocol/logout-request.ts'
import type { RevocationOutcome } from '../protocol/revocation.ts'
import type { TokenRecord } from '../storage/token-records.ts'
import type { CurrentLogin } from './current-login.ts'
import { endSignIns, revokeEnded, type EndedSignIn } from './end-sign-ins.ts'
import type { Flow } from './flow.ts'
import { asyncHandler } from './handler.ts'
import { keepPrivate, redirect } from './landing.ts'
import { queryParameters } from './query.ts'
import { destroySession, requireSession } from './session.ts'
import { isPrefetch } from './user-agent.ts'

/** Options of a logout handler of the app's own. */
export interface LogoutOptions {
  /**
   * Where a logout leads that ends here: a path as the browser sees it, or a URL of one of
   * `returnToOrigins`. One that goes to the authorization server comes back to `afterLogout`.
   * Default: the query parameter `returnTo`, else `afterLogout`.
   */
  returnTo?: string | undefined
  /**
   * Whether the authorization server's own session ends, too, if it offers that (OpenID Connect
   * RP-Initiated Logout 1.0): the browser is sent there. Default: `true`.
   */
  atServer?: boolean | undefined
}

/** Throws `configuration` for what cannot be asked of a logout. */
export function checkAtServer(purpose: 'login' | 'connect', atServer: unknown): void {
  if (atServer !== undefined && typeof atServer !== 'boolean')
    throw new ConfigurationError('logout: "atServer" must be true or false.')
  if (atServer === true && purpose === 'connect')
    throw new ConfigurationError(
      'logout: "atServer" does nothing with purpose \'connect\': nobody signs in through this flow.',
    )
}

/**
 * Ends the session, and the sign-ins that it refers to: the route `/logout`, or a handler of the app's
 * own. Whoever sends the old cookie afterwards is nobody. Then their tokens are revoked, and the
 * authorization server's session ends. Of accounts that are connected: disconnects the account, and
 * the session stays.
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
    const ended = await endSignIns(flow, req)
    try {
      await destroySession(req)
    } catch (error) {
      // The next try finds no tokens any more: nobody else would revoke them.
      for (const each of ended) void revokeEnded(each)
      throw error
    }
    flow.silentLoginMarker.setAfterLogout(res)
    // Back must not bring a private page from the browser's back/forward cache (OWASP ASVS 7.4.1).
    res.setHeader('Clear-Site-Data', '"cache"')
    // From here on it has ended, whatever the authorization server makes of it.
    const own = await revokeAll(flow, ended)
    const away = own && options.atServer !== false ? await urlAtServer(flow, own) : undefined
    if (away === undefined) goOn(req, res)
    else redirect(req, res, away)
  })
}

/**
 * Revokes all tokens, best effort and for `timeout` milliseconds at most. Resolves to the sign-in
 * through this flow, unless its authorization server turns out to be down: nobody should be sent there.
 */
async function revokeAll(
  flow: Flow,
  ended: readonly EndedSignIn[],
): Promise<TokenRecord | undefined> {
  const own = ended.find((each) => each.flow === flow)
  let outcome: RevocationOutcome = 'unreachable'
  const revoked = ended.map(async (each) => {
    const its = await revokeEnded(each)
    if (each === own) outcome = its
  })
  const timer = new AbortController()
  const { signal } = timer
  const limit = delay(flow.settings.timeout, undefined, { signal }).catch(() => undefined)
  await Promise.race([Promise.all(revoked), limit])
  timer.abort()
  return (outcome as RevocationOutcome) === 'unreachable' ? undefined : own?.record
}

/** Where the authorization server's session ends, if it issued an ID Token; never rejects. */
async function urlAtServer(flow: Flow, { idToken }: TokenRecord): Promise<string | undefined> {
  if (idToken === undefined) return undefined
  const { clientId, postLogoutRedirectUri } = flow.settings
  const server = await flow.getServer().catch(() => undefined)
  return server && buildLogoutUrl(server, { clientId, idToken, postLogoutRedirectUri })
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
