import type { JSONWebKeySet } from 'jose'
import type { TestServerEndpoint } from './endpoints.ts'
import type { RecordedRequest } from './recorded-request.ts'
import type { SigningAlgorithm } from './signing-keys.ts'

/** A JSON object on its way out. */
export type JsonObject = Record<string, unknown>

/** An answer in place of the usual one. */
export interface FaultyAnswer {
  /** Default: `200`. */
  status?: number
  /** Over the defaults, e.g. `retry-after`, `www-authenticate`, `location`, `content-type`. */
  headers?: Readonly<Record<string, string>>
  /** Raw text: HTML, invalid or truncated JSON... Sent as `text/html` unless `headers` say otherwise. */
  body?: string
  /** Any value, sent as JSON: an array, `null`, an error response... Wins over `body`. */
  json?: unknown
}

/** Faults of any endpoint. */
export interface TransportFaults {
  /** Waits so many milliseconds, or until the promise settles, then goes on as usual. */
  delay: number | Promise<unknown>
  /** Reads the request and never answers. */
  hang: true
  /** Destroys the connection: before the status line, or after half of the usual body. */
  reset: 'before-response' | 'mid-body'
  /** Sends the usual body one byte at a time, with so many milliseconds between. */
  drip: number
  /** Answers something else. */
  answer: FaultyAnswer
  /** Answers 200 and JSON of so many MiB. */
  huge: number
  /** Changes headers of the usual answer; `null` removes one. */
  headers: Readonly<Record<string, string | null>>
  /** Replaces the signing keys before the request is processed. */
  rotateKeys: { readonly keepKid?: boolean }
}

export interface DiscoveryFaults {
  /** Changes the published metadata. */
  metadata: (metadata: JsonObject) => unknown
}

export interface JwksFaults {
  /** Changes the published key set. */
  keySet: (keySet: JSONWebKeySet) => unknown
  /** Publishes so many further keys of the same algorithm that sign nothing. */
  decoyKeys: number
}

export interface AuthorizationFaults {
  /** Answers this error code in place of an authorization code. */
  authorizationError: string
  /** Changes the parameters of the authorization response in place, error responses included. */
  authorizationResponse: (parameters: URLSearchParams) => void
  /** Answers by this response mode, whatever was asked for. */
  responseMode: 'query' | 'form_post'
}

export interface PushedAuthorizationFaults {
  /** Changes a successful response. */
  pushedResponse: (response: JsonObject) => unknown
}

/** What to do to an ID Token; members can be combined. */
export interface IdTokenFault {
  /** Changes the claims. A claim set to `undefined` is left out. */
  claims?: (claims: JsonObject) => JsonObject
  /** Changes the JOSE header. A parameter set to `undefined` is left out. */
  header?: (header: JsonObject) => JsonObject
  /** Unsigned; by a key that is not published under the key id of one that is; by the client secret; without `kid`. */
  sign?: 'none' | 'wrong-key' | 'HS256' | 'no-kid'
  /** Signs with this algorithm, and a key that is published for it. */
  alg?: SigningAlgorithm
}

export interface TokenFaults {
  /** Changes a successful response; may return what is no object at all. */
  tokenResponse: (response: JsonObject) => unknown
  /** Spoils the ID Token. */
  idToken: IdTokenFault
}

export interface EndSessionFaults {
  /** Spoils the logout token that the client is sent, as an ID Token is spoilt. */
  logoutToken: IdTokenFault
  /** Changes the parameters in place with which the browser goes back to the client. */
  logoutResponse: (parameters: URLSearchParams) => void
}

export interface UserinfoFaults {
  /** Changes a successful response. */
  userinfo: (claims: JsonObject) => unknown
}

/** Exactly one member of `T`. */
type OneOf<T> = {
  [K in keyof T]: Pick<T, K> & Partial<Record<Exclude<keyof T, K>, never>>
}[keyof T]

/** @inline */
interface FaultsByEndpoint {
  discovery: OneOf<TransportFaults & DiscoveryFaults>
  jwks: OneOf<TransportFaults & JwksFaults>
  authorization: OneOf<TransportFaults & AuthorizationFaults>
  pushed_authorization: OneOf<TransportFaults & PushedAuthorizationFaults>
  token: OneOf<TransportFaults & TokenFaults>
  revocation: OneOf<TransportFaults>
  introspection: OneOf<TransportFaults>
  userinfo: OneOf<TransportFaults & UserinfoFaults>
  end_session: OneOf<TransportFaults & EndSessionFaults>
  other: OneOf<TransportFaults>
  any: OneOf<TransportFaults>
}

/** An endpoint, or all of them. */
export type FaultyEndpoint = TestServerEndpoint | 'any'

/** One fault of an endpoint: an object with exactly one member. */
export type Fault<Endpoint extends FaultyEndpoint = FaultyEndpoint> = FaultsByEndpoint[Endpoint]

/** When a misbehaviour shows. */
export interface MisbehaviourOptions {
  /** How many requests it applies to. Default: all, until stopped. */
  times?: number
  /** How many requests it lets pass before. Default: `0`. */
  after?: number
  /** Applies only to requests for which this returns `true`; others are not counted. */
  when?: (request: RecordedRequest) => boolean
  /**
   * With `delay`, `hang`, `reset`, `answer`, `huge`: the request takes effect (a code is spent, a token
   * rotated) though its answer is late or lost. Default: `false`, the request has no effect (before the
   * end of a delay).
   */
  processed?: boolean
}

/** A scripted misbehaviour as data. */
export type Misbehaviour = {
  [Endpoint in FaultyEndpoint]: {
    readonly endpoint: Endpoint
    readonly fault: Fault<Endpoint>
  } & MisbehaviourOptions
}[FaultyEndpoint]

/** A fault with every member optional: how endpoints look at it. */
export type AnyFault = Partial<
  TransportFaults &
    DiscoveryFaults &
    JwksFaults &
    AuthorizationFaults &
    PushedAuthorizationFaults &
    TokenFaults &
    EndSessionFaults &
    UserinfoFaults
>
