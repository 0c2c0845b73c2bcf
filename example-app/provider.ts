import { startApi } from './api.ts'
import type { AppSettings } from './app.ts'
import { startAuthorizationServer } from './authorization-server.ts'
import type { AuthorizationServer, AuthorizationServerOptions } from './authorization-server.ts'

/** Where people log in, and what is called with their tokens. */
export interface Provider extends Pick<AppSettings, 'api'> {
  flow: Pick<AppSettings['flow'], 'scope' | 'apiOrigins'> & {
    issuer: string
    clientId: string
    clientSecret: string
  }
}

/** The application that is registered at gitlab.com. */
export function gitlab(client: { clientId: string; clientSecret: string }): Provider {
  return {
    flow: { issuer: 'https://gitlab.com', ...client, scope: 'openid profile read_api' },
    api: {
      url: 'https://gitlab.com/api/v4/projects?membership=true&simple=true',
      name: 'projects',
      loginAt: 'gitlab.com',
    },
  }
}

/** An authorization server of our own and an API that takes its tokens. */
export interface RunningProvider extends Provider {
  authorizationServer: AuthorizationServer
  close: () => Promise<void>
}

/** Starts both. */
export async function startProvider(options: AuthorizationServerOptions): Promise<RunningProvider> {
  const authorizationServer = await startAuthorizationServer(options)
  const { issuer, clientId, clientSecret, introspection } = authorizationServer
  const api = await startApi({ introspection })
  return {
    flow: {
      ...{ issuer, clientId, clientSecret },
      scope: 'openid profile notes:read',
      apiOrigins: [new URL(api.url).origin],
    },
    api: {
      url: api.url,
      name: 'notes',
      loginAt: 'Gatehouse',
      loginHint: 'any name will do, no password',
    },
    authorizationServer,
    async close() {
      await Promise.all([authorizationServer.close(), api.close()])
    },
  }
}
