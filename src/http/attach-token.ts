import type { NextFunction, Request, RequestHandler } from 'express'
import type { CurrentLogin } from './current-login.ts'
import type { Flow } from './flow.ts'
import { tokenOf } from './token-of.ts'

/** A page that may need no token does not wait for the lease of a process that was killed. Milliseconds. */
const patience = 2_000

/**
 * Puts the token on the request if there is a usable one, refreshed if it expires soon. Never answers
 * and never fails a request: what went wrong is for the guard of a route that needs the token.
 */
export function attachToken({ settings }: Flow, current: CurrentLogin): RequestHandler {
  const { requestProperty } = settings

  async function attach(req: Request) {
    const token = tokenOf(await current.fresh(req, patience))
    if (token !== undefined) Object.assign(req, { [requestProperty]: token })
  }

  return function attachPkceToken(req, _res, next: NextFunction) {
    // A browser that is not signed in costs nothing.
    if (!current.isLikely(req)) {
      next()
      return
    }
    attach(req).then(
      () => {
        next()
      },
      () => {
        next()
      },
    )
  }
}
