import { json, type AnsweringServer, type Answers } from './answering-server.ts'
import { createSigner, type Signer } from './signer.ts'

/** An issuer that does everything right, until a test changes one of its answers. */
export interface GoodServer {
  readonly issuer: string
  readonly signer: Signer
  readonly answers: Answers
  /** Metadata as published. */
  readonly metadata: Readonly<Record<string, unknown>>
  /** Claims of a valid ID Token. */
  claims(nonce?: string): Record<string, unknown>
  /** Signs them. */
  idToken(claims: Record<string, unknown>): string
  close(): void
}

/** A code that brings an ID Token with this nonce. */
export function codeFor(nonce: string, sub = 'alice'): string {
  return `code-${nonce}.${sub}`
}

/** Opens one. Any code and any refresh token brings tokens of whom it names, or `alice`. */
export function openGoodServer(
  server: AnsweringServer,
  signer = createSigner('key-1'),
): GoodServer {
  let issued = 0
  const answers: Answers = {}
  const { issuer, close } = server.open(answers)
  const metadata = {
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    userinfo_endpoint: `${issuer}/userinfo`,
    revocation_endpoint: `${issuer}/revoke`,
    jwks_uri: `${issuer}/jwks`,
    code_challenge_methods_supported: ['S256'],
    id_token_signing_alg_values_supported: ['ES256'],
  }
  const good: GoodServer = {
    issuer,
    signer,
    answers,
    metadata,
    claims(nonce) {
      const now = Math.floor(Date.now() / 1000)
      const times = { iat: now, exp: now + 86_400, auth_time: now }
      return { iss: issuer, sub: 'alice', aud: 'test-client', ...times, nonce }
    },
    idToken: (claims) =>
      signer.sign(JSON.stringify({ alg: 'ES256', kid: 'key-1' }), JSON.stringify(claims)),
    close,
  }
  const discovery = () => json(metadata)
  Object.assign(answers, {
    'openid-configuration': discovery,
    'oauth-authorization-server': discovery,
    jwks: () => json({ keys: [signer.jwk] }),
    token({ body }) {
      const asked = new URLSearchParams(body)
      const said = asked.get('code') ?? asked.get('refresh_token') ?? ''
      const [, nonce = '', sub = 'alice'] = /^[\w-]+?-(.*)\.(.*)$/.exec(said) ?? []
      issued += 1
      return json({
        access_token: `good-access-token-${issued}.${sub}`,
        refresh_token: `good-refresh-token-${issued}.${sub}`,
        token_type: 'Bearer',
        expires_in: 86_400,
        // OpenID Connect Core section 12.2: of a refresh it says no other time of the login.
        id_token: good.idToken({
          ...good.claims(asked.has('code') ? nonce : undefined),
          ...(!asked.has('code') && { auth_time: undefined }),
          sub,
        }),
      })
    },
    userinfo: ({ authorization = '' }) =>
      json({ sub: authorization.split('.')[1] ?? 'alice', name: 'Somebody' }),
    revoke: () => json({}),
  } satisfies Answers)
  return good
}
