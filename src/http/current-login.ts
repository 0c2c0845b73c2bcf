import type { Request } from 'express'
import type { FoundRecord, TokenRecord } from '../storage/token-records.ts'
import type { Connection } from './connection.ts'
import type { Flow } from './flow.ts'
import { endOtherSignIns, revokeEnded } from './end-sign-ins.ts'
import { emptySession, loginReference, type LoginReference } from './session.ts'
import { userIdOf } from './user-id.ts'

/** Who is at the browser of a request, and with what tokens; each is read once a request. */
export interface CurrentLogin {
  /** Whether there may be a sign-in or tokens; needs no store. */
  isLikely(req: Request): boolean
  /**
   * This browser's sign-in through the flow, `undefined` if there is none. Rejects with
   * `store_unavailable` if that cannot be told.
   */
  read(req: Request): Promise<TokenRecord | undefined>
  /** The sign-in, or what the app's user connected. Rejects as {@link CurrentLogin.fresh} does. */
  identity(req: Request): Promise<TokenRecord | undefined>
  /**
   * What there is with the tokens of this request, refreshed if they expire soon; `undefined` if
   * nobody's. Rejects with a 503 if they have expired and cannot be refreshed now, or with
   * `store_unavailable` or `user_id_invalid`.
   *
   * @param patience milliseconds to wait for another process that is refreshing, when there is nothing
   *   to use meanwhile. Default: as long as it can take
   */
  fresh(req: Request, patience?: number): Promise<TokenRecord | undefined>
  /**
   * Where the tokens of this request are kept; `undefined` without a sign-in or user. Rejects with
   * `store_unavailable` or `user_id_invalid`.
   */
  connection(req: Request): Promise<Connection | undefined>
}

/** A request asks several times (attaching, guards, the handler), the store is asked once. */
export function createCurrentLogin(flow: Flow): CurrentLogin {
  const { name } = flow.settings
  const opened = new WeakMap<Request, Map<string, Connection>>()

  function once(req: Request, key: string, open: () => Connection): Connection {
    const connections = opened.get(req) ?? new Map<string, Connection>()
    opened.set(req, connections)
    const connection = connections.get(key) ?? open()
    connections.set(key, connection)
    return connection
  }

  function signIn(req: Request, reference: LoginReference): Connection {
    return once(req, reference.key, () => flow.signInConnection(req, reference))
  }

  function userConnection(req: Request): Connection | undefined {
    const id = userIdOf(flow.settings, req)
    // A store's key never holds a colon.
    return id === undefined ? undefined : once(req, `:${id}`, () => flow.userConnection(id, req))
  }

  /** What was found, unless it was ended: by then the session must not live on. */
  async function unlessEnded(
    req: Request,
    key: string,
    found: FoundRecord,
  ): Promise<TokenRecord | undefined> {
    if (found !== 'ended') return found
    // A request that was under way wrote the session back after it was ended: end it again. Or the
    // authorization server has ended it: it goes with all that was signed in there, or here.
    if (loginReference(req, name)?.key === key) {
      const others = await endOtherSignIns(flow, req)
      for (const other of others) void revokeEnded(other)
      await emptySession(req)
    }
    return undefined
  }

  const current: CurrentLogin = {
    isLikely: (req) =>
      flow.settings.userId !== undefined || loginReference(req, name) !== undefined,
    async read(req) {
      const reference = loginReference(req, name)
      if (reference === undefined) return undefined
      return unlessEnded(req, reference.key, await signIn(req, reference).read())
    },
    async fresh(req, patience) {
      if (flow.settings.userId === undefined) {
        const reference = loginReference(req, name)
        if (reference === undefined) return undefined
        return unlessEnded(req, reference.key, await signIn(req, reference).fresh(patience))
      }
      const found = await (await current.connection(req))?.fresh(patience)
      return found === 'ended' ? undefined : found
    },
    async identity(req) {
      if (flow.settings.purpose === 'login') return current.read(req)
      const found = await (await current.connection(req))?.read()
      return typeof found === 'object' ? found : undefined
    },
    async connection(req) {
      if (flow.settings.userId === undefined) {
        await current.read(req)
        const reference = loginReference(req, name)
        return reference && signIn(req, reference)
      }
      const user = userConnection(req)
      // Both are read at the same time.
      user?.read().catch(() => undefined)
      await current.read(req)
      // The app's user may have gone with the session that was ended.
      return userIdOf(flow.settings, req) === undefined ? undefined : user
    },
  }
  return current
}
