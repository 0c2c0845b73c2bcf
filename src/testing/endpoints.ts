/** What a request was for. `other`: a path that the server does not know. */
export type TestServerEndpoint =
  | 'discovery'
  | 'jwks'
  | 'authorization'
  | 'pushed_authorization'
  | 'token'
  | 'revocation'
  | 'introspection'
  | 'userinfo'
  | 'end_session'
  | 'other'

const paths = {
  '/jwks': 'jwks',
  '/authorize': 'authorization',
  '/par': 'pushed_authorization',
  '/token': 'token',
  '/revoke': 'revocation',
  '/introspect': 'introspection',
  '/userinfo': 'userinfo',
  '/logout': 'end_session',
} as const satisfies Record<string, TestServerEndpoint>

/** Absolute URLs of the endpoints, as they are published. */
export function endpointUrls(issuer: string): Record<(typeof paths)[keyof typeof paths], string> {
  return {
    jwks: `${issuer}/jwks`,
    authorization: `${issuer}/authorize`,
    pushed_authorization: `${issuer}/par`,
    token: `${issuer}/token`,
    revocation: `${issuer}/revoke`,
    introspection: `${issuer}/introspect`,
    userinfo: `${issuer}/userinfo`,
    end_session: `${issuer}/logout`,
  }
}

/** Path that publishes the metadata: appended to the issuer for OpenID Connect, inserted before its path for RFC 8414. */
export function discoveryPath(kind: 'openid' | 'oauth', issuerPath: string): string {
  return kind === 'openid'
    ? `${issuerPath}/.well-known/openid-configuration`
    : `/.well-known/oauth-authorization-server${issuerPath}`
}

/** Which endpoint a path belongs to. Every well-known path counts as discovery, also one that answers 404. */
export function endpointAt(path: string, issuerPath: string): TestServerEndpoint {
  if (path.includes('/.well-known/')) return 'discovery'
  if (!path.startsWith(`${issuerPath}/`)) return 'other'
  const below = path.slice(issuerPath.length)
  // A conformance module publishes its keys at a random path below the usual one.
  if (below.startsWith('/jwks/')) return 'jwks'
  return Object.hasOwn(paths, below) ? paths[below as keyof typeof paths] : 'other'
}

/** Whether faults can be scripted for it. */
export function isEndpoint(name: string): boolean {
  return ['discovery', 'other', 'any', ...Object.values(paths)].includes(name)
}
