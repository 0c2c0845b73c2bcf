import { createHash } from 'node:crypto'
import type { Request } from 'express'
import { ConfigurationError, type PkceFlowError, withDetails } from '../errors.ts'
import type { SessionStore, TokenStore } from '../options/options.ts'
import type { Settings } from '../options/settings.ts'
import { placeToReturn } from '../return-to.ts'
import { createAuthorizationServer } from '../protocol/authorization-server.ts'
import type { KnownServer } from '../protocol/known-server.ts'
import { createTransport } from '../protocol/transport.ts'
import { createSharedMutex, processMutex, type Mutex } from '../storage/mutex.ts'
import { createPendingLogins, type PendingLogins } from '../storage/pending-logins.ts'
import type { KeyValueStore } from '../storage/key-value-store.ts'
import { createSealing } from '../storage/sealing.ts'
import { overSessionStore } from '../storage/session-store.ts'
import { createTokenRecords, type TokenRecords } from '../storage/token-records.ts'
import { overTokenStore } from '../storage/token-store.ts'
import { type BindingCookies, createBindingCookies } from './binding-cookie.ts'
import { openConnection, type Connection } from './connection.ts'
import { createRefresher, type LifetimeOf, type Refresher } from './refresher.ts'
import { sessionLifetime, sessionStore } from './session.ts'
import { warnOfSharedStore } from './shared-store.ts'

/** What the handlers of one flow share. */
export interface Flow {
  readonly settings: Settings
  readonly cookies: BindingCookies
  /** Over all processes that share the store, with the option `lock`. */
  readonly mutex: Mutex
  /** The authorization server, discovered when first asked for. */
  getServer(): Promise<KnownServer>
  /** The records of this flow, in the store that belongs to the request. */
  records(req: Request): FlowRecords
  /** The tokens of the sign-in that a session refers to by `key`. */
  signInConnection(req: Request, key: string): Connection
  /** The tokens of one of the app's users, with the option `tokenStore`. */
  userConnection(userId: string): Connection
  /** Records of the app's users, and the key of one's; `undefined` without the option `tokenStore`. */
  readonly userTokens: UserTokens | undefined
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
  refresher: Refresher
}

/** Tokens that are kept per user. */
export interface UserTokens {
  tokenRecords: TokenRecords
  refresher: Refresher
  keyOf: (userId: string) => string
  lifetimeOf: LifetimeOf
}

/** What a lease must outlast beside a token request: a store call, and a little. Milliseconds. */
const leaseMargin = 7_000

/** Stores keep nothing for less than this many milliseconds reliably. */
const shortestLifetime = 2_000

/** Wires the rooms for one set of options. */
export function createFlow(settings: Settings): Flow {
  const { name, clientId, redirectUri, issuer, server, basePath, routes } = settings
  const fingerprint = createHash('sha256')
    .update(JSON.stringify([name, clientId, redirectUri, issuer ?? server.authorization_endpoint]))
    .digest('base64url')
    .slice(0, 22)
  const transport = createTransport(settings.timeout, settings.agent)
  const getServer = createAuthorizationServer(settings, transport)
  const mutex =
    typeof settings.lock === 'object'
      ? createSharedMutex(settings.lock, settings.timeout + leaseMargin)
      : processMutex
  const sealing = settings.encryptionKeys && createSealing(settings.encryptionKeys)
  const recordsByStore = new WeakMap<object, FlowRecords>()

  function tokensIn(store: KeyValueStore) {
    const tokenRecords = createTokenRecords(store, fingerprint, mutex, sealing)
    return { tokenRecords, refresher: createRefresher(settings, getServer, tokenRecords) }
  }

  function recordsIn(store: SessionStore): FlowRecords {
    warnOfSharedStore(settings, store)
    const values = overSessionStore(store)
    return {
      pendingLogins: createPendingLogins(values, fingerprint, settings.loginTimeout, sealing),
      ...tokensIn(values),
    }
  }

  function records(req: Request): FlowRecords {
    const store = settings.store ?? sessionStore(req)
    const known = recordsByStore.get(store) ?? recordsIn(store)
    recordsByStore.set(store, known)
    return known
  }

  function userTokensIn(store: TokenStore): UserTokens {
    warnOfSharedStore(settings, store)
    return {
      ...tokensIn(overTokenStore(store)),
      keyOf: (userId) =>
        createHash('sha256')
          .update(JSON.stringify([fingerprint, userId]))
          .digest('hex')
          .slice(0, 32),
      lifetimeOf: (tokens) =>
        tokens?.refreshExpiresAt === undefined
          ? settings.tokenLifetime
          : Math.max(tokens.refreshExpiresAt - Date.now(), shortestLifetime),
    }
  }

  const userTokens = settings.tokenStore && userTokensIn(settings.tokenStore)

  function loginUrl(returnTo?: string) {
    if (routes.login === undefined) return undefined
    const query = returnTo === undefined ? '' : `?${new URLSearchParams({ returnTo }).toString()}`
    return basePath + routes.login + query
  }

  return {
    settings,
    cookies: createBindingCookies({ ...settings, flow: fingerprint }),
    mutex,
    getServer,
    records,
    userTokens,
    publicPath: (path) => basePath + path,
    loginUrl,
    placeToReturn: (value) => placeToReturn(settings, value),
    describe: (error, returnTo) => withDetails(error, { flow: name, loginUrl: loginUrl(returnTo) }),
    signInConnection(req, key) {
      const lifetimeOf = () => sessionLifetime(req)
      return openConnection(getServer, { ...records(req), key, lifetimeOf, isSignIn: true })
    },
    userConnection(userId) {
      if (userTokens === undefined)
        throw new ConfigurationError('Tokens are kept per user with the option "tokenStore" only.')
      const key = userTokens.keyOf(userId)
      return openConnection(getServer, { ...userTokens, key, isSignIn: false })
    },
  }
}
