import { PkceFlowError } from '../errors.ts'
import {
  invalidClaim,
  notSigned,
  verifyIdToken,
  type IdTokenClaims,
  type IdTokenReader,
} from './id-token.ts'
import type { KnownServer } from './known-server.ts'
import { readJwt } from './signed-jwt.ts'
import type { Identity } from './token-grant.ts'

/** Whose tokens are refreshed. */
export interface RefreshedLogin extends IdTokenReader {
  /** ID Token of the login, validated when it came; `undefined` if `openid` was not granted. */
  idToken: string | undefined
}

/**
 * Who refreshed tokens are for (OpenID Connect Core section 12.2): the ID Token that came with them
 * once it is validated, else that of the login.
 *
 * Rejects with `id_token_invalid` if it is for somebody else, for another client or not signed. One
 * that cannot be checked at the moment is passed over: an ID Token need not come with a refresh, so
 * none is a reason to lose the tokens.
 */
export async function identifyRefreshed(
  server: KnownServer,
  issued: string | undefined,
  { idToken, ...reader }: RefreshedLogin,
): Promise<Identity> {
  if (idToken === undefined) return { idToken, claims: undefined }
  const claims = readJwt(idToken).claims as IdTokenClaims
  const before: Identity = { idToken, claims }
  // Some servers send the one of the login again, which has expired since.
  if (!issued || issued === idToken) return before
  // Before the signature: also while the keys cannot be had nobody gets another person's tokens.
  if (!isComparable(claims, decoded(issued))) return before
  try {
    return { idToken: issued, claims: await verifyIdToken(issued, server, reader) }
  } catch (error) {
    if (error instanceof PkceFlowError && error.code !== 'id_token_invalid') return before
    throw error
  }
}

function decoded(idToken: string): IdTokenClaims {
  try {
    return readJwt(idToken).claims as IdTokenClaims
  } catch (error) {
    throw notSigned(error)
  }
}

/**
 * Throws `id_token_invalid` if the claims are of another login. Returns whether all of them can be
 * compared: a nonce cannot if `before`, from a refresh itself, has none.
 */
function isComparable(before: IdTokenClaims, after: IdTokenClaims): boolean {
  for (const claim of ['iss', 'sub']) if (after[claim] !== before[claim]) throw invalidClaim(claim)
  for (const claim of ['nonce', 'auth_time'])
    if (after[claim] !== undefined && before[claim] !== undefined && after[claim] !== before[claim])
      throw invalidClaim(claim)
  return after.nonce === undefined || before.nonce !== undefined
}
