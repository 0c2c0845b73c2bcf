import { createLocalJWKSet, decodeJwt, jwtVerify } from 'jose'
import { errorAnswer, type Answer } from './answer.ts'
import type { Context } from './context.ts'
import type { TestClient, TestClientAuthMethod } from './options.ts'
import type { RecordedRequest } from './recorded-request.ts'

const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

interface Credentials {
  readonly clientId: string
  /** Any of these may prove the client. */
  readonly methods: readonly TestClientAuthMethod[]
  /** In HTTP Basic the id and the secret as they came, form-encoded. */
  readonly secret?: string
  readonly assertion?: string
}

/** The client that the request comes from, or the refusal (RFC 6749 section 2.3). */
export async function authenticateClient(
  request: RecordedRequest,
  context: Context,
): Promise<{ client: TestClient } | { refusal: Answer }> {
  context.keepSecret(request.body.get('client_assertion'))
  context.keepSecret(basicCredentials(request))
  const credentials = readCredentials(request)
  const client = context.settings.clients.find(({ clientId }) => credentials?.clientId === clientId)
  if (credentials && client) {
    const method = client.tokenEndpointAuthMethod
    const tried = credentials.methods.filter((each) => method === undefined || each === method)
    for (const each of tried)
      if (await isProven(each, credentials, client, request, context)) return { client }
  }
  return {
    refusal: errorAnswer('invalid_client', 'Client authentication failed', 401, {
      'www-authenticate': 'Basic realm="test authorization server"',
    }),
  }
}

function readCredentials(request: RecordedRequest): Credentials | undefined {
  const { body } = request
  const clientId = body.get('client_id') ?? ''
  const secret = body.get('client_secret')
  const assertion = body.get('client_assertion')
  const basic = basicCredentials(request)
  // RFC 6749 section 2.3: "MUST NOT use more than one authentication method in each request".
  if ([secret, assertion, basic].filter((each) => each != null).length > 1) return undefined
  if (basic !== undefined) {
    const text = Buffer.from(basic, 'base64').toString('utf8')
    const encodedId = text.slice(0, text.indexOf(':'))
    return { clientId: formDecode(encodedId), secret: text, methods: ['client_secret_basic'] }
  }
  if (assertion !== null) {
    const claimed = clientId || subjectOf(assertion)
    if (body.get('client_assertion_type') !== assertionType || claimed === undefined)
      return undefined
    return { clientId: claimed, assertion, methods: ['private_key_jwt'] }
  }
  if (secret !== null) return { clientId, secret, methods: ['client_secret_post'] }
  return { clientId, methods: ['tls_client_auth', 'none'] }
}

function basicCredentials(request: RecordedRequest): string | undefined {
  return /^Basic (.+)$/i.exec(request.headers.authorization ?? '')?.[1]
}

function subjectOf(assertion: string): string | undefined {
  try {
    return decodeJwt(assertion).sub
  } catch {
    return undefined
  }
}

async function isProven(
  method: TestClientAuthMethod,
  credentials: Credentials,
  client: TestClient,
  request: RecordedRequest,
  context: Context,
): Promise<boolean> {
  switch (method) {
    // Compared as text, as many servers do, so `%2D` for `-` is refused.
    case 'client_secret_basic':
      return (
        client.clientSecret !== undefined &&
        credentials.secret === `${formEncode(client.clientId)}:${formEncode(client.clientSecret)}`
      )
    case 'client_secret_post':
      return client.clientSecret !== undefined && credentials.secret === client.clientSecret
    case 'private_key_jwt':
      return isAssertionValid(credentials.assertion ?? '', client, context)
    case 'tls_client_auth':
      return isCertificateKnown(client, request)
    case 'none':
      return !client.clientSecret && !client.jwks && !client.certificate
  }
}

function formEncode(text: string): string {
  return new URLSearchParams({ '': text }).toString().slice(1)
}

function formDecode(text: string): string {
  return new URLSearchParams(`=${text}`).get('') ?? ''
}

/** RFC 7523 section 3, with the issuer as the only audience (RFC 7523bis). */
async function isAssertionValid(
  assertion: string,
  client: TestClient,
  context: Context,
): Promise<boolean> {
  if (!client.jwks) return false
  try {
    const { payload } = await jwtVerify(assertion, createLocalJWKSet(client.jwks), {
      issuer: client.clientId,
      subject: client.clientId,
      requiredClaims: ['exp', 'jti'],
      currentDate: new Date(context.clock.now()),
    })
    const id = `${client.clientId} ${payload.jti ?? ''}`
    if (payload.aud !== context.issuer || context.assertionIds.has(id)) return false
    context.assertionIds.add(id)
    return true
  } catch {
    return false
  }
}

/** RFC 8705 section 2. */
function isCertificateKnown(client: TestClient, request: RecordedRequest): boolean {
  const presented = request.clientCertificate
  if (!presented || !client.certificate) return false
  return 'fingerprint256' in client.certificate
    ? presented.fingerprint256 === client.certificate.fingerprint256
    : presented.trusted && presented.commonName === client.certificate.commonName
}
