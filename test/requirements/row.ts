import type { SessionOptions } from 'express-session'
import type { PkceFlowErrorCode, PkceFlowOptions } from '../../src/index.ts'
import type {
  Misbehaviour,
  TestAuthorizationServerOptions,
  TestServerEndpoint,
} from '../../src/testing/index.ts'
import type { Step } from './step.ts'

/** A row of what is required, or one of its cases: a set-up, what happens, what must come of it. */
export interface Row {
  /** As in the document: `D-31`, `C-05`, `A1 oidcc-client-test-invalid-aud`. Cases share it. */
  id: string
  title: string
  /** The app. Default: the flow with `issuer` and a secret, on a session of express-session's defaults. */
  app?: AppSetUp
  /** The authorization server. Default: the test server's defaults. */
  server?: TestAuthorizationServerOptions
  /** What it does wrong from the beginning, as data. */
  misbehaviours?: readonly Misbehaviour[]
  /** Who the browser is signed in as before; one test each. Default: see {@link beforeOf}. */
  before?: readonly Before[]
  /** What happens. The expectations are about the last answer, and about what is there afterwards. */
  steps: readonly Step[]
  expect: Expectation
  /** It takes a second or more: run at the same time as the others of its kind. */
  slow?: true
}

export type Before = 'nobody' | 'bob'

/** A row about options: `pkceFlow` refuses them. */
export interface OptionRow {
  id: string
  title: string
  /** Over an otherwise good set of options; `undefined` members stay. */
  options: Record<string, unknown>
  /** The option that the error must name. */
  refused: string
}

export interface AppSetUp {
  flow?: Partial<Record<keyof PkceFlowOptions, unknown>>
  session?: Partial<SessionOptions>
  /** Behind a proxy that ends TLS: the browser and redirectUri use https. */
  tlsProxy?: boolean
  /** `app.set('trust proxy', 1)`. */
  trustProxy?: true
  /** The app parses form bodies before the flow sees them. */
  parser?: 'simple' | 'extended' | 'text' | 'raw'
  /** Express's setting `query parser`. */
  queryParser?: 'extended' | 'simple'
  /** The server by its root URL, no `openid`: nothing says who the person is. */
  plainOAuth?: true
  /** The server by its metadata, without discovery. */
  serverByHand?: true
  /** Options of another flow, at an authorization server of its own: `/second/login`, `/second/callback`. */
  secondFlow?: Partial<Record<keyof PkceFlowOptions, unknown>>
  /** The server tells the app of logouts: by logout tokens, and in frames. */
  tellsLogouts?: 'by tokens' | 'in frames, too'
  /** Another app, with a flow of its own that is the same, shares the store: steps with `app: 2`. */
  apps?: 2
}

