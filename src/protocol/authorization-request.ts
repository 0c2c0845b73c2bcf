import { createHash, randomBytes } from 'node:crypto'
import type { KnownServer } from './known-server.ts'

/** What a browser is sent to the authorization server with (RFC 6749 section 4.1.1). */
export interface AuthorizationRequest {
  clientId: string
  redirectUri: string
  scope: readonly string[]
  responseMode: 'query' | 'form_post'
  /** Parameters of the app's own. */
  parameters: Readonly<Record<string, string>>
  secrets: AuthorizationSecrets
}

/** Made anew for each authorization request. */
export interface AuthorizationSecrets {
  /** Opaque, 256 bits: binds the answer to its request. */
  state: string
  /** RFC 7636 section 4.1, 43 characters. */
  codeVerifier: string
  /** OpenID Connect Core section 3.1.2.1: binds the ID Token to its request. */
  nonce: string
}

/** base64url of 256 bits, 43 characters: survives decoding twice, and fits a code verifier. */
export function createSecret(): string {
  return randomBytes(32).toString('base64url')
}

export function createAuthorizationSecrets(): AuthorizationSecrets {
  // Of one draw: asking for random bytes costs more than the bytes do.
  const random = randomBytes(3 * 32)
  const secret = (index: number) => random.toString('base64url', index * 32, (index + 1) * 32)
  return { state: secret(0), codeVerifier: secret(1), nonce: secret(2) }
}

/**
 * A nonce for who can keep no third secret: bound to the request as its code verifier is, and as
 * little a way back to that as the code challenge.
 */
export function buildNonce(codeVerifier: string): string {
  // The space, which no verifier has, keeps this apart from every code challenge.
  return createHash('sha256').update(`nonce ${codeVerifier}`).digest('base64url')
}

/** `code_challenge` by S256 (RFC 7636 section 4.2). */
export function buildCodeChallenge(codeVerifier: string): string {
  return createHash('sha256').update(codeVerifier).digest('base64url')
}

/** The parameters of this request. */
export function authorizationParameters(
  server: KnownServer,
  request: AuthorizationRequest,
): Record<string, string> {
  const { state, codeVerifier, nonce } = request.secrets
  const { scopeSeparator = ' ' } = server.dialect
  return {
    ...request.parameters,
    response_type: 'code',
    client_id: request.clientId,
    redirect_uri: request.redirectUri,
    state,
    code_challenge: buildCodeChallenge(codeVerifier),
    code_challenge_method: 'S256',
    ...(request.scope.length > 0 && { scope: request.scope.join(scopeSeparator) }),
    ...(request.scope.includes('openid') && { nonce }),
    ...(request.responseMode === 'form_post' && { response_mode: 'form_post' }),
  }
}

/** The URL at the authorization endpoint for this request, none of which was pushed. */
export function buildAuthorizationUrl(server: KnownServer, request: AuthorizationRequest): string {
  return authorizationUrl(server, authorizationParameters(server, request))
}

/** The authorization endpoint with these parameters. */
export function authorizationUrl(server: KnownServer, own: Record<string, string>): string {
  // RFC 6749 section 3.1: the endpoint may have a query of its own, which stays; ours goes over it.
  const { authorization_endpoint: endpoint } = server.metadata
  const queryAt = endpoint.includes('?') ? endpoint.indexOf('?') : endpoint.length
  const parameters = new URLSearchParams(endpoint.slice(queryAt))
  for (const [name, value] of Object.entries(own)) parameters.set(name, value)
  return `${endpoint.slice(0, queryAt)}?${parameters.toString()}`
}
