import { PkceFlowError } from '../errors.ts'
import type { KnownServer } from './known-server.ts'
import { registeredError } from './registered-error.ts'

/** The authorization server's answer (RFC 6749 sections 4.1.2 and 4.1.2.1), its `state` aside. */
export interface AuthorizationResponse {
  code: string | undefined
  /** Anything: see {@link authorizationError}. */
  error: string | undefined
  /** RFC 9207. */
  iss: string | undefined
}

/** Names of which an answer has one value at most (RFC 6749 section 3.1). */
const singleParameters = ['state', 'code', 'error', 'iss'] as const

/** Answers of other flows, which nobody asked for. */
const foreignParameters = ['response', 'id_token', 'token', 'access_token']

/** Characters. RFC 6749 sets no limits; ours are far above what servers send. */
const longestState = 1024
const longestCode = 8192
const longestOther = 1024

/**
 * Reads the answer. Throws `invalid_callback` for what no authorization server could have sent:
 * repeated, missing, oversized or foreign parameters, characters outside of printable ASCII.
 */
export function readAuthorizationResponse(
  parameters: URLSearchParams,
): AuthorizationResponse & { state: string } {
  for (const name of foreignParameters)
    if (parameters.has(name)) throw invalid('has parameters of another flow')
  for (const name of singleParameters)
    if (parameters.getAll(name).length > 1) throw invalid('repeats a parameter')
  const [state, code, error, iss] = singleParameters.map(
    (name) => parameters.get(name) ?? undefined,
  ) as [string | undefined, string | undefined, string | undefined, string | undefined]
  if (state === undefined || state === '') throw invalid('has no state')
  if (error === undefined && (code === undefined || code === '')) throw invalid('has no code')
  if (
    !isPrintable(state, longestState) ||
    !isPrintable(code, longestCode) ||
    !isPrintable(error, longestOther) ||
    !isPrintable(iss, longestOther)
  )
    throw invalid('has a parameter that is too long or has characters that none may have')
  return { state, code, error, iss }
}

/** RFC 6749 appendix A: VSCHAR. */
function isPrintable(value: string | undefined, longest: number): boolean {
  return value === undefined || (value.length <= longest && /^[\x20-\x7e]*$/.test(value))
}

function invalid(what: string): PkceFlowError {
  return new PkceFlowError(
    'invalid_callback',
    `This request is not an answer of the authorization server: it ${what}. Start the login again.`,
  )
}

/**
 * Throws `issuer_mismatch` if the answer is from another authorization server (RFC 9207
 * section 2.4): compared whenever it is there and known, required if the server announces it.
 */
export function validateIssuer({ metadata }: KnownServer, iss: string | undefined): void {
  const { issuer, authorization_response_iss_parameter_supported: announced } = metadata
  if (iss === undefined ? announced !== true : issuer === undefined || iss === issuer) return
  throw new PkceFlowError(
    'issuer_mismatch',
    'This answer is not from the authorization server that the login was started at. Start the login again.',
  )
}

/** The error for an answer that reports one. */
export function authorizationError(error: string): PkceFlowError {
  const details = { oauthError: registeredError(error) }
  switch (error) {
    case '':
      return invalid('reports an error without naming it')
    case 'access_denied':
      return new PkceFlowError('access_denied', 'The login was refused.', details)
    case 'login_required':
    case 'interaction_required':
    case 'consent_required':
    case 'account_selection_required':
      return new PkceFlowError(
        'login_required',
        'The authorization server cannot log this person in without asking.',
        details,
      )
    case 'temporarily_unavailable':
      return new PkceFlowError(
        'server_unavailable',
        'The authorization server says that it is not available at the moment.',
        { ...details, retryAfter: 1 },
      )
    case 'invalid_request':
    case 'invalid_scope':
    case 'invalid_target':
    case 'unauthorized_client':
    case 'unsupported_response_type':
      return new PkceFlowError(
        'client_rejected',
        'The authorization server refused this client: check client id, redirectUri, scope and ' +
          'authorizationParams against what is registered there.',
        details,
      )
    default:
      return new PkceFlowError(
        'authorization_failed',
        'The authorization server reported that it could not do the login.',
        details,
      )
  }
}
