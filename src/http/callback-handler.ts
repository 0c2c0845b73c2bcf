import type { Request, RequestHandler, Response } from 'express'
import { PkceFlowError, StateForgeryError } from '../errors.ts'
import {
  authorizationError,
  validateIssuer,
  type AuthorizationResponse,
} from '../protocol/authorization-response.ts'
import type { KnownServer } from '../protocol/known-server.ts'
import { exchangeCode } from '../protocol/token-request.ts'
import type { LoginOutcome, PendingLogin, StoredAnswer } from '../storage/pending-logins.ts'
import { continueParameter, readCallback } from './authorization-answer.ts'
import type { BindingCookie } from './binding-cookie.ts'
import type { Flow } from './flow.ts'
import { asyncHandler } from './handler.ts'
import { keepPrivate, redirect, refresh } from './landing.ts'
import {
  adoptSession,
  hasStrictCookie,
  isStoredSession,
  requireSession,
  setSessionAside,
} from './session.ts'
import { signIn } from './sign-in.ts'

type Done = Extract<LoginOutcome, { status: 'done' }>

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
      throw new StateForgeryError()
    }
    try {
      if (answer && login.outcome === undefined && login.inSession && !isStoredSession(req)) {
        await keepAnswer(flow, req, cookie, answer)
        sendOnToContinue(flow, req, res, cookie)
        return
      }
      cookies.finish(res, cookie)
      await arrive(flow, req, res, cookie, answer)
    } catch (error) {
      throw error instanceof PkceFlowError ? flow.describe(error, login.returnTo) : error
    }
  })
}

/** Finishes the login, or repeats what became of it, and sends the browser where it led. */
async function arrive(
  flow: Flow,
  req: Request,
  res: Response,
  cookie: BindingCookie,
  answer: AuthorizationResponse | undefined,
): Promise<void> {
  const strict = hasStrictCookie(req)
  const { done, first } = await flow.lock.run(`pl.${cookie.id}`, () =>
    finishOnce(flow, req, cookie, answer),
  )
  if (!first) await rejoin(req, done)
  // After an answer from another site only a page of ours brings a Strict cookie along.
  if (strict) refresh(res, done.landing)
  else redirect(req, res, done.landing)
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
  await flow.lock.run(`pl.${id}`, async () => {
    const login = await pendingLogins.find(id, secret)
    if (login === undefined) throw new StateForgeryError()
    const { code, error, iss } = answer
    if (login.outcome === undefined)
      await pendingLogins.update(id, { ...login, answer: { code, error, iss } })
  })
}

function sendOnToContinue(flow: Flow, req: Request, res: Response, { id }: BindingCookie): void {
  const url = `${flow.publicPath(flow.settings.routes.callback)}?${continueParameter}=${id}`
  const strict = hasStrictCookie(req)
  // The session of this request was made for want of a cookie; stored, it would replace the real one.
  setSessionAside(req)
  // A redirect from a POST brings Lax cookies; nothing but a page of ours brings Strict ones.
  if (req.method === 'POST' && !strict) redirect(req, res, url)
  else refresh(res, url)
}

/** What became of the login: this request's doing, or an earlier one's. Under the lock. */
async function finishOnce(
  flow: Flow,
  req: Request,
  { id, secret }: BindingCookie,
  answer: AuthorizationResponse | undefined,
): Promise<{ done: Done; first: boolean }> {
  const { pendingLogins } = flow.records(req)
  // Others may have been here while this request waited.
  const login = await settled(flow, () => pendingLogins.find(id, secret))
  if (login === undefined) throw new StateForgeryError()
  const { outcome } = login
  switch (outcome?.status) {
    case 'done':
      return { done: outcome, first: false }
    case 'failed':
      throw new PkceFlowError(outcome.code, outcome.message, { oauthError: outcome.oauthError })
    case 'taken':
      throw interrupted()
    case undefined: {
      const response = answer ?? login.answer
      if (response === undefined)
        throw new PkceFlowError('invalid_callback', 'There is no answer to continue with yet.')
      return { done: await finish(flow, req, id, login, response), first: true }
    }
  }
}

/**
 * A process that shares the store, but not the lock, may be in the middle of the token request: what
 * it makes of it is waited for, as long as it can take.
 */
async function settled(
  flow: Flow,
  find: () => Promise<PendingLogin | undefined>,
): Promise<PendingLogin | undefined> {
  const longest = flow.settings.timeout * 2 + 10_000
  for (;;) {
    const login = await find()
    if (login?.outcome?.status !== 'taken') return login
    const left = login.outcome.at + longest - Date.now()
    if (left <= 0 || left > longest) return login
    await new Promise((resolve) => setTimeout(resolve, Math.min(left, 250)))
  }
}

function interrupted(): PkceFlowError {
  return new PkceFlowError(
    'login_interrupted',
    'This login was interrupted, and its outcome is lost. Start the login again.',
  )
}

async function finish(
  flow: Flow,
  req: Request,
  id: string,
  login: PendingLogin,
  answer: StoredAnswer,
): Promise<Done> {
  const { pendingLogins } = flow.records(req)
  const server = await flow.getServer()
  // The code and its verifier are kept no longer than they are needed.
  const record = (outcome: LoginOutcome) =>
    pendingLogins.update(id, {
      ...login,
      codeVerifier: '',
      nonce: '',
      answer: undefined,
      outcome,
    })
  const code = await orFail(record, () => validCode(server, answer))
  // One-time use (RFC 9700 section 2.1): recorded before the code is sent. If that fails, nothing
  // was sent and the same answer can be tried again.
  await record({ status: 'taken', at: Date.now() })
  return orFail(record, async () => {
    const tokens = await exchangeCode(server, {
      ...flow.settings,
      ...login,
      maxAge: login.maxAge,
      code,
      openid: flow.settings.scope.includes('openid'),
    })
    const signedIn = await signIn(flow, req, server, tokens, login)
    const done: Done = { status: 'done', at: Date.now(), ...signedIn }
    // Signed in all the same if this fails: a repetition is `login_interrupted` then.
    await record(done).catch(() => undefined)
    return done
  })
}

/** The code of an answer that passes all checks. */
function validCode(server: KnownServer, answer: StoredAnswer): string {
  validateIssuer(server, answer.iss)
  if (answer.error !== undefined) throw authorizationError(answer.error)
  return answer.code ?? ''
}

/** Runs `work`; if it fails, repetitions get the same error, or hear that there was one of the app's. */
async function orFail<T>(
  record: (outcome: LoginOutcome) => Promise<void>,
  work: () => T | Promise<T>,
): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const { code, message, oauthError } = error instanceof PkceFlowError ? error : interrupted()
    await record({ status: 'failed', code, message, oauthError }).catch(() => undefined)
    throw error
  }
}

/**
 * A repetition (double click, reload, Back) arrives signed in as the first one did, if its cookie is
 * still that of the session before, or none.
 */
async function rejoin(req: Request, done: Done): Promise<void> {
  if (req.sessionID === done.sessionId) return
  const stored = isStoredSession(req)
  const recent = Date.now() < done.at + adoptionTime
  const adopted =
    recent &&
    (!stored || req.sessionID === done.replacedSessionId) &&
    (await adoptSession(req, done.sessionId))
  // Without a cookie of its own, what the browser holds must not be replaced by an empty session.
  if (!adopted && !stored) setSessionAside(req)
}
