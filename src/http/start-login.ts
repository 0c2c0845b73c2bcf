import type { Request, Response } from 'express'
import { PkceFlowError } from '../errors.ts'
import { createAuthorizationSecrets } from '../protocol/authorization-request.ts'
import { prepareAuthorizationUrl } from '../protocol/pushed-authorization-request.ts'
import { fingerprintOf, requireUserToConnect } from './connect-account.ts'
import type { Flow } from './flow.ts'
import { forbidFraming, keepPrivate, redirect } from './landing.ts'
import { isElsewhere, placeOnOwnHost } from './own-host.ts'
import { isStoredSession, requireSession, requireSessionCookie } from './session.ts'
import { isCrossSite, isFromOwnPage, mayStart } from './user-agent.ts'

/** A login that is to be started. */
export interface LoginStart {
  /** Where it leads, checked. */
  returnTo: string
  /** Scope to ask for beside the flow's. */
  scope?: readonly string[] | undefined
  /** Parameters of the authorization request beside the flow's own. */
  parameters: Readonly<Record<string, string>>
  /** Path and query, as the browser sees them, that start the same login on redirectUri's host. */
  samePlace: string | undefined
  /** Whether another site is certainly behind it. Default: as the browser says. */
  isForeign?: boolean
  /** Whether the person asked for a page, not for a login. */
  isSilent?: boolean
}

/**
 * Starts a login: keeps its secrets, binds them to this browser, sends it to the authorization
 * server. No session is made and none is written to.
 */
export async function startLogin(
  flow: Flow,
  req: Request,
  res: Response,
  { returnTo, scope: more, parameters, samePlace, isForeign = false, isSilent = false }: LoginStart,
): Promise<void> {
  const { settings } = flow
  keepPrivate(res)
  requireSession(req)
  const moved = samePlace === undefined ? undefined : placeOnOwnHost(flow, req, samePlace)
  if (moved !== undefined) {
    redirect(req, res, moved)
    return
  }
  requireSessionCookie(req)
  const isConnect = settings.purpose === 'connect'
  const user = isConnect ? fingerprintOf(requireUserToConnect(flow, req)) : undefined

  const server = await flow.getServer()
  const secrets = createAuthorizationSecrets()
  const { clientId, redirectUri, responseMode, authorizationParams } = settings
  const all = { ...authorizationParams, ...parameters }
  const scope = more && [...new Set([...settings.scope, ...more])]
  const request = {
    ...{ clientId, redirectUri, responseMode, secrets },
    scope: scope ?? settings.scope,
    parameters: all,
  }
  // Before anything is kept: where the request has to be pushed, that may fail.
  const url = await prepareAuthorizationUrl(server, request)
  const { pendingLogins } = flow.records(req)
  const binding = await pendingLogins.begin(secrets.state, {
    codeVerifier: secrets.codeVerifier,
    nonce: secrets.nonce,
    returnTo,
    startedAt: Date.now(),
    host: req.hostname,
    inSession: isStoredSession(req),
    ...(user !== undefined && { user }),
    ...(isSilent && { isSilent }),
    ...(scope !== undefined && { scope }),
    maxAge: all.max_age === undefined ? undefined : Number(all.max_age),
    ...(all.acr_values !== undefined && { acrValues: all.acr_values.split(' ').filter(Boolean) }),
  })
  const surplus = flow.cookies.add(req, res, binding, isForeign || isCrossSite(req))
  pendingLogins.forget(surplus).catch(() => undefined) // they expire
  forbidFraming(res)
  redirect(req, res, url)
}

/** Refuses a start that no person's navigation caused (P14), or no page of this app a connection. */
export function requireNavigation(flow: Flow, req: Request): void {
  if (flow.settings.purpose === 'connect' && !isFromThisApp(flow, req))
    throw new PkceFlowError(
      'cross_site_request',
      'An account is connected from a page of this app only: by a link or form there. Nothing was started.',
    )
  if (mayStart(req)) return
  if (isCrossSite(req))
    throw new PkceFlowError(
      'cross_site_request',
      'Another site tried to start a login in an image, frame or script. Nothing was started.',
    )
  throw new PkceFlowError(
    'login_required',
    'A login starts when the browser navigates here, by a link or location.assign(): not by fetch(), ' +
      'in an image or in a frame.',
  )
}

/** On another host, where a start is only sent on, the app's pages are those of that host. */
export function isFromThisApp(flow: Flow, req: Request): boolean {
  if (isFromOwnPage(req, flow.settings.origin)) return true
  return isElsewhere(flow, req) && isFromOwnPage(req, `${req.protocol}://${req.headers.host ?? ''}`)
}
