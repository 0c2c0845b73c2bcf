import type { Request, RequestHandler, Response } from 'express'
import { PkceFlowError, type PkceFlowErrorCode } from '../errors.ts'
import type { CurrentLogin } from './current-login.ts'
import type { Flow } from './flow.ts'
import { asyncHandler } from './handler.ts'
import { keepPrivate, redirect, refresh } from './landing.ts'
import { hasStrictCookie, requireSession } from './session.ts'
import { isElsewhere } from './own-host.ts'
import { startLogin } from './start-login.ts'
import { isPerson } from './user-agent.ts'

/** Says that the browser was asked to bring a cookie along, and is not asked again. */
const probe = 'pkce-flow-silent=1'

/**
 * Tries once to sign a person in without a question (`prompt=none`, OpenID Connect Core section
 * 3.1.2.1), and lets everybody else through.
 *
 * The attempt must not be repeated, so only a browser that has brought a mark of ours back makes one:
 * it is sent here again, with the mark, and from here to the authorization server. A browser without
 * cookies, or a crawler, is sent here once and gets the page.
 */
export function silentLogin(flow: Flow, current: CurrentLogin): RequestHandler {
  const { silentLoginMarker: marker } = flow
  marker.enable()

  return asyncHandler(flow, async function tryToLogIn(req, res, next) {
    requireSession(req)
    const mark = marker.read(req)
    const place = mark === 'tried' ? undefined : placeOf(flow, req)
    const isProbed = req.originalUrl.includes(probe)
    // Before the store is asked: most requests end here.
    if (place === undefined || (isProbed && mark === undefined)) {
      next()
      return
    }
    const known = await isKnown(current, req)
    if (isProbed) {
      marker.set(res, 'tried')
      if (known) sendOn(req, res, place)
      else if (!(await attempt(flow, req, res, place))) next()
    } else if (known) next()
    else {
      marker.set(res, 'probing')
      const host = isElsewhere(flow, req) ? flow.settings.origin : ''
      sendOn(req, res, `${host}${place}${place.includes('?') ? '&' : '?'}${probe}`)
    }
  })
}

/** Where the person is, if it is one who waits for a page that can be come back to. */
function placeOf(flow: Flow, req: Request): string | undefined {
  if (req.method !== 'GET' || !isPerson(req)) return undefined
  const url = req.originalUrl.replace(new RegExp(`[?&]${probe}$`), '')
  const place = flow.placeToReturn(flow.publicPath(url))
  return place?.startsWith('/') === true ? place : undefined
}

/** Whether somebody is signed in; where that cannot be told, nobody is to be. */
async function isKnown(current: CurrentLogin, req: Request): Promise<boolean> {
  try {
    return (await current.read(req)) !== undefined
  } catch {
    return true // whoever needs to know finds the store down, too
  }
}

/** A `SameSite=Strict` session that another site's link left behind comes along with a page of ours. */
function sendOn(req: Request, res: Response, url: string): void {
  keepPrivate(res)
  if (hasStrictCookie(req)) refresh(res, url)
  else redirect(req, res, url)
}

/** Whether the browser was sent away. A page need not fail because logging in silently does. */
async function attempt(flow: Flow, req: Request, res: Response, returnTo: string) {
  try {
    await startLogin(flow, req, res, {
      returnTo,
      parameters: { prompt: 'none' },
      samePlace: undefined,
      isSilent: true,
    })
    return true
  } catch (error) {
    // What is wrong with the app's own set-up has to be seen.
    if (error instanceof PkceFlowError && error.status > 500) return false
    throw error
  }
}

/** Outcomes that are none of the person's business, who asked for a page and not for a login. */
const unspoken: ReadonlySet<PkceFlowErrorCode> = new Set<PkceFlowErrorCode>([
  'login_required',
  'access_denied',
  'authorization_failed',
  'server_unavailable',
  'server_timeout',
])

/** Whether a silent login that ends so goes back to where the person was, not signed in. */
export function isUnspoken({ code }: PkceFlowError): boolean {
  return unspoken.has(code)
}
