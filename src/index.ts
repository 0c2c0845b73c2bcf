export { pkceFlow, type PkceFlow, type TokenHandler } from './pkce-flow.ts'
export { PkceFlowManager, type UserAuthorizationResponse } from './manager/manager.ts'
export type { ManagerAttributes } from './manager/attributes.ts'
export type { AuthorizationUrlOverrides } from './manager/overrides.ts'
export type { TokenResponse } from './manager/token-response.ts'
export type { UserSecrets } from './manager/user-secrets.ts'
export {
  ConfigurationError,
  PkceFlowError,
  StateForgeryError,
  type PkceFlowErrorCode,
  type PkceFlowErrorDetails,
} from './errors.ts'
export type {
  CommonOptions,
  LoginEvent,
  PkceFlowOptions,
  SessionStore,
  TokenStore,
} from './options/options.ts'
export type { Routes } from './options/places.ts'
export type { Lease, Lock } from './options/lock.ts'
export type { Dialect, Preset, ProfileDialect, TokenError } from './options/preset.ts'
export type { ServerMetadata, ServerRootUrl } from './options/server-metadata.ts'
export type { Claims, Token } from './token.ts'
export type { Finding, FindingCode } from './doctor/finding.ts'
export type { LoginOptions } from './http/login-handler.ts'
export type { LogoutOptions } from './http/logout-handler.ts'
export type { RequireLoginOptions } from './http/require-login.ts'
export type { RequireTokenOptions } from './http/require-token.ts'
export type { UserTokenAccess } from './http/for-user.ts'
export type { ConnectionStatus, LoginStatus } from './http/status.ts'
export type { UserInfo } from './http/token-access.ts'
export type { Unauthenticated } from './http/unauthenticated.ts'
