import { PkceFlowError } from '../errors.ts'
import { acceptedAlgorithms, mayBeRotation, type IdTokenReader } from './id-token.ts'
import type { KnownServer } from './known-server.ts'
import { wrongClaim } from './registered-claims.ts'
import { readJwt, verifySignedJwt, type ReadJwt } from './signed-jwt.ts'
import type { SigningKeys } from './signing-keys.ts'

/** Whose session has ended, says the authorization server. */
export interface ServerLogout {
  iss: string
  /** One of both is there: `sid` names a session, `sub` alone all sessions of a person. */
  sub: string | undefined
  sid: string | undefined
  /** Seconds since the epoch, by the server's clock. */
  issuedAt: number
  /** `jti`. */
  tokenId: string
}

/** Why a logout token is none: for the developer, in words of ours. */
export class LogoutTokenRefusal extends Error {
  override name = 'LogoutTokenRefusal'
}

const logoutEvent = 'http://schemas.openid.net/event/backchannel-logout'

/** One that does not say when it ends may be this old. Seconds. */
const longestLife = 600

/**
 * Validates a logout token (OpenID Connect Back-Channel Logout 1.0 section 2.6). A `jti` is asked for
 * and not remembered: what a repetition ends has ended already.
 *
 * Rejects with a {@link LogoutTokenRefusal}; with `configuration`, or as the transport does if the
 * signing keys cannot be had.
 */
export async function validateLogoutToken(
  logoutToken: string,
  server: KnownServer,
  reader: IdTokenReader,
): Promise<ServerLogout> {
  requireHeader(logoutToken, acceptedAlgorithms(server.metadata))
  const claims = await verify(logoutToken, server)
  const { clientId: audience, clockTolerance } = reader
  const issuer = server.metadata.issuer as string // or there would be no signature to verify
  const wrong = wrongClaim(claims, { issuer, audience, clockTolerance })
  if (wrong !== undefined) throw refusal(`has a wrong ${wrong}, or none`)
  requireTime(claims, reader.clockTolerance / 1000)
  const { iss, iat, jti, sub, sid, events } = claims
  if (!isText(jti)) throw refusal('has no jti')
  if (!isObject(events) || !isObject(events[logoutEvent])) throw refusal('is for no logout event')
  // Else an ID Token might pass for one, section 4.1.
  if (Object.hasOwn(claims, 'nonce')) throw refusal('has a nonce')
  for (const [name, value] of Object.entries({ sub, sid }))
    if (value !== undefined && !isText(value)) throw refusal(`has a ${name} that is no text`)
  if (sub === undefined && sid === undefined) throw refusal('has neither sub nor sid')
  return {
    ...{ iss: iss as string, issuedAt: iat as number, tokenId: jti },
    ...{ sub: sub as string | undefined, sid: sid as string | undefined },
  }
}

/** Before any key is fetched: anybody can post anything. */
function requireHeader(logoutToken: string, algorithms: readonly string[]): void {
  let header: ReadJwt['header']
  try {
    header = readJwt(logoutToken).header
  } catch {
    throw refusal('is no JWT')
  }
  const { alg, typ = 'JWT' } = header
  if (typeof alg !== 'string' || !algorithms.includes(alg))
    throw refusal('has an alg that is not accepted')
  if (typeof typ !== 'string' || !/^(application\/)?(logout\+jwt|jwt)$/i.test(typ))
    throw refusal('has another typ than logout+jwt')
}

async function verify(
  logoutToken: string,
  { keys, metadata }: KnownServer,
): Promise<Record<string, unknown>> {
  if (keys === undefined || metadata.issuer === undefined)
    throw new PkceFlowError(
      'configuration',
      'Logout tokens have to be checked, and the authorization server publishes no jwks_uri or issuer. ' +
        'Give them in the option "server".',
    )
  const algorithms = acceptedAlgorithms(metadata)
  const attempt = () => verifySignedJwt(logoutToken, keys.findSparingly, algorithms)
  const generation = keys.generation()
  try {
    return await attempt().catch(async (error: unknown) => {
      if (mayBeRotation(error) && (await isRefetched(keys, generation))) return attempt()
      throw error
    })
  } catch (error) {
    throw refusedBy(error)
  }
}

/** Whether the keys are others than they were. */
async function isRefetched(keys: SigningKeys, generation: number): Promise<boolean> {
  return keys.generation() !== generation || keys.refetchSparingly()
}

/** `iat`; an `exp` that has passed was refused. */
function requireTime({ iat, exp }: Record<string, unknown>, tolerance: number): void {
  const now = Date.now() / 1000
  if (typeof iat !== 'number' || !Number.isFinite(iat)) throw refusal('has no iat')
  if (iat > now + tolerance) throw refusal('was issued in the future')
  if (exp === undefined && iat < now - longestLife - tolerance) throw refusal('is too old')
}

function refusedBy(error: unknown): Error {
  if (error instanceof PkceFlowError) return error
  const { code } = error as { code?: unknown }
  if (code === 'ERR_JWKS_INVALID')
    return new PkceFlowError(
      'invalid_server_response',
      "The authorization server's signing keys (jwks_uri) are not a JWK Set.",
    )
  return refusal(`fails: ${String(code)}`)
}

function refusal(reason: string): LogoutTokenRefusal {
  return new LogoutTokenRefusal(`The logout token ${reason}.`)
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
