import type { IssuedTokens } from '../storage/token-records.ts'

/** Whether the access token can be used now. */
export function isUsable(tokens: IssuedTokens | undefined): tokens is IssuedTokens {
  return tokens !== undefined && (tokens.expiresAt === undefined || tokens.expiresAt > Date.now())
}

/** Whether there is a refresh token that may still work. */
export function canRefresh(
  tokens: IssuedTokens | undefined,
): tokens is IssuedTokens & { refreshToken: string } {
  if (tokens?.refreshToken === undefined) return false
  return tokens.refreshExpiresAt === undefined || tokens.refreshExpiresAt > Date.now()
}

/** Within `leeway` milliseconds; of a token that lives shorter than that, in the half of its life. */
export function expiresSoon({ expiresAt, issuedAt }: IssuedTokens, leeway: number): boolean {
  if (expiresAt === undefined) return false
  return expiresAt - Date.now() <= Math.min(leeway, (expiresAt - issuedAt) / 2)
}
