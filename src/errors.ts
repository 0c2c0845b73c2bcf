/**
 * What can go wrong, as a code to branch on, with the HTTP status that each code answers with.
 * Renaming a code or changing its status is a breaking change.
 */
const statusByCode = {
  invalid_callback: 400,
  login_not_found: 400,
  login_interrupted: 400,
  code_rejected: 400,
  issuer_mismatch: 400,
  login_required: 401,
  reauthorization_required: 401,
  insufficient_user_authentication: 401,
  not_signed_in: 401,
  not_connected: 401,
  access_denied: 403,
  insufficient_scope: 403,
  cross_site_request: 403,
  user_changed: 409,
  authorization_failed: 502,
  invalid_server_response: 502,
  id_token_invalid: 502,
  server_unavailable: 503,
  server_timeout: 504,
  store_unavailable: 503,
  lock_unavailable: 503,
  client_rejected: 500,
  session_missing: 500,
  insecure_cookie: 500,
  user_id_invalid: 500,
  callback_misplaced: 500,
  configuration: 500,
  origin_not_allowed: 500,
} as const

/**
 * Codes of {@link PkceFlowError}. Branch on these, not on classes or messages.
 *
 * - `invalid_callback` (400): the request is not an answer that an authorization server could have sent.
 * - `login_not_found` (400): no such pending login in this browser: unknown, expired, started in
 *   another browser or through another flow.
 * - `login_interrupted` (400): the outcome of this login is lost; start again.
 * - `code_rejected` (400): the authorization server refused the authorization code.
 * - `issuer_mismatch` (400): the answer is from another authorization server (RFC 9207), or a third
 *   party asks for a login at another one.
 * - `login_required` (401): nobody is signed in here; also what `prompt=none` comes back with.
 * - `reauthorization_required` (401): signed in, but the access token has ended.
 * - `insufficient_user_authentication` (401): signed in, but too long ago, or not in the way that this
 *   needs (RFC 9470); the header `WWW-Authenticate` says what would do.
 * - `not_signed_in` (401): an account is to be connected, and nobody is signed in to the app.
 * - `not_connected` (401): this user has no tokens.
 * - `access_denied` (403): the person, or the authorization server, said no.
 * - `insufficient_scope` (403): signed in, but not entitled to this.
 * - `cross_site_request` (403): another site sent this request, or a page's image or frame did.
 * - `user_changed` (409): another user is signed in to the app than when the login started.
 * - `authorization_failed` (502): the authorization server reported another error at the callback.
 * - `invalid_server_response` (502): the authorization server answered what no client can use.
 * - `id_token_invalid` (502): the ID Token failed validation.
 * - `server_unavailable` (503), `server_timeout` (504): the authorization server does not answer.
 * - `store_unavailable` (503): the session store does not answer.
 * - `lock_unavailable` (503): the lock does not answer.
 * - `client_rejected` (500): our client id, secret, redirect URI or scope is wrong at the server.
 * - `session_missing`, `insecure_cookie`, `user_id_invalid`, `callback_misplaced`, `configuration`
 *   (500): the app's own set-up, with the remedy in the message.
 * - `origin_not_allowed` (500): a token was to be sent to an origin that is not in `apiOrigins`.
 */
export type PkceFlowErrorCode = keyof typeof statusByCode

export function isErrorCode(value: unknown): value is PkceFlowErrorCode {
  return typeof value === 'string' && Object.hasOwn(statusByCode, value)
}

/** What an error may carry beside its code and message. */
export interface PkceFlowErrorDetails {
  /** Name of the flow that failed. */
  flow?: string | undefined
  /** Where a person can start again: a path of this app. */
  loginUrl?: string | undefined
  /** Seconds after which another try makes sense; sent as the header `Retry-After`. */
  retryAfter?: number | undefined
  /** What would do instead, sent as the header `WWW-Authenticate` (RFC 9110 section 11.6.1). */
  challenge?: string | undefined
  /** The `error` that the authorization server reported, if it is a registered value. */
  oauthError?: string | undefined
  /** HTTP status that the authorization server answered with, where that is what went wrong. */
  serverStatus?: number | undefined
  /** What went wrong underneath. Stored without the parts that could hold a secret. */
  cause?: unknown
}

/**
 * The one error of this package. `message` is text of our own: no token, code, verifier, `state`,
 * nor anything that an authorization server or a browser sent. Express's default error handler
 * honours `status` and `headers`.
 */
export class PkceFlowError extends Error {
  override name = 'PkceFlowError'
  /** What happened, to branch on. */
  readonly code: PkceFlowErrorCode
  /** HTTP status that fits; Express's default error handler answers with it. */
  readonly status: number
  /** Whether `message` may be shown to the person at the browser: true for 4xx. */
  readonly expose: boolean
  /** Response headers that belong to this error (`Retry-After`, `WWW-Authenticate`). */
  readonly headers: Readonly<Record<string, string>>
  /** Name of the flow. */
  declare readonly flow?: string
  /**
   * Where a person can start again: a path of this app. Absent where that would only bring the same
   * error: with `not_signed_in`, and with `insufficient_scope` if that route asks for less.
   */
  declare readonly loginUrl?: string
  /** Seconds after which another try makes sense. */
  declare readonly retryAfter?: number
  /** The `error` that the authorization server reported, if it is a registered value. */
  declare readonly oauthError?: string
  /** HTTP status that the authorization server answered with; `status` is the one for your answer. */
  declare readonly serverStatus?: number

