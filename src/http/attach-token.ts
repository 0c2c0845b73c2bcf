import type { NextFunction, Request, RequestHandler } from 'express'
import { createToken } from '../token.ts'
import { isUsable, type CurrentLogin } from './current-login.ts'
import type { Flow } from './flow.ts'

/**
 * Puts the token on the request if there is a usable one. Never answers and never fails a request:
 * what went wrong is for the guard of a route that needs the token.
 */
export function attachToken({ settings }: Flow, current: CurrentLogin): RequestHandler {
  const { requestProperty } = settings

  async function attach(req: Request) {
    const record = await current.read(req)
    if (record !== undefined && isUsable(record))
      Object.assign(req, { [requestProperty]: createToken(record) })
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
