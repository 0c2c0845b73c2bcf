/**
 * A fast authorization server in a process of its own, so that it never counts into what an app
 * costs. Everybody is signed in here already (the `subject` cookie says who) and consents at once.
 * It checks what a real one checks, so that an app cannot win by leaving something out.
 *
 * To every message on the IPC channel it answers how many bytes its last token endpoint response had.
 */
import { createHash, generateKeyPairSync, randomBytes, sign, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ChildMessage } from './child-process.ts'
import { registration, subjectCookie, tokenLength } from './registration.ts'

interface Grant {
  subject: string
  nonce: string | undefined
  codeChallenge: string
  redirectUri: string
}

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const keyId = 'bench-key'
const grants = new Map<string, Grant>()
let lastTokenResponse = ''
const server = createServer(answer)
server.keepAliveTimeout = 120_000
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

const metadata = JSON.stringify({
  issuer,
  authorization_endpoint: `${issuer}/authorize`,
  token_endpoint: `${issuer}/token`,
  jwks_uri: `${issuer}/jwks`,
  // Nobody asks it; Auth.js does not start without one.
  userinfo_endpoint: `${issuer}/userinfo`,
  response_types_supported: ['code'],
  response_modes_supported: ['query'],
  grant_types_supported: ['authorization_code', 'refresh_token'],
  subject_types_supported: ['public'],
  scopes_supported: ['openid'],
  id_token_signing_alg_values_supported: ['ES256'],
  token_endpoint_auth_methods_supported: ['client_secret_basic'],
  code_challenge_methods_supported: ['S256'],
  authorization_response_iss_parameter_supported: true,
})
const keySet = JSON.stringify({
  keys: [{ ...publicKey.export({ format: 'jwk' }), kid: keyId, use: 'sig', alg: 'ES256' }],
})
const idTokenHeader = encodeSegment({ alg: 'ES256', typ: 'JWT', kid: keyId })
const basicCredentials = Buffer.from(`${registration.clientId}:${registration.clientSecret}`)

process.on('message', () => {
  tell({ answer: Buffer.byteLength(lastTokenResponse) })
})
process.on('disconnect', () => process.exit())
tell({ origin: issuer })

function tell(message: ChildMessage): void {
  process.send?.(message)
}

function answer(req: IncomingMessage, res: ServerResponse): void {
  const url = new URL(req.url ?? '/', issuer)
  const route = `${req.method ?? ''} ${url.pathname}`
  if (route === 'GET /authorize') authorize(req, url.searchParams, res)
  else if (route === 'POST /token') receiveTokenRequest(req, res)
  else if (route === 'GET /.well-known/openid-configuration') sendJson(res, 200, metadata)
  else if (route === 'GET /jwks') sendJson(res, 200, keySet)
  else sendJson(res, 404, JSON.stringify({ error: 'not_found' }))
}

function authorize(req: IncomingMessage, request: URLSearchParams, res: ServerResponse): void {
  const expected = {
    response_type: 'code',
    code_challenge_method: 'S256',
    client_id: registration.clientId,
    scope: registration.scope,
  }
  const wrong = Object.entries(expected).find(([name, value]) => request.get(name) !== value)
  if (wrong !== undefined) {
    refuse(res, `authorization request: ${wrong[0]}`)
    return
  }

  const subject = new RegExp(`(?:^|; )${subjectCookie}=([^;]+)`).exec(req.headers.cookie ?? '')?.[1]
  const [state, nonce, codeChallenge, redirectUri] = [
    request.get('state'),
    request.get('nonce'),
    request.get('code_challenge'),
    request.get('redirect_uri'),
  ]
  if (!subject || !codeChallenge || !redirectUri) {
    refuse(res, 'authorization request: a parameter or the subject cookie is missing')
    return
  }

  const code = randomBytes(24).toString('base64url')
  grants.set(code, { subject, nonce: nonce ?? undefined, codeChallenge, redirectUri })
  const response = new URLSearchParams({ code, ...(state && { state }), iss: issuer })
  res.writeHead(302, { location: `${redirectUri}?${response.toString()}` }).end()
}

function receiveTokenRequest(req: IncomingMessage, res: ServerResponse): void {
  const chunks: Buffer[] = []
  req.on('data', (chunk: Buffer) => chunks.push(chunk))
  req.on('end', () =>
    answerTokenRequest(req, new URLSearchParams(Buffer.concat(chunks).toString('utf8')), res),
  )
}

function answerTokenRequest(
  req: IncomingMessage,
  request: URLSearchParams,
  res: ServerResponse,
): void {
  const code = request.get('code') ?? ''
  const grant = grants.get(code)
  grants.delete(code)
  const challenge = createHash('sha256').update(request.get('code_verifier') ?? '')
  if (!isClientAuthenticated(req)) refuse(res, 'token request: client authentication')
  else if (
    grant === undefined ||
    request.get('grant_type') !== 'authorization_code' ||
    request.get('redirect_uri') !== grant.redirectUri ||
    challenge.digest('base64url') !== grant.codeChallenge
  )
    refuse(res, 'token request: grant')
  else {
    lastTokenResponse = JSON.stringify(createTokenEndpointResponse(grant))
    sendJson(res, 200, lastTokenResponse)
  }
}

function isClientAuthenticated(req: IncomingMessage): boolean {
  const [scheme, encoded = ''] = (req.headers.authorization ?? '').split(' ')
  // RFC 6749 section 2.3.1: both parts are form-encoded first, which openid-client does to more
  // characters than it must.
  const given = Buffer.from(decodeURIComponent(Buffer.from(encoded, 'base64').toString('utf8')))
  return (
    scheme?.toLowerCase() === 'basic' &&
    given.length === basicCredentials.length &&
    timingSafeEqual(given, basicCredentials)
  )
}

function createTokenEndpointResponse({ subject, nonce }: Grant): Record<string, unknown> {
  const now = Math.floor(Date.now() / 1_000)
  return {
    access_token: createOpaqueToken(tokenLength.access),
    token_type: 'Bearer',
    expires_in: 3_600,
    scope: registration.scope,
    refresh_token: createOpaqueToken(tokenLength.refresh),
    id_token: createIdToken({
      iss: issuer,
      sub: subject,
      aud: registration.clientId,
      iat: now,
      exp: now + 3_600,
      auth_time: now,
      nonce,
      sid: randomBytes(16).toString('base64url'),
      name: 'Ada Byron',
      preferred_username: subject,
      email: `${subject}@users.example`,
      email_verified: true,
    }),
  }
}

function createOpaqueToken(length: number): string {
  return randomBytes(length).toString('base64url').slice(0, length)
}

function createIdToken(claims: Record<string, unknown>): string {
  const signed = `${idTokenHeader}.${encodeSegment(claims)}`
  const signature = sign('sha256', Buffer.from(signed), {
    key: privateKey,
    dsaEncoding: 'ieee-p1363',
  })
  return `${signed}.${signature.toString('base64url')}`
}

function encodeSegment(value: Record<string, unknown>): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

function refuse(res: ServerResponse, reason: string): void {
  sendJson(res, 400, JSON.stringify({ error: 'invalid_request', error_description: reason }))
}

function sendJson(res: ServerResponse, status: number, body: string): void {
  res
    .writeHead(status, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'cache-control': 'no-store',
    })
    .end(body)
}
