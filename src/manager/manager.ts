import { inspect } from 'node:util'
import { ConfigurationError, StateForgeryError } from '../errors.ts'
import { createSecret } from '../protocol/authorization-request.ts'
import { readAuthorizationResponse, validateIssuer } from '../protocol/authorization-response.ts'
import { isRecord, isText } from '../options/checks.ts'
import { nameOf, resolveAttributes, type ManagerAttributes } from './attributes.ts'
import { callHook, type MaybePromise } from './hooks.ts'
import { resolveOverrides, type AuthorizationUrlOverrides } from './overrides.ts'
import { createRequests, type ManagerRequests } from './requests.ts'
import type { TokenResponse } from './token-response.ts'
import { createTurns } from './turns.ts'
import {
  buildUserSecrets,
  isEqual,
  buildNoSecrets,
  requireState,
  requireVerifier,
  type UserSecrets,
} from './user-secrets.ts'

/** What a hook gives back: the secret, or nothing if there is none. @inline */
type Retrieved = MaybePromise<string | null | undefined>

/** An answer of the authorization server (RFC 6749 section 4.1.2), and whose it is. */
export interface UserAuthorizationResponse<User> {
  /** Who is signed in to the app now. */
  user: User
  /** Its parameter `state`. */
  state: string | null | undefined
  /** Its parameter `code`. */
  code: string | null | undefined
  /**
   * Its parameter `iss` (RFC 9207), `null` or `undefined` if it had none: compared with the server's
   * issuer, and missed if the server announces it. Left out altogether, it is not looked at.
   */
  iss?: string | null | undefined
}

// An interface, so that a subclass may give them as fields or as getters, or leave them out.
// oxlint-disable-next-line typescript/no-empty-object-type, typescript/no-unsafe-declaration-merging, no-unused-vars -- merged with the class, and all its members are optional
export interface PkceFlowManager<User> extends ManagerAttributes {}

/**
 * The authorization code flow with PKCE without Express and without a session: a subclass says who
 * the client is and how to keep three secrets for a user of the app. Users are whatever the app has
 * for them; they are handed to the hooks and not looked at.
 *
 * One login can be pending for a user: when another is started, the last one wins. Attributes are
 * read at first use, together. Every method rejects with `configuration` if one is missing or wrong,
 * and with `store_unavailable` if a hook fails.
 */
export abstract class PkceFlowManager<User> {
  /** Client identifier (RFC 6749 section 2.2). */
  abstract readonly clientId: string
  /** Where the authorization server sends the browser back, as registered there; without query. */
  abstract readonly redirectUri: string
  /** Scope asked for (RFC 6749 section 3.3); `''` asks for none. */
  abstract readonly scope: string | readonly string[]

  #requests: ManagerRequests | undefined
  readonly #inTurn = createTurns()

  /** Keeps the secrets of a login, all together, in place of those from before. */
  abstract storeUserSecrets(user: User, secrets: UserSecrets): MaybePromise<void>
  abstract retrieveUserState(user: User): Retrieved
  abstract retrieveUserCodeVerifier(user: User): Retrieved
  abstract retrieveUserCodeChallenge(user: User): Retrieved

  /**
   * Whether `state` is that of the login that is pending for this user. Compared in constant time;
   * false when either is empty. Only `true` is taken for a yes.
   */
  checkUserState(user: User, state: string): MaybePromise<boolean> {
    return Promise.resolve(this.retrieveUserState(user)).then((stored) => isEqual(stored, state))
  }

  /**
   * Forgets the secrets, before the token request: a state is used once. Where several processes share
   * them, remove them atomically and return `false` (or 0, or null) if they were gone already.
   * Default: stores empty secrets.
   */
  forgetUserSecrets(user: User): MaybePromise<boolean> | MaybePromise<void> {
    return this.storeUserSecrets(user, buildNoSecrets())
  }

  /** A new `state`: 22 to 1,024 characters of base64url. Default: 256 random bits. */
  createState(): MaybePromise<string> {
    return createSecret()
  }

  /** A new code verifier (RFC 7636 section 4.1): 43 to 128 characters. Default: 256 random bits. */
  createCodeVerifier(): MaybePromise<string> {
    return createSecret()
  }

  /** Makes the secrets of a new login, stores them for this user and returns them. */
  async makeUserSecrets(user: User): Promise<UserSecrets> {
    this.#connect()
    const secrets = buildUserSecrets(
      await callHook('createState', () => this.createState()),
      await callHook('createCodeVerifier', () => this.createCodeVerifier()),
    )
    await callHook('storeUserSecrets', () => this.storeUserSecrets(user, secrets))
    return secrets
  }

