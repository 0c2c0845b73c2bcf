import type { NextFunction, Request, RequestHandler, Response } from 'express'
import { PkceFlowError } from '../errors.ts'
import type { IssuedTokens } from '../storage/token-records.ts'
import type { CurrentLogin } from './current-login.ts'
import type { Flow } from './flow.ts'
import { asError, asyncHandler } from './handler.ts'
import { noTokens, notSignedIn } from './no-tokens.ts'
import { requireSession } from './session.ts'
import { tokenOf } from './token-of.ts'
import { userIdOf } from './user-id.ts'
import { answerRefusal, answerUnauthenticated, type Unauthenticated } from './unauthenticated.ts'

/** Options of the guard `requireToken`. */
export interface RequireTokenOptions {
  /**
   * What the token has to be good for. A person whose token is not is sent to give that, too, once:
   * what the authorization server did not grant then is 403 `insufficient_scope`, as for a program.
   */
  scope?: string | readonly string[] | undefined
  /** What happens to a request without a usable token. Default: `'auto'`. */
  unauthenticated?: Unauthenticated | undefined
}

/** The options, checked. */
type GuardOptions = Omit<RequireTokenOptions, 'scope'> & { scope?: readonly string[] | undefined }

/** Lets requests through that have a usable, fresh access token, and puts it on them. */
export function requireToken(
  flow: Flow,
  current: CurrentLogin,
  { scope: needed = [], unauthenticated = 'auto' }: GuardOptions,
): RequestHandler {
  const { settings } = flow

  return asyncHandler(flow, async function requireUsableToken(req, res, next) {
    requireSession(req)
    const found = await current.fresh(req)
    const token = tokenOf(found)
    const granted = found?.tokens?.scope ?? []
    const missing = needed.filter((scope) => !granted.includes(scope))
    if (token !== undefined && missing.length === 0) {
      Object.assign(req, { [settings.requestProperty]: token })
      next()
      return
    }
    const isSignIn = userIdOf(settings, req) === undefined
    const error =
      token !== undefined
        ? insufficientScope(flow, missing)
        : isSignIn && settings.purpose === 'connect'
          ? notSignedIn()
          : noTokens(found, { isSignIn })
    const useless = token === undefined ? [] : missing
    if (error.code === 'not_signed_in' || isHopeless(found?.tokens, useless))
      answerRefusal(flow, req, res, next, error, unauthenticated)
    else {
      // What was granted before is asked for again: a new token would be good for less otherwise.
      const scope = needed.length === 0 ? undefined : [...granted, ...needed]
      await answerUnauthenticated(flow, req, res, next, error, unauthenticated, { scope })
    }
  })
}

/**
 * Whether another login would bring the person back here with no better token than this.
 *
 * @param missing scope that this token, which can be used, is not good for
 */
function isHopeless(tokens: IssuedTokens | undefined, missing: readonly string[]): boolean {
  if (tokens === undefined) return false
  if (isStillborn(tokens)) return true
  const { asked = [] } = tokens
  return missing.length > 0 && missing.every((scope) => asked.includes(scope))
}

function insufficientScope(flow: Flow, missing: readonly string[]): PkceFlowError {
  // The route asks for the flow's own scope, which the person may have refused in part.
  const isAsked = missing.every((scope) => flow.settings.scope.includes(scope))
  return new PkceFlowError(
    'insufficient_scope',
    'The account that is connected did not allow this app to do this.',
    { loginUrl: isAsked ? flow.loginUrl() : undefined },
  )
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
