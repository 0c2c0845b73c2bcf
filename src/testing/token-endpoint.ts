import { createHash } from 'node:crypto'
import { errorAnswer, jsonAnswer, type Answer } from './answer.ts'
import { authenticateClient } from './client-authentication.ts'
import type { Context, Endpoint } from './context.ts'
import type { JsonObject } from './faults.ts'
import type { Grant } from './grants.ts'
import type { AppliedFault } from './misbehaviours.ts'
import type { TestClient } from './options.ts'

/** Authorization codes and refresh tokens in, tokens out (RFC 6749 sections 4.1.3 and 6). */
export const tokenEndpoint: Endpoint = async function token(request, faults, context) {
  if (request.method !== 'POST')
    return errorAnswer('invalid_request', 'The token endpoint takes POST', 405)
  context.keepSecret(request.body.get('code_verifier'))
  const authentication = await authenticateClient(request, context)
  if ('refusal' in authentication) return authentication.refusal
  const { client } = authentication
  switch (request.body.get('grant_type')) {
    case 'authorization_code':
      return exchangeCode(request.body, client, faults, context)
    case 'refresh_token':
      return refresh(request.body, client, faults, context)
    default:
      return errorAnswer('unsupported_grant_type', 'authorization_code or refresh_token')
  }
}

async function exchangeCode(
  body: URLSearchParams,
  client: TestClient,
  faults: readonly AppliedFault[],
  context: Context,
): Promise<Answer> {
  const code = body.get('code') ?? ''
  const grant = context.grants.takeCode(code, client.clientId)
  if (!grant) return errorAnswer('invalid_grant', 'The code is unknown, used or expired')
  if (body.get('redirect_uri') !== grant.redirectUri)
    return errorAnswer('invalid_grant', 'redirect_uri is not the one of the authorization request')
  if (challengeOf(body.get('code_verifier') ?? '') !== grant.codeChallenge)
    return errorAnswer('invalid_grant', 'code_verifier does not match the code challenge')
  return respond({ grant, scope: grant.scope, client, faults, code }, context)
}

async function refresh(
  body: URLSearchParams,
  client: TestClient,
  faults: readonly AppliedFault[],
  context: Context,
): Promise<Answer> {
  const refreshToken = body.get('refresh_token') ?? ''
  const grant = context.grants.findRefreshToken(refreshToken, client.clientId)
  if (!grant) return errorAnswer('invalid_grant', 'The refresh token is unknown, used or revoked')
  const granted = grant.scope.split(' ')
  const scope = body.get('scope') ?? grant.scope
  if (!scope.split(' ').every((each) => granted.includes(each)))
    return errorAnswer('invalid_scope', 'More than was granted')
  context.grants.spendRefreshToken(refreshToken)
  return respond({ grant, scope, client, faults }, context)
}

function challengeOf(verifier: string): string {
  return createHash('sha256').update(verifier).digest('base64url')
}

interface TokensToIssue {
  readonly grant: Grant
  readonly scope: string
  readonly client: TestClient
  readonly faults: readonly AppliedFault[]
  readonly code?: string
}

async function respond(toIssue: TokensToIssue, context: Context): Promise<Answer> {
  const { grant, scope, faults, code } = toIssue
  const issued = context.grants.issue(grant, scope, code)
  context.keepSecret(issued.accessToken)
  context.keepSecret(issued.refreshToken)
  if (scope.split(' ').includes('openid')) {
    issued.idToken = await createIdToken(toIssue, context)
    context.keepSecret(issued.idToken)
  }
  let response: unknown = {
    access_token: issued.accessToken,
    token_type: 'Bearer',
    expires_in: Math.floor(issued.lifetime / 1000),
    refresh_token: issued.refreshToken,
    scope,
    id_token: issued.idToken,
  }
  for (const fault of faults)
    if (fault.tokenResponse) response = fault.tokenResponse({ ...(response as JsonObject) })
  return jsonAnswer(response)
}

function createIdToken(
  { grant, client, faults, code }: TokensToIssue,
  context: Context,
): Promise<string> {
  const now = Math.floor(context.clock.now() / 1000)
  const user = context.settings.users.find(({ sub }) => sub === grant.sub)
  return context.sign({
    claims: {
      ...user,
      iss: context.issuer,
      sub: grant.sub,
      aud: grant.clientId,
      exp: now + Math.floor(context.settings.idTokenLifetime / 1000),
      iat: now,
      auth_time: grant.authTime,
      sid: grant.sid,
      acr: grant.acr,
      // OpenID Connect Core section 12.2: after a refresh it "SHOULD NOT have a nonce Claim".
      nonce: code === undefined ? undefined : grant.nonce,
    },
    faults: faults.flatMap((fault) => fault.idToken ?? []),
    clientSecret: client.clientSecret,
  })
}
