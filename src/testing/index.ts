export {
  createTestAuthorizationServer,
  type TestAuthorizationServer,
} from './authorization-server.ts'
export { conformance, type ConformanceModule, type ConformanceModuleName } from './conformance.ts'
export type { TestServerEndpoint } from './endpoints.ts'
export type {
  AuthorizationFaults,
  DiscoveryFaults,
  EndSessionFaults,
  Fault,
  FaultyAnswer,
  FaultyEndpoint,
  IdTokenFault,
  JsonObject,
  JwksFaults,
  Misbehaviour,
  MisbehaviourOptions,
  PushedAuthorizationFaults,
  TokenFaults,
  TransportFaults,
  UserinfoFaults,
} from './faults.ts'
export type { IssuedTokens } from './grants.ts'
export {
  wrongLogoutTokens,
  type LogoutTokenRequest,
  type LogoutTokenResponse,
  type LogoutUris,
} from './logout-token.ts'
export {
  logoutConformance,
  type LogoutConformanceModule,
  type LogoutConformanceModuleName,
} from './logout-conformance.ts'
export type {
  TestAuthorizationServerOptions,
  TestClient,
  TestClientAuthMethod,
  TestServerTls,
  TestUser,
} from './options.ts'
export type { RecordedRequest } from './recorded-request.ts'
export type { TestServerMetadata } from './server-metadata.ts'
export type { JwtToSign } from './signed-jwt.ts'
export type { SigningAlgorithm } from './signing-keys.ts'
