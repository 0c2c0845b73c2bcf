import type { ServerMetadata } from './server-metadata.ts'

/** Registered values of `error` that a server's own words can stand for (RFC 6749 section 5.2). */
export type TokenError =
  | 'invalid_client'
  | 'invalid_grant'
  | 'invalid_request'
  | 'invalid_scope'
  | 'temporarily_unavailable'
  | 'unauthorized_client'

/** In what an authorization server differs from the standards, as data. All members are optional. */
export interface Dialect {
  /** Between the scopes of an authorization request. Default: a space. */
  readonly scopeSeparator?: ',' | undefined
  /** Where and how a token endpoint response has the granted scope. Default: RFC 6749 section 5.1. */
  readonly grantedScope?:
    | {
        /** Default: `'scope'`. */
        readonly member?: string | undefined
        /** Delimited by commas, or a JSON array. Default: delimited by spaces. */
        readonly form?: 'commas' | 'array' | undefined
      }
    | undefined
  /** Token requests are JSON objects, not forms. */
  readonly jsonRequests?: true | undefined
  /** Token endpoint responses can be forms (`application/x-www-form-urlencoded`). */
  readonly formResponses?: true | undefined
  /** What it calls tokens that are sent as `Bearer`, in lower case, beside `bearer`. */
  readonly tokenTypes?: readonly string[] | undefined
  /**
   * What its refusals of a token request mean: by member of the error response, by value. For
   * example `{ error: { bad_refresh_token: 'invalid_grant' } }`. A value that ends with `*` stands for
   * all that begin so.
   */
  readonly refusals?: Readonly<Record<string, Readonly<Record<string, TokenError>>>> | undefined
  /** How its profile endpoint (`userinfo_endpoint`) is asked, if it is none of OpenID Connect. */
  readonly profile?: ProfileDialect | undefined
}

/** See {@link Dialect.profile}. */
export interface ProfileDialect {
  /** Where the account's id is: names of members, joined by dots. `userInfo` gives it as `sub`. */
  readonly id: string
  /** A `POST` goes without a body. Default: `'GET'`. */
  readonly method?: 'POST' | undefined
  /** Headers beside `Accept`, `Authorization` and `User-Agent`. */
  readonly headers?: Readonly<Record<string, string>> | undefined
}

/**
 * An authorization server as data: `server: github()`. With `issuer` and without both endpoints it is
 * discovered; what is given beside the issuer completes what was discovered. Spread one to change it:
 * `server: { ...okta({ domain }), scope: [] }`. A copy that gets its tokens from another origin must not
 * go on sending them to the old one: its profile and revocation endpoints and API origins change with
 * it, or it gets a name of its own.
 */
export interface Preset extends Readonly<ServerMetadata> {
  /** Its name. */
  readonly preset: string
  /** How a client with a secret authenticates. Default: `'client_secret_basic'`. */
  readonly clientAuth?: 'client_secret_basic' | 'client_secret_post' | undefined
  /** Parameters of the authorization request; the app's own go over them. */
  readonly authorizationParams?: Readonly<Record<string, string>> | undefined
  /** Scope that is asked for beside the app's own: what makes it issue a refresh token. */
  readonly scope?: readonly string[] | undefined
  /** Origins of its APIs; the app's own are added. */
  readonly apiOrigins?: readonly string[] | undefined
  readonly dialect?: Dialect | undefined
  /** What it does not have, for those who read: nothing is done differently. */
  readonly without?: readonly ('pkce' | 'refresh' | 'revocation')[] | undefined
}
