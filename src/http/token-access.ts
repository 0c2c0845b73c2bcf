import type { Request } from 'express'
import type { UserInfo } from '../protocol/user-info.ts'
import type { Token } from '../token.ts'
import type { ApiFetch, TokenSource } from './api-fetch.ts'
import type { Connection } from './connection.ts'
import type { CurrentLogin } from './current-login.ts'
import { nobody } from './no-tokens.ts'
import { tokenOf } from './token-of.ts'

export type { UserInfo }

/** What handlers do with the tokens of a request. */
export interface TokenAccess {
  token(req: Request): Promise<Token | undefined>
  fetch(
    req: Request,
    url: string | URL | globalThis.Request,
    init?: RequestInit,
  ): Promise<globalThis.Response>
  userInfo(req: Request): Promise<UserInfo>
  disconnect(req: Request): Promise<{ revoked: boolean }>
}

export function createTokenAccess(
  purpose: 'login' | 'connect',
  current: CurrentLogin,
  apiFetch: ApiFetch,
): TokenAccess {
  async function connectionOf(req: Request): Promise<Connection> {
    const connection = await current.connection(req)
    if (connection === undefined) throw nobody(purpose)
    return connection
  }

  /**
   * Opened only after the URL was found good, and once: a call is one person's, whoever the request
   * may belong to later.
   */
  function tokensOf(req: Request): TokenSource {
    let connection: Promise<Connection> | undefined
    const open = () => (connection ??= connectionOf(req))
    return {
      current: async () => (await open()).current(),
      replacement: async (rejected) => (await open()).replacement(rejected),
    }
  }

  return {
    token: async (req) => tokenOf(await current.fresh(req)),
    fetch: (req, url, init) => apiFetch(tokensOf(req), url, init),
    userInfo: async (req) => (await connectionOf(req)).userInfo(),
    async disconnect(req) {
      const connection = await current.connection(req)
      return connection?.disconnect() ?? { revoked: false }
    },
  }
}
