import type { Agent } from 'node:http'
import type { Request } from 'express'
import type { ClientAuth } from 'openid-client'
import type { Token } from '../token.ts'
import type { Lock } from './lock.ts'
import type { Routes } from './places.ts'
import type { Preset } from './preset.ts'
import type { SignIns } from './server-logout.ts'
import type { ServerMetadata, ServerRootUrl } from './server-metadata.ts'

/** @inline */
interface DiscoveredServer {
  /**
   * Issuer identifier of the authorization server. Its metadata are discovered at the first use:
   * OpenID Connect Discovery 1.0, or RFC 8414 if the server answers that with 404 or 405.
   */
  issuer: string
  /**
   * Completes what was discovered. Members that carry security (`issuer`, `jwks_uri`,
   * `code_challenge_methods_supported`, `id_token_signing_alg_values_supported`,
   * `authorization_response_iss_parameter_supported`) may be added, never differ.
   */
  server?: (ServerMetadata & NoPreset) | undefined
}

/** @inline */
interface GivenServer {
  issuer?: undefined
  /**
   * The authorization server by hand, without discovery, or a preset of `express-pkce-flow/presets`,
   * whose own parameters, scope and API origins are merged under this app's.
   */
  server:
    | (ServerMetadata & NoPreset & { authorization_endpoint: string; token_endpoint: string })
    | (ServerRootUrl & NoPreset)
    | Preset
}

/** No member that only presets have. */
type NoPreset = { [Name in Exclude<keyof Preset, keyof ServerMetadata>]?: never }

interface PublicClient {
  clientSecret?: never
  clientAuth?: 'none' | undefined
}

/** @inline */
interface ClientWithSecret {
  /** Client secret. Leave the option out for a public client: `undefined` is refused. */
  clientSecret: string
  /**
   * How the client authenticates at the token endpoint (RFC 6749 section 2.3).
   * Default: `'client_secret_basic'` with a secret, `'none'` without.
   */
  clientAuth?: 'client_secret_basic' | 'client_secret_post' | undefined
}

/** @inline */
interface ClientWithOwnAuthentication {
  clientSecret?: never
  /** Any client authentication of openid-client, for example `PrivateKeyJwt(key)`. */
  clientAuth: ClientAuth
}

/** What the option `onLogin` is given. */
export interface LoginEvent {
  /** The callback request; `req.session` is the new session, not saved yet. */
  req: Request
  /** The new token. */
  token: Token
  /** Where the browser goes afterwards: a path, or a URL of one of `returnToOrigins`. */
  returnTo: string
}

/** As much of an express-session store as this package uses. */
export interface SessionStore {
  get(id: string, callback: (error: unknown, session?: unknown) => void): void
  set(id: string, session: never, callback?: (error?: unknown) => void): void
  destroy(id: string, callback?: (error?: unknown) => void): void
}

/**
 * Where tokens are kept apart from sessions. A `Keyv` fits as it is, so does a `Map` (in tests: it
 * forgets nothing), or any express-session store. Members may return promises; each call is given up
 * after 5 seconds. Make a Keyv over a server with `throwOnErrors: true`: without it, a read that
 * failed looks as if nothing were there.
 */
export type TokenStore =
  | {
      /** What was set, as JSON gives it back; `undefined` or `null` if there is nothing. */
      get(key: string): unknown
      /**
       * Keeps a plain JSON object. Returning `false` says that it could not.
       *
       * @param key 35 characters of `a-z 0-9 .`
       * @param lifetime milliseconds; the store may drop the value afterwards, it need not
       */
      set(key: string, value: object, lifetime: number): unknown
      /** Removes what is there; nothing there is no error. */
      delete(key: string): unknown
    }
  | SessionStore

