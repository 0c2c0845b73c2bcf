import { jsonAnswer } from './answer.ts'
import type { Endpoint } from './context.ts'
import { discoveryPath, endpointUrls } from './endpoints.ts'
import type { JsonObject } from './faults.ts'
import type { Settings } from './options.ts'

/** Authorization server metadata as published, unless the option `metadata` changes or removes members. */
export interface TestServerMetadata {
  readonly issuer: string
  readonly authorization_endpoint: string
  readonly token_endpoint: string
  readonly pushed_authorization_request_endpoint: string
  readonly userinfo_endpoint: string
  readonly jwks_uri: string
  readonly revocation_endpoint: string
  readonly introspection_endpoint: string
  readonly end_session_endpoint: string
  readonly response_types_supported: readonly string[]
  readonly response_modes_supported: readonly string[]
  readonly grant_types_supported: readonly string[]
  readonly subject_types_supported: readonly string[]
  readonly scopes_supported: readonly string[]
  readonly id_token_signing_alg_values_supported: readonly string[]
  readonly code_challenge_methods_supported: readonly string[]
  readonly token_endpoint_auth_methods_supported: readonly string[]
  readonly token_endpoint_auth_signing_alg_values_supported: readonly string[]
  readonly authorization_response_iss_parameter_supported?: boolean
}

export function buildServerMetadata(issuer: string, settings: Settings): TestServerMetadata {
  const urls = endpointUrls(issuer)
  const metadata: TestServerMetadata = {
    issuer,
    authorization_endpoint: urls.authorization,
    token_endpoint: urls.token,
    pushed_authorization_request_endpoint: urls.pushed_authorization,
    userinfo_endpoint: urls.userinfo,
    jwks_uri: urls.jwks,
    revocation_endpoint: urls.revocation,
    introspection_endpoint: urls.introspection,
    end_session_endpoint: urls.end_session,
    response_types_supported: ['code'],
    response_modes_supported: ['query', 'form_post'],
    grant_types_supported: ['authorization_code', 'refresh_token'],
    subject_types_supported: ['public'],
    scopes_supported: ['openid', 'profile', 'email', 'offline_access'],
    id_token_signing_alg_values_supported: [settings.signingAlgorithm],
    code_challenge_methods_supported: ['S256'],
    token_endpoint_auth_methods_supported: [
      'client_secret_basic',
      'client_secret_post',
      'none',
      'private_key_jwt',
      ...(settings.tls?.requestCert ? ['tls_client_auth'] : []),
    ],
    token_endpoint_auth_signing_alg_values_supported: ['ES256', 'RS256', 'PS256', 'EdDSA'],
    ...(settings.announceIss && { authorization_response_iss_parameter_supported: true }),
  }
  const changed = Object.entries({ ...metadata, ...settings.metadata })
  return Object.fromEntries(
    changed.filter(([, value]) => value !== undefined),
  ) as unknown as TestServerMetadata
}

/** Answers at the well-known path of the option `discovery`, 404 at all others. */
export const discoveryEndpoint: Endpoint = function discovery(request, faults, context) {
  const { discovery: kind, issuerPath } = context.settings
  if (kind === 'none' || request.path !== discoveryPath(kind, issuerPath))
    return { status: 404, headers: { 'content-type': 'text/plain' }, body: 'Not found' }
  let metadata: unknown = buildServerMetadata(context.issuer, context.settings)
  for (const fault of faults)
    if (fault.metadata) metadata = fault.metadata({ ...(metadata as JsonObject) })
  return jsonAnswer(metadata)
}

export const jwksEndpoint: Endpoint = async function jwks(_request, faults, context) {
  const decoys = Math.max(0, ...faults.map((fault) => fault.decoyKeys ?? 0))
  const published = await context.keys.keySet(decoys)
  let keySet: unknown = published
  for (const fault of faults)
    if (fault.keySet) keySet = fault.keySet({ keys: [...(keySet as typeof published).keys] })
  return jsonAnswer(keySet)
}
