import type { UserInfo } from '../protocol/user-info.ts'
import type { Token } from '../token.ts'
import type { ApiFetch } from './api-fetch.ts'
import type { Connection } from './connection.ts'
import { connectionStatus, type ConnectionStatus } from './status.ts'
import { tokenOf } from './token-of.ts'

/** The tokens of one of the app's users, without a request: for background jobs. */
export interface UserTokenAccess {
  /**
   * The fresh token, or `undefined` if there is none. Rejects with `server_unavailable`,
   * `lock_unavailable` or `store_unavailable` if that cannot be told or had now.
   */
  token(): Promise<Token | undefined>
  /** As the flow's `fetch`, with this user's token. Rejects with `not_connected` without one. */
  fetch(url: string | URL | Request, init?: RequestInit): Promise<Response>
  /** What is known about the tokens, without refreshing. Rejects with `store_unavailable`. */
  status(): Promise<ConnectionStatus>
  /** As the flow's `userInfo`. */
  userInfo(): Promise<UserInfo>
  /** As the flow's `disconnect`. */
  disconnect(): Promise<{ revoked: boolean }>
}

/**
 * Every call opens the connection anew: a job may run for hours.
 *
 * @param described fills in what errors say of the flow
 */
export function forUser(
  open: () => Connection,
  apiFetch: ApiFetch,
  described: <T>(work: () => Promise<T>) => Promise<T>,
): UserTokenAccess {
  return {
    token: () => described(async () => tokenOf(await open().fresh())),
    fetch: (url, init) => described(() => apiFetch(open(), url, init)),
    status: () => described(async () => connectionStatus(await open().read())),
    userInfo: () => described(() => open().userInfo()),
    disconnect: () => described(() => open().disconnect()),
  }
}
