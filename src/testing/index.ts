export {
  createTestAuthorizationServer,
  type TestAuthorizationServer,
} from './authorization-server.ts'
export type { TestClock } from './clock.ts'
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
export type { LogoutTokenRequest, LogoutTokenResponse, LogoutUris } from './logout-delivery.ts'
export { wrongLogoutTokens } from './logout-token.ts'
export {
  logoutConformance,
  type LogoutConformanceModule,
  type LogoutConformanceModuleName,
} from './logout-conformance.ts'
export { misbehaviours, type MisbehaviourName } from './named/index.ts'
export type { NamedMisbehaviour } from './named/named-misbehaviour.ts'
export { logIn, type LoggedIn, type LogInOptions } from './log-in.ts'
export { TestLoginError } from './login-error.ts'
export type {
  TestAuthorizationServerOptions,
  TestClient,
  TestClientAuthMethod,
  TestServerTls,
  TestUser,
} from './options.ts'
export type { RecordedRequest } from './recorded-request.ts'
export type { SupertestAgent, SupertestRequest, SupertestResponse } from './supertest-agent.ts'
export type { PlaywrightPage } from './browser-page.ts'
export {
  createTestBrowser,
  type TestBrowser,
  type TestBrowserOptions,
  type TestBrowserRequest,
} from './test-browser.ts'
export type { TestServerMetadata } from './server-metadata.ts'
export type { JwtToSign } from './signed-jwt.ts'
export type { SigningAlgorithm } from './signing-keys.ts'
