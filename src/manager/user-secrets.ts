import { createHash, timingSafeEqual } from 'node:crypto'
import { ConfigurationError, PkceFlowError } from '../errors.ts'
import { buildCodeChallenge } from '../protocol/authorization-request.ts'

/** What is kept of a login that a user has started, until its answer comes. */
export interface UserSecrets {
  /** Binds the answer to its request (RFC 6749 section 10.12). */
  readonly state: string
  /** RFC 7636 section 4.1. Stays on the server until the token request. */
  readonly codeVerifier: string
  /** RFC 7636 section 4.2, always by S256. */
  readonly codeChallenge: string
}

/** What is kept when no login is pending. A new object each time: it is the app's from then on. */
export function buildNoSecrets(): UserSecrets {
  return { state: '', codeVerifier: '', codeChallenge: '' }
}

/** 128 bits at least (RFC 6749 section 10.10), and characters that survive decoding twice. */
const statePattern = /^[\w-]{22,1024}$/

/** RFC 7636 section 4.1. */
const verifierPattern = /^[\w.~-]{43,128}$/

/** Puts made secrets together. Throws `configuration` if they are none that a login can be kept by. */
export function buildUserSecrets(state: unknown, codeVerifier: unknown): UserSecrets {
  if (!isMatch(statePattern, state))
    throw new ConfigurationError(
      'createState() has to give 22 to 1,024 letters, digits, hyphens and underscores.',
    )
  if (!isMatch(verifierPattern, codeVerifier))
    throw new ConfigurationError(
      'createCodeVerifier() has to give 43 to 128 letters, digits, hyphens, dots, underscores and ' +
        'tildes (RFC 7636 section 4.1).',
    )
  if (state === codeVerifier)
    throw new ConfigurationError(
      'createState() and createCodeVerifier() gave the same: the state is in URLs, and the code verifier must not be.',
    )
  return { state, codeVerifier, codeChallenge: buildCodeChallenge(codeVerifier) }
}

/** Checks the state that a hook gave back. Throws `login_interrupted` if it is none. */
export function requireState(state: unknown): string {
  if (isMatch(statePattern, state)) return state
  throw new PkceFlowError(
    'login_interrupted',
    'The state of this login is lost: retrieveUserState() gave what cannot be one. Start the login again.',
  )
}

/**
 * Checks what hooks gave back, and returns the verifier. Throws `login_interrupted` if it is none, or
 * the challenge is not its own: then they are of two logins, and the server would refuse them.
 */
export function requireVerifier(codeVerifier: unknown, codeChallenge: unknown): string {
  if (!isMatch(verifierPattern, codeVerifier))
    throw new PkceFlowError(
      'login_interrupted',
      'The code verifier of this login is lost: retrieveUserCodeVerifier() gave none. Start the login again.',
    )
  if (!isEqual(codeChallenge, buildCodeChallenge(codeVerifier)))
    throw new PkceFlowError(
      'login_interrupted',
      'The stored code challenge is not that of the stored code verifier (S256): do the hooks keep ' +
        'all secrets of a user together? Start the login again.',
    )
  return codeVerifier
}

function isMatch(pattern: RegExp, value: unknown): value is string {
  return typeof value === 'string' && pattern.test(value)
}

/** Compares two secrets in constant time; an empty one, or none at all, equals nothing. */
export function isEqual(a: unknown, b: unknown): boolean {
  if (typeof a !== 'string' || typeof b !== 'string' || a === '' || b === '') return false
  return timingSafeEqual(digest(a), digest(b))
}

function digest(secret: string): Buffer {
  return createHash('sha256').update(secret).digest()
}
