import type { NextFunction, Request, RequestHandler, Response } from 'express'
import type { IssuedTokens } from '../storage/token-records.ts'
import type { CurrentLogin } from './current-login.ts'
import type { Flow } from './flow.ts'
import { asError, asyncHandler } from './handler.ts'
import { noTokens } from './no-tokens.ts'
import { requireSession } from './session.ts'
import { tokenOf } from './token-of.ts'
import { userIdOf } from './user-id.ts'
import { answerRefusal, answerUnauthenticated, type Unauthenticated } from './unauthenticated.ts'

/** Options of the guard `requireToken`. */
export interface RequireTokenOptions {
  /** What happens to a request without a usable token. Default: `'auto'`. */
  unauthenticated?: Unauthenticated | undefined
}

/** Lets requests through that have a usable, fresh access token, and puts it on them. */
export function requireToken(
  flow: Flow,
  current: CurrentLogin,
  { unauthenticated = 'auto' }: RequireTokenOptions,
): RequestHandler {
  return asyncHandler(flow, async function requireUsableToken(req, res, next) {
    requireSession(req)
    const found = await current.fresh(req)
    const token = tokenOf(found)
    if (token !== undefined) {
      Object.assign(req, { [flow.settings.requestProperty]: token })
      next()
      return
    }
    const error = noTokens(found, { isSignIn: userIdOf(flow.settings, req) === undefined })
    if (found?.tokens !== undefined && isStillborn(found.tokens))
      answerRefusal(flow, req, res, next, error, unauthenticated)
    else await answerUnauthenticated(flow, req, res, next, error, unauthenticated)
  })
}

/** Expired when it came, as the next one would be: sending the person for it would go in circles. */
function isStillborn({ expiresAt, issuedAt }: IssuedTokens): boolean {
  return expiresAt !== undefined && expiresAt <= issuedAt
}

/** The guard and a handler in one: the handler runs for requests with a token only. */
export function withToken(
  guard: RequestHandler,
  handler: (req: never, res: Response, next: NextFunction) => unknown,
): RequestHandler {
  return function requireTokenFor(req: Request, res, next) {
    void guard(req, res, (failure?: unknown) => {
      if (failure !== undefined) {
        next(failure)
        return
      }
      // Handlers of an app may be async, and Express 4 does not look at what they return.
      Promise.resolve()
        .then(() => handler(req as never, res, next))
        .catch((error: unknown) => {
          next(asError(error))
        })
    })
  }
}
