import { debuglog } from 'node:util'
import type { Request, RequestHandler, Response } from 'express'
import { PkceFlowError, StateForgeryError } from '../errors.ts'
import type { AuthorizationResponse } from '../protocol/authorization-response.ts'
import type { PendingLogin } from '../storage/pending-logins.ts'
import { continueParameter, readCallback } from './authorization-answer.ts'
import type { BindingCookie } from './binding-cookie.ts'
import { finishLogin, type FinishedLogin } from './finish-login.ts'
import type { Flow } from './flow.ts'
import { asyncHandler } from './handler.ts'
import { keepPrivate, redirect, refresh } from './landing.ts'
import { isUnspoken } from './silent-login.ts'
import {
  adoptSession,
  hasStrictCookie,
  isStoredSession,
  requireSession,
  sessionId,
  setSessionAside,
} from './session.ts'
import { userIdOf } from './user-id.ts'

const debug = debuglog('express-pkce-flow')

/** Milliseconds in which a repetition without the new session's cookie is put into that session. */
const adoptionTime = 60_000

/** The callback route: the redirection endpoint (RFC 6749 section 3.1.2) of this client. */
export function callbackHandler(flow: Flow): RequestHandler {
  const { settings, cookies } = flow

  return asyncHandler(flow, async function callback(req, res) {
    keepPrivate(res)
    requireSession(req)
    const { id, answer } = await readCallback(req, res, settings.responseMode)
    // Only who has the cookie of this pending login gets any further: who knows its state alone can
    // neither use it up nor hold it up.
    const cookie = cookies.find(req, id)
    const login = cookie && (await flow.records(req).pendingLogins.find(id, cookie.secret))
    if (cookie === undefined || login === undefined) {
      if (cookie !== undefined) cookies.clear(res, cookie)
      await explain(flow, req, id, cookie)
      throw new StateForgeryError()
    }
    try {
      if (answer && login.outcome === undefined && mayLackSession(flow, req, login)) {
        await keepAnswer(flow, req, cookie, answer)
        sendOnToContinue(flow, req, res, cookie)
        return
      }
      await arrive(flow, req, res, cookie, answer)
    } catch (error) {
      if (!(error instanceof PkceFlowError)) throw error
      if (login.isSilent !== true || !isUnspoken(error)) throw flow.describe(error, login.returnTo)
      debug('%s: silent login: %s', settings.name, error.code)
      goOn(flow, req, res, login.returnTo)
    }
  })
}

/** Tells the developer, who set NODE_DEBUG, what the person at the browser must not be told. */
async function explain(flow: Flow, req: Request, id: string, cookie: BindingCookie | undefined) {
  if (!debug.enabled) return
  const host = await flow.records(req).pendingLogins.hostOf(id)
  const record = host === undefined ? 'no record of it in the store' : `it began at host ${host}`
  const sent = cookie === undefined ? 'not sent' : 'sent'
  const { name } = flow.settings
  debug('%s: login not found: cookie %s to host %s, %s', name, sent, req.hostname, record)
}

/** Finishes the login, or repeats what became of it, and sends the browser where it led. */
async function arrive(
  flow: Flow,
  req: Request,
  res: Response,
  cookie: BindingCookie,
  answer: AuthorizationResponse | undefined,
): Promise<void> {
  const strict = hasStrictCookie(req) || isUserMissing(flow, req)
  const { login, first } = await finishLogin(flow, req, cookie, answer)
  flow.cookies.finish(res, cookie)
  if (!first) await rejoin(req, login)
  goOn(flow, req, res, login.landing, strict)
}

/** After an answer from another site only a page of ours brings a `SameSite=Strict` cookie along. */
function goOn(
  flow: Flow,
  req: Request,
  res: Response,
  stored: string,
  strict = hasStrictCookie(req),
): void {
  // It was good when it was stored, and others may write to the store (RFC 9700 section 4.11.1).
  const place = flow.placeToReturn(stored) ?? flow.settings.afterLogin
  if (strict) refresh(res, place)
  else redirect(req, res, place)
}

/**
 * Whether the browser may have a session whose cookie stayed behind: it had one at the start, or its
 * cookie is `SameSite=Strict` and may have stayed behind then, too. The same goes for the app's user,
 * who may be known by another cookie.
 */
function mayLackSession(flow: Flow, req: Request, login: PendingLogin): boolean {
  if (isUserMissing(flow, req)) return true
  return !isStoredSession(req) && (login.inSession || hasStrictCookie(req))
}

/** Whether an account is connected and nobody knows whose: nobody's, or a cookie stayed behind. */
function isUserMissing({ settings }: Flow, req: Request): boolean {
  return settings.purpose === 'connect' && userIdOf(settings, req) === undefined
}

/**
 * Keeps the answer until the browser comes back with its session cookie, which a cross-site answer
 * does not bring if it is `SameSite=Strict`, or `Lax` and the answer was posted.
 */
async function keepAnswer(
  flow: Flow,
  req: Request,
  { id, secret }: BindingCookie,
  answer: AuthorizationResponse,
): Promise<void> {
  const { pendingLogins } = flow.records(req)
  await flow.mutex.run(`pl.${id}`, async () => {
    const login = await pendingLogins.find(id, secret)
    if (login === undefined) throw new StateForgeryError()
    const { code, error, iss } = answer
    if (login.outcome === undefined)
      await pendingLogins.update(id, { ...login, answer: { code, error, iss } })
  })
}

function sendOnToContinue(flow: Flow, req: Request, res: Response, { id }: BindingCookie): void {
  const url = `${flow.publicPath(flow.settings.routes.callback)}?${continueParameter}=${id}`
  // The app may know its user by a cookie of its own, of which we know nothing.
  const strict = hasStrictCookie(req) || isUserMissing(flow, req)
  // A session that was made for want of a cookie would replace the real one, if it were stored.
  if (!isStoredSession(req)) setSessionAside(req)
  // A redirect from a POST brings Lax cookies; nothing but a page of ours brings Strict ones.
  if (req.method === 'POST' && !strict) redirect(req, res, url)
  else refresh(res, url)
}

/**
 * A repetition (double click, reload, Back) arrives signed in as the first one did, if its cookie is
 * still that of the session before, or none. Connecting an account makes no session.
 */
async function rejoin(req: Request, login: FinishedLogin): Promise<void> {
  const made = login.sessionId
  if (sessionId(req) === made) return
  const stored = isStoredSession(req)
  const recent = Date.now() < login.at + adoptionTime
  const adopted =
    made !== undefined &&
    recent &&
    (!stored || sessionId(req) === login.replacedSessionId) &&
    (await adoptSession(req, made))
  // Without a cookie of its own, what the browser holds must not be replaced by an empty session.
  if (!adopted && !stored) setSessionAside(req)
}
