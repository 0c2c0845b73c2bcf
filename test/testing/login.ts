import { createHash, randomBytes } from 'node:crypto'
import type { TestAuthorizationServer } from '../../src/testing/index.ts'

export const redirectUri = 'http://localhost:8000/callback'

export interface Login {
  verifier: string
  state: string
  nonce: string
  /** The authorization response. */
  response: URLSearchParams
  code: string
}

/** The URL of an authorization request, and what it was made of; `changes` of `undefined` leave a parameter out. */
export function authorizationRequest(
  server: TestAuthorizationServer,
  changes: Record<string, string | undefined> = {},
) {
  const verifier = randomBytes(32).toString('base64url')
  const parameters: Record<string, string | undefined> = {
    client_id: server.clients[0]!.clientId,
    redirect_uri: redirectUri,
    response_type: 'code',
    scope: 'openid email',
    state: randomBytes(16).toString('base64url'),
    nonce: randomBytes(16).toString('base64url'),
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    ...changes,
  }
  const url = new URL(server.metadata.authorization_endpoint)
  for (const [name, value] of Object.entries(parameters))
    if (value !== undefined) url.searchParams.set(name, value)
  return { url, verifier, state: parameters.state ?? '', nonce: parameters.nonce ?? '' }
}

/** Gets a code, as a browser that follows the redirect would carry it. */
export async function authorize(
  server: TestAuthorizationServer,
  changes: Record<string, string | undefined> = {},
): Promise<Login> {
  const { url, ...rest } = authorizationRequest(server, changes)
  const redirect = await fetch(url, { redirect: 'manual' })
  const response = new URL(redirect.headers.get('location') ?? 'none:').searchParams
  return { ...rest, response, code: response.get('code') ?? '' }
}

export type TokenResponse = Record<string, unknown> & {
  access_token: string
  refresh_token: string
  id_token: string
}

/** A request to the token endpoint by the default client. */
export function tokenRequest(
  server: TestAuthorizationServer,
  body: Record<string, string>,
  init: RequestInit = {},
): Promise<Response> {
  return fetch(server.metadata.token_endpoint, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa('test-client:test-client-secret')}` },
    body: new URLSearchParams(body),
    ...init,
  })
}

export function codeExchange({ code, verifier }: Login): Record<string, string> {
  return {
    grant_type: 'authorization_code',
    code,
    redirect_uri: redirectUri,
    code_verifier: verifier,
  }
}

export function refreshRequest(refreshToken: string): Record<string, string> {
  return { grant_type: 'refresh_token', refresh_token: refreshToken }
}

/** Status and JSON of a response, to be compared in one go. */
export async function outcome(response: Promise<Response>) {
  const { status, body } = await answer(response)
  return { status, error: body.error }
}

export async function answer(response: Promise<Response>) {
  const settled = await response
  return { status: settled.status, body: (await settled.json()) as TokenResponse }
}

/** A whole login. */
export async function logIn(
  server: TestAuthorizationServer,
  changes: Record<string, string | undefined> = {},
) {
  const login = await authorize(server, changes)
  const { body } = await answer(tokenRequest(server, codeExchange(login)))
  return { ...login, tokens: body }
}

export function userinfo(server: TestAuthorizationServer, accessToken: string): Promise<Response> {
  return fetch(server.metadata.userinfo_endpoint, {
    headers: { authorization: `Bearer ${accessToken}` },
  })
}
