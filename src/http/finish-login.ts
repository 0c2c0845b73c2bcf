import type { Request } from 'express'
import { PkceFlowError, StateForgeryError } from '../errors.ts'
import {
  authorizationError,
  validateIssuer,
  type AuthorizationResponse,
} from '../protocol/authorization-response.ts'
import type { KnownServer } from '../protocol/known-server.ts'
import { exchangeCode } from '../protocol/token-request.ts'
import type { Hold } from '../storage/mutex.ts'
import type {
  BindingSecret,
  LoginOutcome,
  PendingLogin,
  StoredAnswer,
} from '../storage/pending-logins.ts'
import { connectAccount, requireSameUser } from './connect-account.ts'
import type { Flow } from './flow.ts'
import { signIn } from './sign-in.ts'

/** A login that led somewhere. */
export type FinishedLogin = Extract<LoginOutcome, { status: 'done' }>

/**
 * Finishes a pending login, once: whoever comes with the same answer again, at the same time or
 * later, gets what became of it. Rejects with what the exchange or the sign-in rejects with.
 *
 * @param answer `undefined` to go on with the answer that was kept
 */
export function finishLogin(
  flow: Flow,
  req: Request,
  binding: BindingSecret,
  answer: AuthorizationResponse | undefined,
): Promise<{ login: FinishedLogin; first: boolean }> {
  return flow.mutex.run(`pl.${binding.id}`, (hold) => finishOnce(flow, req, binding, answer, hold))
}

async function finishOnce(
  flow: Flow,
  req: Request,
  { id, secret }: BindingSecret,
  answer: AuthorizationResponse | undefined,
  hold: Hold,
): Promise<{ login: FinishedLogin; first: boolean }> {
  const { pendingLogins } = flow.records(req)
  // Others may have been here while this request waited.
  const login = await settled(flow, () => pendingLogins.find(id, secret))
  if (login === undefined) throw new StateForgeryError()
  const { outcome } = login
  switch (outcome?.status) {
    case 'done':
      return { login: outcome, first: false }
    case 'failed':
      throw new PkceFlowError(outcome.code, outcome.message, {
        oauthError: outcome.oauthError,
        retryAfter: outcome.retryAfter,
      })
    case 'taken':
      throw interrupted()
    case undefined: {
      const response = answer ?? login.answer
      if (response === undefined)
        throw new PkceFlowError('invalid_callback', 'There is no answer to continue with yet.')
      // Discovery can take longer than a lease.
      const server = await flow.getServer()
      if (!(await hold.secure())) return finishOnce(flow, req, { id, secret }, answer, hold)
      return { login: await finish(flow, req, server, id, login, response), first: true }
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
  server: KnownServer,
  id: string,
  login: PendingLogin,
  answer: StoredAnswer,
): Promise<FinishedLogin> {
  const { pendingLogins } = flow.records(req)
  // The code and its verifier are kept no longer than they are needed.
  const record = (outcome: LoginOutcome) =>
    pendingLogins.update(id, {
      ...login,
      codeVerifier: '',
      nonce: '',
      answer: undefined,
      outcome,
    })
  const isConnect = flow.settings.purpose === 'connect'
  const code = await orFail(record, () => {
    // A code that is not sent cannot bring tokens that nobody may have.
    if (isConnect) requireSameUser(flow, req, login)
    return validCode(server, answer)
  })
  // One-time use (RFC 9700 section 2.1): recorded before the code is sent. If that fails, nothing
  // was sent and the same answer can be tried again.
  try {
    await record({ status: 'taken', at: Date.now() })
  } catch (error) {
    // It may be written all the same, or be soon: what comes after it takes it back.
    await pendingLogins.update(id, login).catch(() => undefined)
    throw error
  }
  return orFail(record, async () => {
    const { clientId, redirectUri, clockTolerance } = flow.settings
    const { codeVerifier, nonce, maxAge, scope = flow.settings.scope } = login
    const tokens = await exchangeCode(server, {
      code,
      codeVerifier,
      redirectUri,
      clientId,
      openid: scope.includes('openid'),
      nonce,
      maxAge,
      clockTolerance,
    })
    const finished = isConnect
      ? await connectAccount(flow, req, server, tokens, login)
      : await signIn(flow, req, server, tokens, login)
    const done: FinishedLogin = { status: 'done', at: Date.now(), ...finished }
    // It stands all the same if this fails: a repetition is `login_interrupted` then.
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
    const known = error instanceof PkceFlowError ? error : interrupted()
    const { code, message, oauthError, retryAfter } = known
    await record({ status: 'failed', code, message, oauthError, retryAfter }).catch(() => undefined)
    throw error
  }
}
