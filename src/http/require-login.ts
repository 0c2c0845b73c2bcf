import type { RequestHandler } from 'express'
import { ConfigurationError, PkceFlowError } from '../errors.ts'
import { duration } from '../options/checks.ts'
import { resolveScopeList } from '../options/scope.ts'
import type { Settings } from '../options/settings.ts'
import { claimsOf, type Claims } from '../token.ts'
import type { CurrentLogin } from './current-login.ts'
import type { Flow } from './flow.ts'
import { asyncHandler } from './handler.ts'
import { loginRequired } from './no-tokens.ts'
import {
  insufficientAuthentication,
  parametersFor,
  shortfallOf,
  type LoginQuality,
} from './login-quality.ts'
import { requireSession } from './session.ts'
import { answerRefusal, answerUnauthenticated, type Unauthenticated } from './unauthenticated.ts'

/** Options of the guard `requireLogin`. */
export interface RequireLoginOptions {
  /**
   * Whom to let through, by the claims of the ID Token. Others get 403 `insufficient_scope`, also
   * those whose login brought no ID Token.
   */
  claims?: ((claims: Claims) => boolean) | undefined
  /**
   * How long ago the person may have proved who it is (claim `auth_time`), in milliseconds, 1,000 to
   * 31,536,000,000 (365 days). Whose login is older is sent to log in again (RFC 9470); a program gets
   * 401 `insufficient_user_authentication`. Default: any time.
   */
  maxAge?: number | undefined
  /**
   * Authentication context class references (claim `acr`), of which the login must have any: an array,
   * or a string of space-delimited ones. Whose login has none is sent to log in for it, once; what the
   * authorization server did not give then is 401 `insufficient_user_authentication`, as for a program.
   */
  acrValues?: string | readonly string[] | undefined
  /** What happens to a request without a login. Default: `'auto'`. */
  unauthenticated?: Unauthenticated | undefined
}

/** The options, checked. */
export type LoginGuardOptions = Omit<RequireLoginOptions, 'acrValues'> & LoginQuality

/** Checks the options of the guard. Throws `configuration`, naming the one at fault. */
export function resolveLoginGuard(
  { scope }: Settings,
  { claims, maxAge, acrValues, unauthenticated }: RequireLoginOptions,
): LoginGuardOptions {
  if (claims !== undefined && typeof claims !== 'function')
    throw new ConfigurationError('requireLogin: "claims" must be a function of the claims.')
  if ((maxAge !== undefined || acrValues !== undefined) && !scope.includes('openid'))
    throw new ConfigurationError(
      'requireLogin: "maxAge" and "acrValues" are about the ID Token, which comes with the scope "openid" only.',
    )
  return {
    claims,
    unauthenticated,
    maxAge:
      maxAge === undefined
        ? undefined
        : duration('requireLogin.maxAge', maxAge, 1_000, 31_536_000_000),
    acrValues: acrValues === undefined ? undefined : resolveAcrValues(acrValues),
  }
}

/**
 * Logins finished within a minute, after which another one is not asked for: two guards of a page may
 * each want what the other's login takes away.
 */
const mostRounds = 5

/** None of them at all would be a guard that guards nothing. */
function resolveAcrValues(given: unknown): readonly string[] {
  const list = resolveScopeList('requireLogin: "acrValues"', given)
  if (list.length > 0) return list
  throw new ConfigurationError('requireLogin: "acrValues" names none. Is its variable set?')
}

/** Lets requests through whose browser is signed in, whether or not its token is still usable. */
export function requireLogin(
  flow: Flow,
  current: CurrentLogin,
  { claims: isAllowed, unauthenticated = 'auto', ...needed }: LoginGuardOptions,
): RequestHandler {
  const { clockTolerance } = flow.settings

  return asyncHandler(flow, async function requireSignIn(req, res, next) {
    requireSession(req)
    const record = await current.read(req)
    if (record === undefined) {
      await answerUnauthenticated(flow, req, res, next, loginRequired(), unauthenticated, {
        parameters: parametersFor(needed),
      })
      return
    }
    const { idToken } = record
    if (isAllowed !== undefined && (idToken === undefined || !judge(isAllowed, idToken))) {
      answerRefusal(flow, req, res, next, notEntitled(), unauthenticated)
      return
    }
    const shortfall = shortfallOf(record, needed, clockTolerance)
    if (shortfall === undefined) {
      next()
      return
    }
    const error = insufficientAuthentication(shortfall)
    const isHopeless = shortfall.isHopeless || flow.cookies.countFinished(req) >= mostRounds
    if (isHopeless) answerRefusal(flow, req, res, next, error, unauthenticated)
    else {
      // What was granted before is asked for again: the new token would be good for less otherwise.
      const connected = await (await current.connection(req))?.read()
      const scope = typeof connected === 'object' ? connected.tokens?.scope : undefined
      const asked = { parameters: shortfall.parameters, scope }
      await answerUnauthenticated(flow, req, res, next, error, unauthenticated, asked)
    }
  })
}

function notEntitled(): PkceFlowError {
  return new PkceFlowError(
    'insufficient_scope',
    'This page is for others: the account that is signed in is not entitled to it.',
  )
}

function judge(isAllowed: (claims: Claims) => boolean, idToken: string): boolean {
  const verdict: unknown = isAllowed(claimsOf(idToken))
  // A promise of false would count as true.
  if (typeof verdict === 'boolean') return verdict
  throw new ConfigurationError('requireLogin: "claims" must return true or false, no promise.')
}
