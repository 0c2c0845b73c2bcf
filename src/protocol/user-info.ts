import { ConfigurationError, PkceFlowError } from '../errors.ts'
import { saysInvalidToken } from './bearer-challenge.ts'
import { isPassing, jsonObject, unavailable } from './json-response.ts'
import type { KnownServer } from './known-server.ts'
import type { ServerResponse } from './transport.ts'

/**
 * Claims about the person from the userinfo endpoint (OpenID Connect Core section 5.1). From a preset's
 * profile endpoint of plain OAuth 2.0: its answer, and the account's id as `sub`.
 */
export type UserInfo = Readonly<Record<string, unknown>>

/**
 * Asks the userinfo endpoint (OpenID Connect Core section 5.3). Resolves to the claims, or to
 * `'invalid_token'` if the server says that the access token is invalid.
 *
 * Rejects with `configuration` if there is no such endpoint, `invalid_server_response`,
 * `server_unavailable` or `server_timeout`.
 *
 * @param subject `sub` of the validated ID Token, which that of the answer must equal (section
 *   5.3.2); `undefined` without one
 */
export async function requestUserInfo(
  server: KnownServer,
  accessToken: string,
  subject: string | undefined,
): Promise<UserInfo | 'invalid_token'> {
  const { profile } = server.dialect
  const response = await server.transport(endpoint(server), {
    method: profile?.method ?? 'GET',
    headers: {
      accept: 'application/json',
      authorization: `Bearer ${accessToken}`,
      // Some APIs refuse requests that do not say what sent them.
      'user-agent': 'express-pkce-flow',
      ...profile?.headers,
    },
  })
  const { status, headers } = response
  if (status === 401 && saysInvalidToken(headers['www-authenticate'] ?? null))
    return 'invalid_token'
  if (isPassing(response)) throw unavailable(response)
  if (status !== 200) throw unusable(`answered ${status}, which no client can use`)
  const claims = claimsIn(response)
  if (subject !== undefined && claims.sub !== subject)
    throw unusable('answered for another person than the one who logged in')
  return profile === undefined ? claims : { ...claims, sub: accountId(claims, profile.id) }
}

/** The id at `path`, as text: what OpenID Connect calls the subject. */
function accountId(profile: UserInfo, path: string): string {
  const id = path
    .split('.')
    .reduce<unknown>(
      (value, name) =>
        typeof value === 'object' && value !== null && Object.hasOwn(value, name)
          ? (value as UserInfo)[name]
          : undefined,
      profile,
    )
  if (typeof id === 'string' && id !== '') return id
  // Of larger ones JSON has lost the last digits: they may be somebody else's.
  if (Number.isSafeInteger(id)) return String(id)
  throw unusable('did not say whose account it is about')
}

function endpoint({ metadata }: KnownServer): URL {
  const url: unknown = metadata.userinfo_endpoint
  if (typeof url === 'string' && URL.canParse(url)) return new URL(url)
  throw new ConfigurationError(
    'The authorization server publishes no userinfo_endpoint. Give it in the option "server", or use the claims of the ID Token.',
  )
}

function claimsIn(response: ServerResponse): UserInfo {
  const type = response.headers['content-type'] ?? ''
  if (/^application\/jwt\b/i.test(type.trim()))
    throw unusable(
      'answered with a signed or encrypted document (application/jwt), which this version does not read. ' +
        'Register this client there without userinfo_signed_response_alg and userinfo_encrypted_response_alg',
    )
  const claims = jsonObject(response)
  if (claims === undefined) throw unusable('did not answer with a JSON object')
  return claims
}

function unusable(what: string): PkceFlowError {
  return new PkceFlowError(
    'invalid_server_response',
    `The authorization server's userinfo endpoint ${what}.`,
  )
}
