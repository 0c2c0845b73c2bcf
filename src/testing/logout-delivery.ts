import type { IdTokenFault } from './faults.ts'

/** Where a client wants to be told that somebody has logged out. */
export interface LogoutUris {
  /** Gets a logout token (OpenID Connect Back-Channel Logout 1.0). */
  backchannel?: string | undefined
  /** Is loaded in an iframe of the logged-out page (OpenID Connect Front-Channel Logout 1.0). */
  frontchannel?: string | undefined
}

/** A logout token that is to be sent. */
export interface LogoutTokenRequest {
  /** Default: the back-channel URI that the server was told. */
  to?: string | undefined
  sub?: string | undefined
  sid?: string | undefined
  /** Default: the first client's. */
  clientId?: string | undefined
  /** Spoil the token, as those of ID Tokens do: beside what `misbehave` says. */
  faults?: readonly IdTokenFault[] | undefined
}

/** What the client answered. */
export interface LogoutTokenResponse {
  status: number
  headers: Readonly<Record<string, string>>
  body: string
  /** What was sent. */
  logoutToken: string
}

/** Posts a logout token, without cookies, and with a parameter that no client knows. */
export async function postLogoutToken(
  uri: string,
  logoutToken: string,
): Promise<LogoutTokenResponse> {
  const body = new URLSearchParams({ logout_token: logoutToken, unknown: 'parameter' })
  const response = await fetch(uri, { method: 'POST', body, redirect: 'manual' })
  return {
    status: response.status,
    headers: Object.fromEntries(response.headers),
    body: await response.text(),
    logoutToken,
  }
}