  constructor(code: PkceFlowErrorCode, message: string, details: PkceFlowErrorDetails = {}) {
    const { cause, flow, loginUrl, retryAfter, challenge, oauthError, serverStatus } = details
    super(message, cause === undefined ? undefined : { cause: withoutSecrets(cause) })
    this.code = code
    this.status = statusByCode[code]
    this.expose = this.status < 500
    this.headers = {
      ...(retryAfter !== undefined && { 'Retry-After': String(retryAfter) }),
      ...(challenge !== undefined && { 'WWW-Authenticate': challenge }),
    }
    if (flow !== undefined) this.flow = flow
    if (loginUrl !== undefined) this.loginUrl = loginUrl
    if (retryAfter !== undefined) this.retryAfter = retryAfter
    if (oauthError !== undefined) this.oauthError = oauthError
    if (serverStatus !== undefined) this.serverStatus = serverStatus
  }
}

/** A wrong option, or a member called in a wrong way. Code `configuration`. */
export class ConfigurationError extends PkceFlowError {
  override name = 'ConfigurationError'

  constructor(message: string, details: PkceFlowErrorDetails = {}) {
    super('configuration', message, details)
  }
}

/** An answer to a login that was never started in this browser. Code `login_not_found`. */
export class StateForgeryError extends PkceFlowError {
  override name = 'StateForgeryError'

  constructor(details: PkceFlowErrorDetails = {}) {
    super(
      'login_not_found',
      'No login that this answer belongs to is pending in this browser. It may be too old, or was ' +
        'started in another browser or with cookies blocked. Start the login again.',
      details,
    )
  }
}

/** A copy of `error` with what only the caller knows filled in; what it says already stays. */
export function withDetails(
  error: PkceFlowError,
  details: Omit<PkceFlowErrorDetails, 'cause'>,
): PkceFlowError {
  const completed = {
    flow: error.flow ?? details.flow,
    loginUrl: error.loginUrl ?? details.loginUrl,
    retryAfter: error.retryAfter ?? details.retryAfter,
    challenge: error.headers['WWW-Authenticate'] ?? details.challenge,
    oauthError: error.oauthError ?? details.oauthError,
    serverStatus: error.serverStatus ?? details.serverStatus,
    cause: error.cause,
  }
  const copy =
    error instanceof ConfigurationError
      ? new ConfigurationError(error.message, completed)
      : error instanceof StateForgeryError
        ? new StateForgeryError(completed)
        : new PkceFlowError(error.code, error.message, completed)
  if (error.stack !== undefined) copy.stack = error.stack
  return copy
}

/** Members of a system or library error that say what happened and never hold a user's data. */
const harmlessMembers = ['code', 'errno', 'syscall', 'address', 'port', 'hostname'] as const

/** Words long enough to be a token, a code, a verifier or a cookie's secret, and quoted values. */
const secretLike = /[\w.~+/=%-]{20,}|"[^"]*"|'[^']*'/g

/**
 * Other people's errors carry whole requests and responses (a token endpoint response, the command
 * that a store was given, callback parameters), and loggers print causes at any depth. What is kept:
 * name, message without long opaque words, system error members; the same of its own cause.
 */
function withoutSecrets(cause: unknown, depth = 0): Error {
  if (cause instanceof PkceFlowError) return cause
  if (!(cause instanceof Error)) return new Error(`a thrown ${typeof cause}`)
  const inner = depth < 4 ? member(cause, 'cause') : undefined
  const safe = new Error(
    text(member(cause, 'message')).replace(secretLike, '[…]').slice(0, 500),
    inner instanceof Error ? { cause: withoutSecrets(inner, depth + 1) } : undefined,
  )
  // Its stack repeats a message that was just cleaned, and names lines of this file.
  delete safe.stack
  Object.defineProperty(safe, 'name', { value: text(member(cause, 'name')).slice(0, 100) })
  for (const name of harmlessMembers) {
    const value = member(cause, name)
    if (typeof value === 'number') Object.assign(safe, { [name]: value })
    if (typeof value === 'string')
      Object.assign(safe, { [name]: value.replace(secretLike, '[…]').slice(0, 100) })
  }
  return safe
}

/** Errors are thrown by all kinds of code, some with members that are missing or throw themselves. */
function member(error: Error, name: string): unknown {
  try {
    return (error as unknown as Record<string, unknown>)[name]
  } catch {
    return undefined
  }
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

/** What this package throws is thrown on; anything else becomes `code` with a message of ours. */
export function asPkceFlowError(
  error: unknown,
  code: PkceFlowErrorCode,
  message: string,
): PkceFlowError {
  return error instanceof PkceFlowError ? error : new PkceFlowError(code, message, { cause: error })
}
