import type { NextFunction, Request, Response } from 'express'
import { ConfigurationError, PkceFlowError } from '../errors.ts'
import type { Flow } from './flow.ts'
import { keepPrivate, refresh } from './landing.ts'
import { hasStrictCookie, isStoredSession } from './session.ts'
import { isFromThisApp, startLogin } from './start-login.ts'
import { isCrossSite, isPerson, mayStart } from './user-agent.ts'

/**
 * What a guard does with a request that it does not let through:
 *
 * - `'auto'`: sends a person to log in, answers a program with problem JSON;
 * - `'redirect'`: sends everybody to log in whose request could start a login;
 * - `'problem'`: answers everybody with problem JSON (RFC 9457);
 * - `'next'`: hands the error to the app's error handler.
 */
export type Unauthenticated = 'auto' | 'redirect' | 'problem' | 'next'

/** Throws `configuration` unless `mode` is one. */
export function checkUnauthenticated(member: string, mode: unknown): void {
  const modes: unknown[] = [undefined, 'auto', 'redirect', 'problem', 'next']
  if (!modes.includes(mode))
    throw new ConfigurationError(
      `${member}: "unauthenticated" must be 'auto', 'redirect', 'problem' or 'next'.`,
    )
}

/** What a login is to ask for beside what the flow asks for. */
export interface Asked {
  scope?: readonly string[] | undefined
  /** Of the authorization request. */
  parameters?: Readonly<Record<string, string>> | undefined
}

/** Answers a request that needs a login. */
export async function answerUnauthenticated(
  flow: Flow,
  req: Request,
  res: Response,
  next: NextFunction,
  error: PkceFlowError,
  mode: Unauthenticated,
  asked: Asked = {},
): Promise<void> {
  const starts = (mode === 'redirect' && mayStart(req)) || (mode === 'auto' && isPerson(req))
  if (mode === 'next') next(flow.describe(error))
  else if (!starts) answerProblem(flow, res, error)
  // Where no login is started, none goes in circles.
  else if (goesInCircles(flow, req)) answerRefusal(flow, req, res, next, cookieLost(), mode)
  else await startHere(flow, req, res, next, { error, mode, asked })
}

/** Logins that are finished again and again, and leave no session behind; connecting leaves none. */
function goesInCircles({ settings, cookies }: Flow, req: Request): boolean {
  return settings.purpose === 'login' && !isStoredSession(req) && cookies.countFinished(req) >= 3
}

function cookieLost(): PkceFlowError {
  return new PkceFlowError(
    'insecure_cookie',
    'This browser logs in and comes back without its session cookie. Check the cookie options of ' +
      "express-session (domain, path, secure) and app.set('trust proxy', 1) behind a proxy that ends TLS.",
  )
}

/** What is answered where no login can be started. */
interface Refusal {
  error: PkceFlowError
  mode: Unauthenticated
  asked: Asked
}

/** Starts a login that comes back to this page, or to the default if coming back would do nothing. */
async function startHere(
  flow: Flow,
  req: Request,
  res: Response,
  next: NextFunction,
  { error, mode, asked }: Refusal,
): Promise<void> {
  const { purpose, afterLogin } = flow.settings
  // A link on another site must not make anybody connect an account, by way of a page of ours neither.
  if (purpose === 'connect' && !isFromThisApp(flow, req)) {
    answerRefusal(flow, req, res, next, error, mode)
    return
  }
  const here = flow.placeToReturn(
    req.method === 'GET' ? flow.publicPath(req.originalUrl) : undefined,
  )
  if (here !== undefined && leftSessionBehind(req)) {
    keepPrivate(res)
    refresh(res, here)
    return
  }
  const returnTo = here ?? afterLogin
  await startLogin(flow, req, res, {
    returnTo,
    scope: asked.scope,
    parameters: asked.parameters ?? {},
    samePlace: flow.loginUrl(returnTo),
  })
}

/**
 * Whether a link on another site led here and the session cookie, being `SameSite=Strict`, may have
 * stayed behind: a page of ours brings it along.
 */
function leftSessionBehind(req: Request): boolean {
  return isCrossSite(req) && hasStrictCookie(req) && !isStoredSession(req)
}

/** Answers a request that logging in would not help: a person by the app's error page. */
export function answerRefusal(
  flow: Flow,
  req: Request,
  res: Response,
  next: NextFunction,
  error: PkceFlowError,
  mode: Unauthenticated,
): void {
  if (mode === 'next' || (mode !== 'problem' && isPerson(req))) next(flow.describe(error))
  else answerProblem(flow, res, error)
}

/** Problem JSON (RFC 9457) that says where a person can log in. */
function answerProblem(flow: Flow, res: Response, error: PkceFlowError): void {
  const { code, status, message, loginUrl, headers } = flow.describe(error)
  keepPrivate(res)
  res.statusCode = status
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value)
  res.setHeader('Content-Type', 'application/problem+json')
  res.end(JSON.stringify({ title: message, status, code, loginUrl }))
}