/** What must come of it. What is left out is not looked at, but for the rules of every answer. */
export interface Expectation {
  /** HTTP status of the last answer. */
  status: number
  /** Code of the error at the app's error handler. `'app'`: an error that is not of this package. */
  code?: PkceFlowErrorCode | 'app'
  /** Where the browser ends up: a path of the app, or a URL elsewhere. */
  arrives?: string
  /** The pending login of the tab `main` afterwards, told by sending its real answer. */
  pending?: 'kept' | 'consumed'
  /**
   * Who is signed in afterwards. `'as before'`: the same person with the same token, session and
   * session data. No session of the store that is not a browser's own is ever signed in.
   */
  signedIn: 'alice' | 'bob' | 'nobody' | 'as before'
  /** Who is signed in through the second flow. */
  signedInAtSecond?: 'alice'
  /** Who is signed in in other browsers. */
  elsewhere?: Readonly<Record<string, 'alice' | 'bob' | 'nobody'>>
  /** Refresh tokens of logins before that are in a record in which somebody is signed in. */
  keptRefreshTokens?: number
  /** The session that was made lives on although no browser has its cookie any more. */
  lostSession?: true
  /** What the session holds of what the app had put there before. */
  sessionData?: 'kept' | 'gone'
  /**
   * What became of the tokens of who was signed in before: with `signedIn: 'as before'`, which leaves
   * the token out then. `'kept'`: the newest refresh token is stored; `'refreshed'`: the newest access
   * token, too, and it is what handlers get.
   */
  tokens?: 'kept' | 'refreshed' | 'ended'
  /** Nothing that is secret can be read in the store. */
  sealed?: true
  /** Requests at the token endpoint. */
  tokenRequests: number
  /** All tokens handed out in this row are revoked, or none. */
  revoked?: 'all' | 'none' | 'not looked at'
  /** Requests at other endpoints. */
  requests?: Partial<Record<TestServerEndpoint, number>>
  /** Some parameters of the last authorization request or token request; `null`: not there. */
  authorizationRequest?: ExpectedParameters
  tokenRequest?: ExpectedParameters
  /** Of the last pushed authorization request. */
  pushedRequest?: ExpectedParameters
  /** Names of all parameters of the last authorization request. */
  carried?: readonly string[]
  /** How many pending logins are stored. */
  stored?: number
  /** Some headers of the last answer; `null`: not there. */
  headers?: Readonly<Record<string, string | RegExp | null>>
  /** What the app answered to the logout tokens of this row. */
  logoutAnswers?: readonly number[]
  /** Some parameters of the last logout request; `null`: not there. */
  logoutRequest?: ExpectedParameters
  /** How the last answer sends the browser on. */
  sentBy?: 'redirect' | 'page'
  /** Whether the last answer sets or clears the session's cookie. Default: not looked at. */
  setsSession?: boolean
  /** Every `Set-Cookie` of the last answer that is about a pending login. */
  bindingCookie?: RegExp
  /** Members of the error. */
  retryAfter?: number | 'some'
  oauthError?: string | undefined
  message?: RegExp
  /** What the error offers: a path. */
  loginUrl?: string
  /** When the access token ends. */
  expires?: 'unknown' | 'in an hour' | 'in a year' | 'already'
  scope?: readonly string[]
  /** Members of the last answer's body, which is JSON. */
  body?: Readonly<Record<string, unknown>>
}

export type ExpectedParameters = Readonly<Record<string, string | RegExp | null>>

/** Rows that must change nothing are run for a stranger and for somebody who is signed in. */
export function beforeOf({ before, expect }: Row): readonly Before[] {
  return before ?? (expect.signedIn === 'as before' ? ['nobody', 'bob'] : ['nobody'])
}

/** Refused, and no token request made. */
export function refused(
  status: number,
  code: PkceFlowErrorCode,
): Expectation & { code: PkceFlowErrorCode } {
  return { status, code, signedIn: 'as before', tokenRequests: 0 }
}

/** Somebody is signed in and stays so. */
export function stillSignedIn(
  status: number,
  tokens: NonNullable<Expectation['tokens']>,
  tokenRequests = 1,
): Expectation {
  return { status, tokens, tokenRequests, signedIn: 'as before' }
}

/** Refused after the token request; what it brought is revoked. */
export function failed(
  status: number,
  code: PkceFlowErrorCode,
): Expectation & { code: PkceFlowErrorCode } {
  return {
    status,
    code,
    signedIn: 'as before',
    tokenRequests: 1,
    pending: 'consumed',
    revoked: 'all',
  }
}

/** Signed in, and sent where the login was to lead. */
export function arrived(arrives = '/here?x=1'): Expectation & { arrives: string } {
  return { status: 302, arrives, signedIn: 'alice', tokenRequests: 1, revoked: 'none' }
}

/** Not an answer that a server could have sent: 400, and nothing is used up. */
export const unreadable = { ...refused(400, 'invalid_callback'), pending: 'kept' } as const

/** `form_post` needs https. */
export const formPost = { tlsProxy: true, flow: { responseMode: 'form_post' } } as const

/** Every call to the authorization server is given up after a second. */
export const impatient = { flow: { timeout: 1_000 } } as const
