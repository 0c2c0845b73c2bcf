import type { RequestHandler } from 'express'
import type { Flow } from './flow.ts'
import { keepPrivate, seeOther } from './landing.ts'

/**
 * The route that the browser comes back to from the authorization server's logout (OpenID Connect
 * RP-Initiated Logout 1.0 section 3). Everything has ended by then, so there is nothing that a `state`
 * could protect, and none is looked at.
 */
export function postLogoutHandler({ settings }: Flow): RequestHandler {
  return function postLogout(_req, res) {
    keepPrivate(res)
    seeOther(res, settings.afterLogout)
  }
}