/** Options that go with every kind of authorization server and client. Durations: milliseconds. */
export interface CommonOptions<Property extends string = 'token'> {
  /** Client identifier (RFC 6749 section 2.2). */
  clientId: string
  /**
   * Where the authorization server sends the browser back (RFC 6749 section 3.1.2): an absolute URL
   * without query, registered there, `https:` (or `http:` on loopback). Its path is the callback route.
   */
  redirectUri: string
  /**
   * Paths of the routes as this app sees them, `false` to leave one out.
   * Default: the callback is `redirectUri`'s path, the others are its siblings `login` and `logout`.
   */
  routes?: Routes | undefined
  /** Path that a proxy strips before this app; put before every path we make. Default: `''`. */
  basePath?: string | undefined
  /** Scope asked for (RFC 6749 section 3.3). Default: `'openid'` with `issuer`, else none. */
  scope?: string | readonly string[] | undefined
  /** More parameters of the authorization request, for example `{ prompt: 'consent' }`. */
  authorizationParams?: Readonly<Record<string, string>> | undefined
  /** How the answer comes back. `form_post` needs an `https:` redirectUri. Default: `'query'`. */
  responseMode?: 'query' | 'form_post' | undefined
  /** Name of this flow in sessions and errors. Default: the authorization server's host. */
  name?: string | undefined
  /** Member of `req` that the token is put on. Default: `'token'`. */
  requestProperty?: Property | undefined
  /** Whether every request gets its token; `false` leaves that to guards. Default: `true`. */
  attach?: boolean | undefined
  /** Where a login leads that was asked for no other place. Default: `'/'`. */
  afterLogin?: string | undefined
  /** Where a logout leads, also by way of the authorization server. Default: `'/'`. */
  afterLogout?: string | undefined
  /** Origins, beside redirectUri's own, that a login or logout may lead to. Default: none. */
  returnToOrigins?: readonly string[] | undefined
  /**
   * What becomes of the session's data at a login, which always gets a new session id: `'migrate'`
   * keeps all, `'new'` nothing, a list keeps these keys. Another person than before always starts
   * with `'new'`, and so does whoever logs in again where nobody can tell, as without `openid`.
   * Default: `'migrate'`.
   */
  sessionAtLogin?: 'migrate' | 'new' | readonly string[] | undefined
  /** How long a started login can be finished; 2,000 to 86,400,000. Default: `600_000`. */
  loginTimeout?: number | undefined
  /**
   * Logins that one browser can have pending; the oldest make place. Of those that another site's
   * link or page started, three. 1 to 50. Default: `25`.
   */
  maxPendingLogins?: number | undefined
  /**
   * An access token is refreshed before it is handed out if it expires within this time, or within
   * half its life if that is shorter. 0 to 3,600,000. Default: `30_000`.
   */
  refreshLeeway?: number | undefined
  /** Limit for each whole exchange with the authorization server. Default: `5_000`. */
  timeout?: number | undefined
  /** Difference of clocks that is tolerated in ID Tokens. Default: `30_000`. */
  clockTolerance?: number | undefined
  /** Where our records are kept. Default: the session's store. */
  store?: SessionStore | undefined
  /**
   * What makes a login finish once and a token refresh once over all processes that share the store:
   * `redisLock()` of `express-pkce-flow/redis`, `postgresLock()` of `express-pkce-flow/postgres`, or
   * your own. `'process'` says that this is the only process. Default: as with `'process'`, and a
   * warning if the store looks like one that processes share.
   */
  lock?: Lock | 'process' | undefined
  /**
   * Keys that our records are sealed with (AES-256-GCM), 32 random bytes each: a `Uint8Array`, or
   * base64url text as of `crypto.randomBytes(32).toString('base64url')`. The first one seals, all of
   * them open: to change keys, add a new one at the end in every process, then move it to the front,
   * and take the old one out when everything that it sealed has expired. With keys, a record that is
   * not sealed is no record. Default: records are stored as plain JSON.
   */
  encryptionKeys?: readonly (Uint8Array | string)[] | undefined
  /**
   * Origins that `fetch` may send the token to, for example `['https://api.example.com']`. Default:
   * the origin of `issuer`, without one that of the token endpoint. A preset's own are kept beside them.
   */
  apiOrigins?: readonly string[] | undefined
  /** For every request to the authorization server: client certificates, own CAs, a proxy. */
  agent?: Agent | undefined
  /**
   * Called at every login, awaited before anything is committed: throw and nobody is signed in.
   * What it returns, if anything, is where the browser goes.
   */
  onLogin?:
    | ((event: LoginEvent) => MaybePromise<string | undefined> | MaybePromise<void>)
    | undefined
}

type MaybePromise<T> = T | Promise<T>

/** People log in through the flow, and their tokens belong to the session. @inline */
interface SessionTokens extends SignIns {
  purpose?: 'login' | undefined
  userId?: undefined
  tokenStore?: undefined
  tokenLifetime?: undefined
}

/** People log in through the flow; tokens belong to a user of the app, beyond sessions. @inline */
interface UserTokens extends SignIns {
  purpose?: 'login' | undefined
  /**
   * The app's own user that a request comes from: a string of 1 to 500 characters, `undefined` or
   * `null` if nobody is signed in. Called at a login after `onLogin`, and whenever tokens are needed.
   */
  userId: (req: Request) => string | null | undefined
  /** Keeps the tokens of each user, for all of this user's sessions and for `forUser(id)`. */
  tokenStore: TokenStore
  /**
   * How long they are kept where the authorization server does not say how long their refresh token
   * lives; a refresh begins it anew. 60,000 to 34,560,000,000 (400 days). Default: `2_592_000_000`
   * (30 days).
   */
  tokenLifetime?: number | undefined
}

/**
 * Users of an app that has a login of its own connect an account elsewhere. The flow never writes to
 * the session and keeps its id; logging out of the flow is disconnecting the account. @inline
 */
interface ConnectedAccounts {
  purpose: 'connect'
  /**
   * The app's own user that a request comes from: a string of 1 to 500 characters, `undefined` or
   * `null` if nobody is signed in.
   */
  userId: (req: Request) => string | null | undefined
  /**
   * Keeps the tokens of each user. Default: `store`, for as long as a session lives without being
   * used; `forUser(id)` then needs the option `store`.
   */
  tokenStore?: TokenStore | undefined
  /** See the option of the same name of a login; with `tokenStore` only. */
  tokenLifetime?: number | undefined
  sessionAtLogin?: undefined
  postLogoutRedirectUri?: undefined
}

/** Options of `pkceFlow`. TypeScript refuses wrong combinations and misspelt members. */
export type PkceFlowOptions<Property extends string = 'token'> = CommonOptions<Property> &
  (DiscoveredServer | GivenServer) &
  (PublicClient | ClientWithSecret | ClientWithOwnAuthentication) &
  (SessionTokens | UserTokens | ConnectedAccounts)
