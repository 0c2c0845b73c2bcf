import type { RequestHandler } from 'express'
import { ConfigurationError, PkceFlowError } from '../errors.ts'
import { claimsOf, type Claims } from '../token.ts'
import type { CurrentLogin } from './current-login.ts'
import type { Flow } from './flow.ts'
import { asyncHandler } from './handler.ts'
import { loginRequired } from './no-tokens.ts'
import { requireSession } from './session.ts'
import { answerRefusal, answerUnauthenticated, type Unauthenticated } from './unauthenticated.ts'

/** Options of the guard `requireLogin`. */
export interface RequireLoginOptions {
  /**
   * Whom to let through, by the claims of the ID Token. Others get 403 `insufficient_scope`, also
   * those whose login brought no ID Token.
   */
  claims?: ((claims: Claims) => boolean) | undefined
  /** What happens to a request without a login. Default: `'auto'`. */
  unauthenticated?: Unauthenticated | undefined
}

/** Lets requests through whose browser is signed in, whether or not its token is still usable. */
export function requireLogin(
  flow: Flow,
  current: CurrentLogin,
  { claims: isAllowed, unauthenticated = 'auto' }: RequireLoginOptions,
): RequestHandler {
  return asyncHandler(flow, async function requireSignIn(req, res, next) {
    requireSession(req)
    const record = await current.read(req)
    if (record === undefined) {
      await answerUnauthenticated(flow, req, res, next, loginRequired(), unauthenticated)
      return
    }
    const { idToken } = record
    if (isAllowed === undefined || (idToken !== undefined && judge(isAllowed, idToken))) {
      next()
      return
    }
    const error = new PkceFlowError(
      'insufficient_scope',
      'This page is for others: the account that is signed in is not entitled to it.',
    )
    answerRefusal(flow, req, res, next, error, unauthenticated)
  })
}

function judge(isAllowed: (claims: Claims) => boolean, idToken: string): boolean {
  const verdict: unknown = isAllowed(claimsOf(idToken))
  // A promise of false would count as true.
  if (typeof verdict === 'boolean') return verdict
  throw new ConfigurationError('requireLogin: "claims" must return true or false, no promise.')
}
