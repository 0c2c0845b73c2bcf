import { createHash } from 'node:crypto'
import type { Request } from 'express'
import { type PkceFlowError, withDetails } from '../errors.ts'
import type { Settings } from '../options/settings.ts'
import { placeToReturn } from '../return-to.ts'
import { createAuthorizationServer } from '../protocol/authorization-server.ts'
import type { KnownServer } from '../protocol/known-server.ts'
import { createTransport } from '../protocol/transport.ts'
import { processLock, type Lock } from '../storage/lock.ts'
import { createPendingLogins, type PendingLogins } from '../storage/pending-logins.ts'
import { createTokenRecords, type TokenRecords } from '../storage/token-records.ts'
import { type BindingCookies, createBindingCookies } from './binding-cookie.ts'
import { sessionStore } from './session.ts'

/** What the handlers of one flow share. */
export interface Flow {
  readonly settings: Settings
  readonly cookies: BindingCookies
  readonly lock: Lock
  /** The authorization server, discovered when first asked for. */
  getServer(): Promise<KnownServer>
  /** The records of this flow, in the store that belongs to the request. */
  records(req: Request): FlowRecords
  /** A path of this app as the browser sees it. */
  publicPath(path: string): string
  /** Where a person can start a login, as the browser sees it; `undefined` without such a route. */
  loginUrl(returnTo?: string): string | undefined
  /** `value` as a place that a login or logout may lead to; never one of our own routes. */
  placeToReturn(value: unknown): string | undefined
  /** `error`, with what belongs to this flow. */
  describe(error: PkceFlowError, returnTo?: string): PkceFlowError
}

/** Records of a flow in one store. */
export interface FlowRecords {
  pendingLogins: PendingLogins
  tokenRecords: TokenRecords
}

/** Wires the rooms for one set of options. */
export function createFlow(settings: Settings): Flow {
  const { name, clientId, redirectUri, issuer, server, basePath, routes } = settings
  const fingerprint = createHash('sha256')
    .update(JSON.stringify([name, clientId, redirectUri, issuer ?? server.authorization_endpoint]))
    .digest('base64url')
    .slice(0, 22)
  const transport = createTransport(settings.timeout, settings.agent)
  const recordsByStore = new WeakMap<object, FlowRecords>()

  function loginUrl(returnTo?: string) {
    if (routes.login === undefined) return undefined
    const query = returnTo === undefined ? '' : `?${new URLSearchParams({ returnTo }).toString()}`
    return basePath + routes.login + query
  }

  return {
    settings,
    cookies: createBindingCookies({ ...settings, flow: fingerprint }),
    lock: processLock,
    getServer: createAuthorizationServer(settings, transport),
    records(req) {
      const store = settings.store ?? sessionStore(req)
      let records = recordsByStore.get(store)
      if (records === undefined) {
        records = {
          pendingLogins: createPendingLogins(store, fingerprint, settings.loginTimeout),
          tokenRecords: createTokenRecords(store, fingerprint, processLock),
        }
        recordsByStore.set(store, records)
      }
      return records
    },
    publicPath: (path) => basePath + path,
    loginUrl,
    placeToReturn: (value) => placeToReturn(settings, value),
    describe: (error, returnTo) => withDetails(error, { flow: name, loginUrl: loginUrl(returnTo) }),
  }
}
