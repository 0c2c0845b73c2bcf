import type { KnownServer } from '../protocol/known-server.ts'
import { createAuthorizationServer } from '../protocol/authorization-server.ts'
import { buildNonce } from '../protocol/authorization-request.ts'
import { prepareAuthorizationUrl } from '../protocol/pushed-authorization-request.ts'
import { revokeToken } from '../protocol/revocation.ts'
import { refreshTokens } from '../protocol/token-refresh.ts'
import { exchangeCode } from '../protocol/token-request.ts'
import { createTransport } from '../protocol/transport.ts'
import type { ManagerSettings } from './attributes.ts'
import { untilAnswered, untilSent } from './retries.ts'
import { toTokenResponse, type TokenResponse } from './token-response.ts'

/** Requests of one client to its authorization server. */
export interface ManagerRequests {
  readonly settings: ManagerSettings
  /** The authorization server, discovered when first asked for. */
  getServer(): Promise<KnownServer>
  /** The URL that starts a login. */
  authorizationUrl(login: StartedLogin): Promise<string>
  /** Sends a code, again only if nothing was sent, and validates what comes back. */
  exchange(code: string, codeVerifier: string): Promise<TokenResponse>
  /** Everybody who asks with one refresh token while a request is under way gets its outcome. */
  refresh(refreshToken: string): Promise<TokenResponse>
  revoke(token: string): Promise<void>
}

/** A login that is to be started. */
export interface StartedLogin {
  state: string
  codeVerifier: string
  scope: readonly string[]
  authorizationParams: Readonly<Record<string, string>>
}

export function createRequests(settings: ManagerSettings): ManagerRequests {
  const { clientId, clockTolerance, redirectUri, scope, authorizationParams } = settings
  const transport = createTransport(settings.timeout, settings.agent)
  const getServer = createAuthorizationServer(settings, transport)
  const refreshing = new Map<string, Promise<TokenResponse>>()

  async function refresh(refreshToken: string): Promise<TokenResponse> {
    const server = await getServer()
    const tokens = await untilAnswered(async () => {
      const outcome = await refreshTokens(server, {
        ...{ clientId, clockTolerance, refreshToken },
        ...{ scope: undefined, idToken: undefined },
      })
      if (outcome.status === 'refreshed') return outcome.tokens
      throw outcome.error
    })
    return toTokenResponse(tokens)
  }

  return {
    settings,
    getServer,
    async authorizationUrl({ state, codeVerifier, scope: asked, authorizationParams: parameters }) {
      return prepareAuthorizationUrl(await getServer(), {
        ...{ clientId, redirectUri, parameters, responseMode: 'query' },
        scope: asked,
        secrets: { state, codeVerifier, nonce: buildNonce(codeVerifier) },
      })
    },
    async exchange(code, codeVerifier) {
      const exchange = {
        ...{ clientId, clockTolerance, redirectUri, code, codeVerifier },
        openid: scope.includes('openid'),
        nonce: buildNonce(codeVerifier),
        maxAge:
          authorizationParams.max_age === undefined
            ? undefined
            : Number(authorizationParams.max_age),
      }
      return toTokenResponse(await exchangeCode(await getServer(), exchange, untilSent))
    },
    refresh(refreshToken) {
      const underWay = refreshing.get(refreshToken)
      if (underWay !== undefined) return underWay
      const request = refresh(refreshToken).finally(() => refreshing.delete(refreshToken))
      refreshing.set(refreshToken, request)
      return request
    },
    async revoke(token) {
      const server = await getServer()
      await untilAnswered(() => revokeToken(server, token))
    },
  }
}
