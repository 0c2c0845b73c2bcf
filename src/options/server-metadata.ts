import { ConfigurationError } from '../errors.ts'
import {
  invalid,
  isRecord,
  isText,
  refuseUnknown,
  resolveFlag,
  resolveUrl,
  textList,
} from './checks.ts'

/**
 * Metadata of an authorization server, members as registered for RFC 8414 and OpenID Connect
 * Discovery. URLs are absolute, `https:` (or `http:` on loopback).
 */
export interface ServerMetadata {
  /** Issuer identifier; needed for ID Tokens and for checking `iss` (RFC 9207). */
  issuer?: string | undefined
  /** Where the person is sent (RFC 6749 section 3.1). */
  authorization_endpoint?: string | undefined
  /** Where the code is exchanged (RFC 6749 section 3.2). */
  token_endpoint?: string | undefined
  /** Signing keys of ID Tokens; needed when `scope` has `openid`. */
  jwks_uri?: string | undefined
  /** RFC 7009. */
  revocation_endpoint?: string | undefined
  /** OpenID Connect Core section 5.3. */
  userinfo_endpoint?: string | undefined
  /** OpenID Connect RP-Initiated Logout 1.0. */
  end_session_endpoint?: string | undefined
  /** RFC 9126. */
  pushed_authorization_request_endpoint?: string | undefined
  /** RFC 9126: this server takes pushed authorization requests only. Default: `false`. */
  require_pushed_authorization_requests?: boolean | undefined
  /** RFC 7636. If given, it has to have `S256`. */
  code_challenge_methods_supported?: readonly string[] | undefined
  /** Algorithms of ID Token signatures; `none` and `HS*` are never accepted. */
  id_token_signing_alg_values_supported?: readonly string[] | undefined
  /** RFC 9207: this server always sends `iss`, so an answer without it is refused. */
  authorization_response_iss_parameter_supported?: boolean | undefined
}

/** An authorization server by the URL that its endpoints are below, as with Doorkeeper (GitLab). */
export interface ServerRootUrl {
  /** For example `https://gitlab.com/oauth/`; with or without a slash at the end. */
  rootUrl: string
  /** Below `rootUrl`. Default: `'authorize'`. */
  authorizationPath?: string | undefined
  /** Below `rootUrl`. Default: `'token'`. */
  tokenPath?: string | undefined
  /** Below `rootUrl` (RFC 7009). Default: `'revoke'`; a server without it is asked in vain. */
  revocationPath?: string | undefined
}

const endpointNames = [
  'authorization_endpoint',
  'token_endpoint',
  'jwks_uri',
  'revocation_endpoint',
  'userinfo_endpoint',
  'end_session_endpoint',
  'pushed_authorization_request_endpoint',
] as const

export const metadataNames = Object.keys({
  issuer: 0,
  authorization_endpoint: 0,
  token_endpoint: 0,
  jwks_uri: 0,
  revocation_endpoint: 0,
  userinfo_endpoint: 0,
  end_session_endpoint: 0,
  pushed_authorization_request_endpoint: 0,
  require_pushed_authorization_requests: 0,
  code_challenge_methods_supported: 0,
  id_token_signing_alg_values_supported: 0,
  authorization_response_iss_parameter_supported: 0,
} satisfies Record<keyof ServerMetadata, 0>) as readonly (keyof ServerMetadata)[]

export function resolveIssuer(value: unknown): string | undefined {
  if (value === undefined) return undefined
  const url = resolveUrl('issuer', value)
  if (url.search !== '') throw invalid('issuer', 'must not have a query')
  if (url.pathname.includes('/.well-known/'))
    throw invalid(
      'issuer',
      'is the issuer identifier, not the address of its metadata: leave out /.well-known/…',
    )
  return value as string
}

export function resolveServer(value: unknown, issuer: string | undefined): ServerMetadata {
  if (value === undefined) {
    if (issuer === undefined)
      throw new ConfigurationError(
        'Option "issuer" or "server" is needed; is its environment variable set?',
      )
    return {}
  }
  if (!isRecord(value)) throw invalid('server', 'must be an object')
  if ('rootUrl' in value) {
    if (issuer !== undefined) throw invalid('server.rootUrl', 'cannot be beside "issuer"')
    return resolveRootUrl(value, 'server.')
  }
  refuseUnknown(value, metadataNames, 'server.')
  for (const name of endpointNames)
    if (value[name] !== undefined) resolveUrl(`server.${name}`, value[name])
  if (value.issuer !== undefined) resolveUrl('server.issuer', value.issuer)
  if (issuer === undefined && !(value.authorization_endpoint && value.token_endpoint))
    throw invalid(
      'server',
      'needs authorization_endpoint and token_endpoint, or "issuer" beside it',
    )
  for (const name of [
    'authorization_response_iss_parameter_supported',
    'require_pushed_authorization_requests',
  ])
    if (value[name] !== undefined) resolveFlag(`server.${name}`, value[name])
  for (const name of ['code_challenge_methods_supported', 'id_token_signing_alg_values_supported'])
    if (value[name] !== undefined) textList(`server.${name}`, value[name])
  const methods = value.code_challenge_methods_supported as string[] | undefined
  if (methods && !methods.includes('S256'))
    throw invalid(
      'server.code_challenge_methods_supported',
      "must have 'S256': no other method is used",
    )
  const algorithms = value.id_token_signing_alg_values_supported as string[] | undefined
  if (algorithms?.some((algorithm) => algorithm === 'none' || algorithm.startsWith('HS')))
    throw invalid('server.id_token_signing_alg_values_supported', "must not have 'none' or 'HS*'")
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined))
}

const rootUrlNames = ['rootUrl', 'authorizationPath', 'tokenPath', 'revocationPath']

/** @param parent where the members are: `server.`, or nothing */
export function resolveRootUrl(value: Record<string, unknown>, parent: string): ServerMetadata {
  refuseUnknown(value, rootUrlNames, parent)
  const root = resolveUrl(`${parent}rootUrl`, value.rootUrl)
  if (root.search !== '') throw invalid(`${parent}rootUrl`, 'must not have a query')
  const below = (member: string, usual: string) => {
    const name = parent + member
    const path = value[member] ?? usual
    if (!isText(path)) throw invalid(name, 'must be a path below rootUrl')
    const url = new URL(`${root.href.replace(/\/+$/, '')}/${path.replace(/^\/+/, '')}`)
    return resolveUrl(name, url.href).href
  }
  return {
    authorization_endpoint: below('authorizationPath', 'authorize'),
    token_endpoint: below('tokenPath', 'token'),
    revocation_endpoint: below('revocationPath', 'revoke'),
  }
}
