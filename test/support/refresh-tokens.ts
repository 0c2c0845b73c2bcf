import type { TestAuthorizationServer } from '../../src/testing/index.ts'

/** From now on `server` issues no refresh tokens: an access token that has expired is the end. */
export function withoutRefreshTokens(server: TestAuthorizationServer): void {
  server.misbehave('token', {
    tokenResponse: (usual) => ({ ...usual, refresh_token: undefined }),
  })
}
