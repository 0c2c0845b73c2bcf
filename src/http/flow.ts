import { createHash } from 'node:crypto'
import type { Request } from 'express'
import {
  ConfigurationError,
  type PkceFlowError,
  type PkceFlowErrorCode,
  withDetails,
} from '../errors.ts'
import type { SessionStore, TokenStore } from '../options/options.ts'
import type { Settings } from '../options/settings.ts'
import { placeToReturn } from '../return-to.ts'
import { createAuthorizationServer } from '../protocol/authorization-server.ts'
import type { KnownServer } from '../protocol/known-server.ts'
import { createTransport } from '../protocol/transport.ts'
import { createSharedMutex, processMutex, type Mutex } from '../storage/mutex.ts'
import { createPendingLogins, type PendingLogins } from '../storage/pending-logins.ts'
import type { KeyValueStore } from '../storage/key-value-store.ts'
import { createLoginMarks } from '../storage/login-marks.ts'
import { recordKey } from '../storage/record-store.ts'
import { createSealing } from '../storage/sealing.ts'
import { overSessionStore } from '../storage/session-store.ts'
import { createTokenRecords, type TokenRecords } from '../storage/token-records.ts'
import { overTokenStore } from '../storage/token-store.ts'
import { type BindingCookies, createBindingCookies } from './binding-cookie.ts'
import { openConnection, type Connection } from './connection.ts'
import { createRefresher, type LifetimeOf, type Refresher } from './refresher.ts'
import { createServerEndings, type ServerEndings } from './server-endings.ts'
import { sessionLifetime, sessionStore, type LoginReference } from './session.ts'
import { createSilentLoginMarker, type SilentLoginMarker } from './silent-login-marker.ts'
import { isOfThisProcess, warnOfSharedStore } from './shared-store.ts'

/** What the handlers of one flow share. */
export interface Flow {
  readonly settings: Settings
  readonly cookies: BindingCookies
  readonly silentLoginMarker: SilentLoginMarker
  /** Over all processes that share the store, with the option `lock`. */
  readonly mutex: Mutex
  /** The authorization server, discovered when first asked for. */
  getServer(): Promise<KnownServer>
  /** The records of this flow, in the store that belongs to the request. */
  records(req: Request): FlowRecords
  /** The tokens of the sign-in that a session refers to. */
  signInConnection(req: Request, reference: LoginReference): Connection
  /** The tokens of one of the app's users, where they are kept for this request, or without one. */
  userConnection(userId: string, req?: Request): Connection
  /** Where tokens of the app's users are kept; `undefined` if they belong to sessions. */
  userTokens(req?: Request): UserTokens | undefined
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
  /** `undefined` if the authorization server is not expected to tell when its sessions end. */
  serverEndings: ServerEndings | undefined
}

/** Tokens that are kept per user. */
export interface UserTokens {
  tokenRecords: TokenRecords
  refresher: Refresher
  keyOf: (userId: string) => string
  lifetimeOf: LifetimeOf
  /** Whether they live on while they are used. */
  isRenewed: boolean
}

/** What a lease must outlast beside a token request: a store call, and a little. Milliseconds. */
const leaseMargin = 7_000

/** Stores keep nothing for less than this many milliseconds reliably. */
const shortestLifetime = 2_000

/** Errors that the route `/login`, as it is, would only bring back. */
const loginIsNoHelp: ReadonlySet<PkceFlowErrorCode> = new Set([
  'insufficient_scope',
  'not_signed_in',
] as const)

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
    const isTold = routes.backchannelLogout ?? routes.frontchannelLogout
    const marks = isTold && createLoginMarks(values, fingerprint, mutex, sealing)
    return {
      pendingLogins: createPendingLogins(
        values,
        fingerprint,
        settings.loginTimeout,
        isOfThisProcess(store),
        sealing,
      ),
      ...tokensIn(values),
      serverEndings: marks ? createServerEndings(marks, routes) : undefined,
    }
  }

  function recordsAt(store: SessionStore): FlowRecords {
    const known = recordsByStore.get(store) ?? recordsIn(store)
    recordsByStore.set(store, known)
    return known
  }

  const records = (req: Request) => recordsAt(settings.store ?? sessionStore(req))

  const keyOf = (userId: string) => recordKey(JSON.stringify([fingerprint, userId]))

  function userTokensIn(store: TokenStore): UserTokens {
    warnOfSharedStore(settings, store)
    return {
      ...tokensIn(overTokenStore(store)),
      keyOf,
      lifetimeOf: (tokens) =>
        tokens?.refreshExpiresAt === undefined
          ? settings.tokenLifetime
          : Math.max(tokens.refreshExpiresAt - Date.now(), shortestLifetime),
      isRenewed: false,
    }
  }

  const ownTokens = settings.tokenStore && userTokensIn(settings.tokenStore)

  /** Beside the sessions, accounts that are connected stay connected as long as a session. */
  function userTokens(req?: Request): UserTokens | undefined {
    if (ownTokens !== undefined || settings.purpose === 'login') return ownTokens
    const store = settings.store ?? (req && sessionStore(req))
    if (store === undefined)
      throw new ConfigurationError(
        'forUser() has no request that tells which store the tokens are in: give the option "tokenStore" or "store".',
      )
    const { tokenRecords, refresher } = recordsAt(store)
    const lifetimeOf = () => req && sessionLifetime(req)
    return { tokenRecords, refresher, keyOf, lifetimeOf, isRenewed: true }
  }

  function loginUrl(returnTo?: string) {
    if (routes.login === undefined) return undefined
    const query = returnTo === undefined ? '' : `?${new URLSearchParams({ returnTo }).toString()}`
    return basePath + routes.login + query
  }

  return {
    settings,
    cookies: createBindingCookies({ ...settings, flow: fingerprint }),
    silentLoginMarker: createSilentLoginMarker(fingerprint, settings.secure),
    mutex,
    getServer,
    records,
    userTokens,
    publicPath: (path) => basePath + path,
    loginUrl,
    placeToReturn: (value) => placeToReturn(settings, value),
    describe: (error, returnTo) =>
      withDetails(error, {
        flow: name,
        loginUrl: loginIsNoHelp.has(error.code) ? undefined : loginUrl(returnTo),
      }),
    signInConnection(req, reference) {
      const { tokenRecords, refresher, serverEndings } = records(req)
      return openConnection(getServer, {
        tokenRecords,
        refresher,
        key: reference.key,
        lifetimeOf: () => sessionLifetime(req),
        isRenewed: true,
        isSignIn: true,
        hasEnded: serverEndings && ((reading) => serverEndings.hasEnded(req, reference, reading)),
      })
    },
    userConnection(userId, req) {
      const tokens = userTokens(req)
      if (tokens === undefined)
        throw new ConfigurationError('Tokens are kept per user with the option "tokenStore" only.')
      return openConnection(getServer, { ...tokens, key: tokens.keyOf(userId), isSignIn: false })
    },
  }
}
