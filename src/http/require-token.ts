import type { NextFunction, Request, RequestHandler, Response } from 'express'
import { PkceFlowError } from '../errors.ts'
import type { TokenRecord } from '../storage/token-records.ts'
import { createToken } from '../token.ts'
import { isUsable, type CurrentLogin } from './current-login.ts'
import type { Flow } from './flow.ts'
import { asError, asyncHandler } from './handler.ts'
import { requireSession } from './session.ts'
import { answerRefusal, answerUnauthenticated, type Unauthenticated } from './unauthenticated.ts'

/** Options of the guard `requireToken`. */
export interface RequireTokenOptions {
  /** What happens to a request without a usable token. Default: `'auto'`. */
  unauthenticated?: Unauthenticated | undefined
}

/** Lets requests through that have a usable access token, and puts it on them. */
export function requireToken(
  flow: Flow,
  current: CurrentLogin,
  { unauthenticated = 'auto' }: RequireTokenOptions,
): RequestHandler {
  return asyncHandler(flow, async function requireUsableToken(req, res, next) {
    requireSession(req)
    const record = await current.read(req)
    if (record !== undefined && isUsable(record)) {
      Object.assign(req, { [flow.settings.requestProperty]: createToken(record) })
      next()
      return
    }
    const error = missingToken(record)
    if (record !== undefined && isStillborn(record))
      answerRefusal(flow, req, res, next, error, unauthenticated)
    else await answerUnauthenticated(flow, req, res, next, error, unauthenticated)
  })
}

function missingToken(record: TokenRecord | undefined): PkceFlowError {
  return record === undefined
    ? loginRequired()
    : new PkceFlowError('reauthorization_required', 'The access token has expired. Log in again.')
}

/** Expired when it came, as the next one would be: sending the person for it would go in circles. */
function isStillborn({ expiresAt, connectedAt }: TokenRecord): boolean {
  return expiresAt !== undefined && expiresAt <= connectedAt
}

/** Nobody is signed in. */
export function loginRequired(): PkceFlowError {
  return new PkceFlowError('login_required', 'Nobody is signed in here. Log in first.')
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