  /**
   * The URL to send this user's browser to (RFC 6749 section 4.1.1), for the secrets that are stored;
   * without any, new ones are made. Rejects with `login_interrupted` if they do not fit together, or
   * as discovery does: `server_unavailable`, `server_timeout`, `invalid_server_response`. Where the
   * server requires pushed authorization requests (RFC 9126) one is sent, and `client_rejected` is
   * its refusal.
   */
  async getAuthorizationUrl(
    user: User,
    overrides: AuthorizationUrlOverrides = {},
  ): Promise<string> {
    const requests = this.#connect()
    const asked = resolveOverrides(requests.settings, overrides)
    const stored = await callHook('retrieveUserState', () => this.retrieveUserState(user))
    const { state, codeVerifier } = stored
      ? {
          state: requireState(stored),
          codeVerifier: requireVerifier(...(await this.#retrieveProof(user))),
        }
      : await this.makeUserSecrets(user)
    return requests.authorizationUrl({ state, codeVerifier, ...asked })
  }

  /**
   * Exchanges the code of an answer for tokens (RFC 6749 section 4.1.3), once for each state.
   *
   * Rejects with a {@link StateForgeryError} if the state is not the one that is pending for this
   * user, before anything is sent; with `invalid_callback`, `issuer_mismatch` or `login_interrupted`;
   * with `code_rejected`, `client_rejected`, `id_token_invalid`, `invalid_server_response`,
   * `server_unavailable` or `server_timeout`, which have the server's `serverStatus` and `oauthError`.
   */
  async fetchAccessToken(answer: UserAuthorizationResponse<User>): Promise<TokenResponse> {
    const requests = this.#connect()
    if (!isRecord(answer) || !('user' in answer))
      throw new ConfigurationError(
        'fetchAccessToken() takes one object, { user, state, code, iss }.',
      )
    const { state } = answer
    if (typeof state !== 'string' || state === '') throw new StateForgeryError()
    const login = await this.#inTurn(state, () => this.#takeLogin(answer, state))
    return requests.exchange(login.code, login.codeVerifier)
  }

  /**
   * Gets new tokens by a refresh token (RFC 6749 section 6). What comes without a new refresh token
   * has the old one. Sent again if nothing was sent, and after 429 and 503.
   *
   * Rejects with `reauthorization_required` if the refresh token has ended; with `client_rejected`,
   * `invalid_server_response`, `server_unavailable` or `server_timeout` if nobody knows: keep it.
   */
  async refresh(refreshToken: string): Promise<TokenResponse> {
    const requests = this.#connect()
    // One that is missing is as good as one that has ended.
    if (typeof (refreshToken ?? '') !== 'string')
      throw new ConfigurationError('refresh() needs a refresh token, as text.')
    return requests.refresh(refreshToken)
  }

  /**
   * Revokes an access or refresh token (RFC 7009). Sent again if nothing was sent, and after 429 and
   * 503. Rejects with `client_rejected`, `invalid_server_response`, `server_unavailable` or
   * `server_timeout`, and with `configuration` if the server has no endpoint for it.
   */
  async revoke(token: string): Promise<void> {
    const requests = this.#connect()
    // Of anything else the server would say that it has ended: no such token is known there.
    if (!isText(token)) throw new ConfigurationError('revoke() needs a token, as text.')
    return requests.revoke(token)
  }

  /** A manager may hold the secrets of the client and, in memory, of users: none is printed. */
  toJSON(): object {
    const { clientId, redirectUri, scope } = this
    return { clientId, redirectUri, scope }
  }

  [inspect.custom](): string {
    return `${nameOf(this)} ${inspect(this.toJSON())}`
  }

  /** Not in the constructor: it runs before the fields of the subclass are there. */
  #connect(): ManagerRequests {
    return (this.#requests ??= createRequests(resolveAttributes(this)))
  }

  /** The code verifier and the code challenge as they are stored. */
  #retrieveProof(user: User): Promise<[unknown, unknown]> {
    return Promise.all([
      callHook('retrieveUserCodeVerifier', () => this.retrieveUserCodeVerifier(user)),
      callHook('retrieveUserCodeChallenge', () => this.retrieveUserCodeChallenge(user)),
    ])
  }

  /** Checks an answer, and forgets its login if it is one whose code can be exchanged. */
  async #takeLogin(
    { user, code: sent, ...answer }: UserAuthorizationResponse<User>,
    state: string,
  ): Promise<{ code: string; codeVerifier: string }> {
    // Before the state: if another login overwrites them meanwhile, it has another state, too.
    const proof = await this.#retrieveProof(user)
    const isOwn: unknown = await callHook('checkUserState', () => this.checkUserState(user, state))
    if (isOwn !== true) throw new StateForgeryError()
    const codeVerifier = requireVerifier(...proof)
    const code = typeof sent === 'string' ? sent : ''
    readAuthorizationResponse(new URLSearchParams({ state, code }))
    const server = await this.#connect().getServer()
    if ('iss' in answer) validateIssuer(server, answer.iss ?? undefined)
    // Another login may have begun while the server was asked: its secrets must not be forgotten.
    const isStillOwn: unknown = await callHook('checkUserState', () =>
      this.checkUserState(user, state),
    )
    if (isStillOwn !== true) throw new StateForgeryError()
    const forgotten: unknown = await callHook('forgetUserSecrets', () =>
      this.forgetUserSecrets(user),
    )
    // In JavaScript people hand on what their database says: a count of rows, a row or none.
    if (forgotten !== undefined && !forgotten) throw new StateForgeryError()
    return { code, codeVerifier }
  }
}
