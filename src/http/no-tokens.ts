import { PkceFlowError } from '../errors.ts'
import type { FoundRecord, IssuedTokens } from '../storage/token-records.ts'
import { isUsable } from './token-life.ts'

/** Whose tokens are missing. */
interface Owner {
  /** Whether they would be those of a sign-in, else those that the app's user connected. */
  isSignIn: boolean
}

/** The tokens of what was found. Throws an error that says why there are none to use. */
export function requireUsable(found: FoundRecord, owner: Owner): IssuedTokens {
  const tokens = typeof found === 'object' ? found.tokens : undefined
  if (isUsable(tokens)) return tokens
  throw noTokens(found, owner)
}

/** Why there are no tokens to use. */
export function noTokens(found: FoundRecord, { isSignIn }: Owner): PkceFlowError {
  if (typeof found === 'object')
    return new PkceFlowError(
      'reauthorization_required',
      'The access token has expired or was taken back, and cannot be refreshed. Log in again.',
    )
  return isSignIn ? loginRequired() : notConnected()
}

/** Nobody is at the browser whose tokens there could be. */
export function nobody(purpose: 'login' | 'connect'): PkceFlowError {
  return purpose === 'connect' ? notSignedIn() : loginRequired()
}

/** Nobody is signed in. */
export function loginRequired(): PkceFlowError {
  return new PkceFlowError('login_required', 'Nobody is signed in here. Log in first.')
}

function notConnected(): PkceFlowError {
  return new PkceFlowError('not_connected', 'This user has no tokens here. Log in first.')
}

/**
 * An account is to be connected, and the app has no user at this browser.
 *
 * @param place where the person has to be signed in, such as ` at https://app.example`
 */
export function notSignedIn(place = ''): PkceFlowError {
  return new PkceFlowError(
    'not_signed_in',
    `Nobody is signed in to this app${place}. Sign in first, then connect the account.`,
  )
}
