import type { IdTokenFault, JsonObject, Misbehaviour } from './faults.ts'
import type { TestAuthorizationServerOptions } from './options.ts'

/** A module of the OpenID conformance suite for relying parties, as this server plays it. */
export interface ConformanceModule {
  /** What the server must be made with. */
  readonly options: TestAuthorizationServerOptions
  /** For `misbehave`. */
  readonly misbehaviours: readonly Misbehaviour[]
  /** What a login must come to; `userinfo-rejected`: it succeeds, then the userinfo response is refused. */
  readonly outcome: 'accepted' | 'rejected' | 'either' | 'userinfo-rejected'
}

const rs256: TestAuthorizationServerOptions = { signingAlgorithm: 'RS256' }

const spoilt = (...faults: IdTokenFault[]): Misbehaviour[] =>
  faults.map((idToken) => ({ endpoint: 'token', fault: { idToken } }))

const without = (name: string): IdTokenFault => ({
  claims: (claims) => ({ ...claims, [name]: undefined }),
})

const changed = (change: (claims: JsonObject) => JsonObject): IdTokenFault => ({
  claims: (claims) => ({ ...claims, ...change(claims) }),
})

const accepted = (...misbehaviours: Misbehaviour[]): ConformanceModule => ({
  options: {},
  misbehaviours,
  outcome: 'accepted',
})

const rejected = (...misbehaviours: Misbehaviour[]): ConformanceModule => ({
  options: {},
  misbehaviours,
  outcome: 'rejected',
})

const unsigned: ConformanceModule = {
  options: { metadata: { id_token_signing_alg_values_supported: ['ES256', 'none'] } },
  misbehaviours: spoilt({ sign: 'none' }),
  outcome: 'either',
}

const modules = {
  'oidcc-client-test': accepted(),
  'oidcc-client-test-invalid-iss': rejected(
    ...spoilt(changed(({ iss }) => ({ iss: `${String(iss)}1` }))),
  ),
  'oidcc-client-test-missing-sub': rejected(...spoilt(without('sub'))),
  'oidcc-client-test-invalid-aud': rejected(
    ...spoilt(changed(({ aud }) => ({ aud: `${String(aud)}1` }))),
  ),
  'oidcc-client-test-missing-iat': rejected(...spoilt(without('iat'))),
  'oidcc-client-test-kid-absent-single-jwks': accepted(...spoilt({ sign: 'no-kid' })),
  'oidcc-client-test-kid-absent-multiple-jwks': {
    options: {},
    misbehaviours: [...spoilt({ sign: 'no-kid' }), { endpoint: 'jwks', fault: { decoyKeys: 2 } }],
    outcome: 'either',
  },
  'oidcc-client-test-idtoken-sig-rs256': { ...accepted(), options: rs256 },
  'oidcc-client-test-idtoken-sig-none': unsigned,
  'oidcc-client-test-invalid-sig-rs256': {
    ...rejected(...spoilt({ sign: 'wrong-key' })),
    options: rs256,
  },
  'oidcc-client-test-userinfo-invalid-sub': {
    options: {},
    misbehaviours: [
      {
        endpoint: 'userinfo',
        fault: { userinfo: (claims) => ({ ...claims, sub: `${String(claims.sub)}1` }) },
      },
    ],
    outcome: 'userinfo-rejected',
  },
  'oidcc-client-test-nonce-invalid': rejected(
    ...spoilt(changed(({ nonce }) => ({ nonce: `${String(nonce)}1` }))),
  ),
  'oidcc-client-test-scope-userinfo-claims': accepted(),
  'oidcc-client-test-client-secret-basic': {
    options: {
      clients: [
        {
          clientId: 'test-client',
          clientSecret: 'test-client-secret',
          tokenEndpointAuthMethod: 'client_secret_basic',
        },
      ],
    },
    misbehaviours: [],
    outcome: 'accepted',
  },
  'oidcc-client-test-discovery-openid-config': accepted(),
  'oidcc-client-test-discovery-jwks-uri-keys': accepted({
    endpoint: 'discovery',
    fault: {
      metadata: (metadata) => ({
        ...metadata,
        jwks_uri: `${String(metadata.jwks_uri)}/${Math.random().toString(36).slice(2)}`,
      }),
    },
  }),
  'oidcc-client-test-discovery-issuer-mismatch': rejected({
    endpoint: 'discovery',
    fault: { metadata: (metadata) => ({ ...metadata, issuer: `${String(metadata.issuer)}1` }) },
  }),
  'oidcc-client-test-signing-key-rotation-just-before-signing': accepted({
    endpoint: 'token',
    fault: { rotateKeys: {} },
    times: 1,
  }),
  'oidcc-client-test-signing-key-rotation': accepted({
    endpoint: 'authorization',
    fault: { rotateKeys: {} },
    after: 1,
    times: 1,
  }),
} satisfies Record<string, ConformanceModule>

/** Name of a module in `conformance`. */
export type ConformanceModuleName = keyof typeof modules

/**
 * The modules of the Basic and Config certification plans for relying parties with the code flow, by
 * their names. The suite signs everything with RS256; here only the modules that are about it do, since
 * making RSA keys takes a while.
 * @see https://openid.net/certification/connect_rp_testing/
 */
export const conformance: Readonly<Record<ConformanceModuleName, ConformanceModule>> = modules
