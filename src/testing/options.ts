import type { JSONWebKeySet } from 'jose'
import type { SigningAlgorithm } from './signing-keys.ts'

/** How a client may prove who it is at the token and revocation endpoints. */
export type TestClientAuthMethod =
  | 'client_secret_basic'
  | 'client_secret_post'
  | 'none'
  | 'private_key_jwt'
  | 'tls_client_auth'

/** A client that the test authorization server knows. Without secret, keys and certificate: a public one. */
export interface TestClient {
  clientId: string
  /** Enables `client_secret_basic` and `client_secret_post`. */
  clientSecret?: string | undefined
  /** Allowed redirect URIs, compared as strings. Default: any absolute URL. */
  redirectUris?: readonly string[] | undefined
  /** Allowed post-logout redirect URIs, compared as strings. Default: any absolute URL. */
  postLogoutRedirectUris?: readonly string[] | undefined
  /** The only client authentication that is accepted. Default: whatever the other members make possible. */
  tokenEndpointAuthMethod?: TestClientAuthMethod | undefined
  /** Public keys for `private_key_jwt`. */
  jwks?: JSONWebKeySet | undefined
  /** Certificate for `tls_client_auth`: by common name if it chains to `tls.ca`, or by SHA-256 fingerprint. */
  certificate?: { commonName: string } | { fingerprint256: string } | undefined
  /** Space-delimited; what is requested beyond it is silently not granted. Default: all is granted. */
  scope?: string | undefined
}

/** A person with an account at the test authorization server. All members are claims. */
export interface TestUser {
  readonly sub: string
  readonly [claim: string]: unknown
}

/** Key and certificates in PEM, to serve over https. */
export interface TestServerTls {
  key: string
  cert: string
  /** Certificate authority of client certificates. */
  ca?: string | undefined
  /** Asks clients for a certificate; one that does not chain to `ca` still gets a connection. Default: `false`. */
  requestCert?: boolean | undefined
}

/** Options of `createTestAuthorizationServer`; each has a default. */
export interface TestAuthorizationServerOptions {
  /** Path of the issuer, e.g. `/realms/a`. Default: `''`. */
  issuerPath?: string | undefined
  /** Default: one, `test-client` with the secret `test-client-secret`. */
  clients?: readonly TestClient[] | undefined
  /** Default: `alice`, with some claims, and `bob`. The first is signed in. */
  users?: readonly TestUser[] | undefined
  /** Which well-known path answers: OpenID Connect Discovery, RFC 8414, or neither. Default: `'openid'`. */
  discovery?: 'openid' | 'oauth' | 'none' | undefined
  /** Merged over the published metadata; `undefined` removes a member. */
  metadata?: Readonly<Record<string, unknown>> | undefined
  /** `alg` of ID Tokens. Default: `'ES256'`. */
  signingAlgorithm?: SigningAlgorithm | undefined
  /** Milliseconds. Default: `3_600_000` (1 hour). */
  accessTokenLifetime?: number | undefined
  /** Milliseconds. Default: `Infinity`. A rotated one starts anew. */
  refreshTokenLifetime?: number | undefined
  /** Milliseconds of an authorization code. Default: `60_000` (1 minute). */
  codeLifetime?: number | undefined
  /** Milliseconds from `iat` to `exp`. Default: `300_000` (5 minutes). */
  idTokenLifetime?: number | undefined
  /** Length that access tokens are padded to, in bytes. Default: unpadded, 43. */
  tokenSize?: number | undefined
  /** A refresh brings a new refresh token and spends the old one. Default: `true`. */
  refreshTokenRotation?: boolean | undefined
  /** Default: plain http. */
  tls?: TestServerTls | undefined
  /** Sends `iss` in authorization responses and announces it (RFC 9207). Default: `true`. */
  announceIss?: boolean | undefined
  /** Keeps `requests`, `issued` and `secrets`. Default: `true`; `false` saves memory under load. */
  record?: boolean | undefined
}

/** The options with every default filled in. */
export interface Settings {
  readonly issuerPath: string
  readonly clients: readonly TestClient[]
  readonly users: readonly TestUser[]
  readonly discovery: 'openid' | 'oauth' | 'none'
  readonly metadata: Readonly<Record<string, unknown>>
  readonly signingAlgorithm: SigningAlgorithm
  readonly accessTokenLifetime: number
  readonly refreshTokenLifetime: number
  readonly codeLifetime: number
  readonly idTokenLifetime: number
  readonly tokenSize: number
  readonly refreshTokenRotation: boolean
  readonly tls: TestServerTls | undefined
  readonly announceIss: boolean
  readonly record: boolean
}

const defaultClients: readonly TestClient[] = [
  { clientId: 'test-client', clientSecret: 'test-client-secret' },
]

const defaultUsers: readonly TestUser[] = [
  { sub: 'alice', name: 'Alice Adams', email: 'alice@example.com', email_verified: true },
  { sub: 'bob', name: 'Bob Brown', email: 'bob@example.com', email_verified: true },
]

/** Fills in the defaults. Throws a `TypeError` for a misspelt option or an issuer path without leading slash. */
export function resolveOptions(options: TestAuthorizationServerOptions): Settings {
  const {
    issuerPath = '',
    clients = defaultClients,
    users = defaultUsers,
    discovery = 'openid',
    metadata = {},
    signingAlgorithm = 'ES256',
    accessTokenLifetime = 3_600_000,
    refreshTokenLifetime = Infinity,
    codeLifetime = 60_000,
    idTokenLifetime = 300_000,
    tokenSize = 0,
    refreshTokenRotation = true,
    tls,
    announceIss = true,
    record = true,
    ...unknown
  } = options
  for (const name of Object.keys(unknown)) throw new TypeError(`"${name}" is not an option`)
  if (issuerPath !== '' && !/^\/.*[^/]$/.test(issuerPath))
    throw new TypeError('"issuerPath" must start with a slash and not end with one')
  return {
    issuerPath,
    clients,
    users,
    discovery,
    metadata,
    signingAlgorithm,
    accessTokenLifetime,
    refreshTokenLifetime,
    codeLifetime,
    idTokenLifetime,
    tokenSize,
    refreshTokenRotation,
    tls,
    announceIss,
    record,
  }
}
