/**
 * What `diagnose` can find, to branch on. Renaming one is a breaking change; new ones come.
 *
 * About the request that it is given:
 * - `session_missing`: it came by no express-session.
 * - `insecure_cookie`: a `secure` session cookie, and plain http.
 * - `trust_proxy_missing`: a proxy says that the browser is on https, and Express does not listen.
 * - `https_hidden`: the browser is on https, and the proxy does not say so.
 * - `same_site_none`: a session cookie `SameSite=None` without `Secure`, which browsers drop.
 * - `cookie_domain`, `cookie_path`: the session cookie is not for where `redirectUri` leads.
 * - `cookie_in_frame`: the page is in a frame of another site, where the session cookie is not sent.
 * - `other_origin`: the app is open at another origin than `redirectUri`'s.
 * - `host_hidden`: the proxy does not pass on which host the browser asked.
 * - `callback_misplaced`: the router is mounted where it never sees the callback.
 * - `base_path_missing`: a proxy strips a prefix, and the option `basePath` does not say so.
 * - `memory_store`: sessions or tokens are kept in memory in production.
 *
 * About the options, the process and the authorization server:
 * - `store_not_shared`: one of several processes, and a store that is its own.
 * - `lock_missing`: a store that processes may share, and no `lock`.
 * - `server_unavailable`: the authorization server does not answer.
 * - `server_unusable`: its answer cannot be used.
 * - `s256_missing`: it announces challenge methods without S256.
 * - `clock_skew`: its clock and ours differ by more than `clockTolerance`.
 */
export type FindingCode =
  | 'session_missing'
  | 'insecure_cookie'
  | 'trust_proxy_missing'
  | 'https_hidden'
  | 'same_site_none'
  | 'cookie_domain'
  | 'cookie_path'
  | 'cookie_in_frame'
  | 'other_origin'
  | 'host_hidden'
  | 'callback_misplaced'
  | 'base_path_missing'
  | 'memory_store'
  | 'store_not_shared'
  | 'lock_missing'
  | 'server_unavailable'
  | 'server_unusable'
  | 's256_missing'
  | 'clock_skew'

/** Something in an app's set-up that breaks logins, or will. Plain data, without any secret. */
export interface Finding {
  /** What it is, to branch on. */
  readonly code: FindingCode
  /** Name of the flow. */
  readonly flow: string
  /** Where it is to be put right: `'server'` is the authorization server, `'clock'` one of the two. */
  readonly atFault: 'app' | 'proxy' | 'server' | 'clock'
  /** What was seen, and what comes of it. */
  readonly message: string
  /** What to do about it. */
  readonly remedy: string
  /**
   * Where this package's guides say more, as a path and heading of its repository:
   * `docs/locks.md#several-processes`.
   */
  readonly guide: string
}

/** What a check finds: whose flow it is, all of them know. */
export type Found = Omit<Finding, 'flow'>
