import { createAuthorizationServer } from '../../src/protocol/authorization-server.ts'
import {
  buildAuthorizationUrl,
  createAuthorizationSecrets,
} from '../../src/protocol/authorization-request.ts'
import type { AuthorizationServerSettings, KnownServer } from '../../src/protocol/known-server.ts'
import { exchangeCode, type ValidatedTokens } from '../../src/protocol/token-request.ts'
import type { TokenRefresh } from '../../src/protocol/token-refresh.ts'
import { createTransport } from '../../src/protocol/transport.ts'
import type { TestAuthorizationServer } from '../../src/testing/index.ts'

const clientId = 'test-client'
const redirectUri = 'http://127.0.0.1:8000/callback'

/** The authorization server as the protocol knows it, without an app. */
export function know(
  server: TestAuthorizationServer,
  settings: Partial<AuthorizationServerSettings> = {},
): Promise<KnownServer> {
  return createAuthorizationServer(
    {
      issuer: server.issuer,
      server: {},
      clientId,
      clientSecret: 'test-client-secret',
      clientAuth: 'client_secret_basic',
      timeout: 1_000,
      ...settings,
    },
    createTransport(1_000, undefined),
  )()
}

/** A login without an app or a browser. */
export async function logInDirectly(
  known: KnownServer,
  scope: readonly string[] = ['openid', 'read', 'write'],
): Promise<ValidatedTokens> {
  const secrets = createAuthorizationSecrets()
  const request = { clientId, redirectUri, scope, parameters: {}, secrets }
  const url = buildAuthorizationUrl(known, { ...request, responseMode: 'query' })
  const { headers } = await fetch(url, { redirect: 'manual' })
  const code = new URL(headers.get('location')!).searchParams.get('code')!
  return exchangeCode(known, {
    ...{ code, clientId, redirectUri, ...secrets },
    openid: scope.includes('openid'),
    maxAge: undefined,
    clockTolerance: 30_000,
  })
}

/** What is sent to refresh the tokens of a login. */
export function refreshOf(tokens: ValidatedTokens): TokenRefresh {
  const { refreshToken, idToken, scope, refreshExpiresAt } = tokens
  return {
    clientId,
    clockTolerance: 30_000,
    refreshToken: refreshToken!,
    refreshExpiresAt,
    idToken,
    scope: scope!,
  }
}
