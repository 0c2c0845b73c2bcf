import { PkceFlowError } from '../errors.ts'
import type { Flow } from './flow.ts'

/** A login that a third party sends the person here for (OpenID Connect Core section 4). */
export interface InitiatedLogin {
  /** Where it leads, checked; `undefined`: the default. */
  returnTo: string | undefined
  /** For the authorization request. */
  parameters: { login_hint?: string }
  /** Path and query, as the browser sees them, that ask for the same by GET. */
  samePlace: string
}

const parameterNames = ['iss', 'login_hint', 'target_link_uri'] as const

/** Characters. A longer hint is dropped: it is a name or an address, and goes into a URL. */
const longestHint = 1_024

/**
 * What a third party asks for, `undefined` if none does; unknown parameters are ignored. Throws
 * `issuer_mismatch` unless `iss`, which is required, is the issuer of this flow.
 *
 * An account is connected from the app's own pages only, so there none of this has a meaning.
 */
export function readInitiatedLogin(
  flow: Flow,
  parameters: URLSearchParams,
): InitiatedLogin | undefined {
  const { settings } = flow
  if (settings.purpose === 'connect') return undefined
  if (!parameterNames.some((name) => parameters.has(name))) return undefined
  const issuer = settings.issuer ?? settings.server.issuer
  const named = parameters.getAll('iss')
  if (issuer === undefined || named.length !== 1 || named[0] !== issuer) throw foreignIssuer()
  const hint = parameters.get('login_hint') ?? ''
  const returnTo = flow.placeToReturn(parameters.get('target_link_uri'))
  const asked = isPrintable(hint) ? { login_hint: hint } : {}
  const query = { iss: issuer, ...asked, ...(returnTo && { target_link_uri: returnTo }) }
  const samePlace = `${flow.loginUrl() ?? ''}?${new URLSearchParams(query).toString()}`
  return { returnTo, parameters: asked, samePlace }
}

/** Anybody can be called by any name, but by one without control characters. */
function isPrintable(hint: string): boolean {
  return hint !== '' && hint.length <= longestHint && !/\p{Cc}/u.test(hint)
}

function foreignIssuer(): PkceFlowError {
  return new PkceFlowError(
    'issuer_mismatch',
    'This link asks for a login at another authorization server than the one of this app, or does not ' +
      'say at which. Nothing was started.',
  )
}
