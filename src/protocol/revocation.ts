import { tokenRevocation, type Configuration } from 'openid-client'
import type { KnownServer } from './known-server.ts'

/**
 * Revokes tokens (RFC 7009), best effort: the refresh token first, as most servers end the whole
 * grant with it. Resolves to whether the server confirmed all; never rejects. A server without a
 * revocation endpoint confirms nothing.
 */
export async function revoke(
  { metadata, configuration }: KnownServer,
  tokens: { accessToken: string; refreshToken: string | undefined },
): Promise<boolean> {
  if (metadata.revocation_endpoint === undefined) return false
  const refreshRevoked =
    tokens.refreshToken === undefined ||
    (await revokeOne(configuration, tokens.refreshToken, 'refresh_token'))
  const accessRevoked = await revokeOne(configuration, tokens.accessToken, 'access_token')
  return refreshRevoked && accessRevoked
}

async function revokeOne(configuration: Configuration, token: string, hint: string) {
  try {
    await tokenRevocation(configuration, token, { token_type_hint: hint })
    return true
  } catch {
    return false // the token lives on until it expires: nothing that the caller could mend
  }
}
