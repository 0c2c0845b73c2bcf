import { startApi } from './api.ts'
import type { AppSettings } from './app.ts'
import { startAuthorizationServer } from './authorization-server.ts'
import type { AuthorizationServer, AuthorizationServerOptions } from './authorization-server.ts'
import { startPlainProvider } from './plain-provider.ts'
import type { PlainProviderOptions } from './plain-provider.ts'
import type { ProjectsProvider } from './projects.ts'

/** Where people log in, what is called with their tokens, and where they can connect an account. */
export interface Provider extends Pick<AppSettings, 'api'> {
  flow: Pick<AppSettings['flow'], 'scope' | 'apiOrigins'> & {
    issuer: string
    clientId: string
    clientSecret: string
  }
  /** None where people log in at a place that has their projects anyway. */
  projects?: ProjectsProvider | undefined
}

/** The application that is registered at gitlab.com. */
export function gitlab(client: { clientId: string; clientSecret: string }): Provider {
  return {
    flow: { issuer: 'https://gitlab.com', ...client, scope: 'openid profile read_api' },
    api: {
      url: 'https://gitlab.com/api/v4/projects?membership=true&simple=true',
      name: 'projects',
      loginAt: 'gitlab.com',
      accountUrl: 'https://gitlab.com',
    },
  }
}

/** Options of {@link startProvider}. */
export interface ProviderOptions {
  /** The app's first page: people are sent back below it. */
  appUrl: string
  /** The same of a second app that people log in to. Default: none. */
  secondAppUrl?: string | undefined
  authorizationServer?: Omit<AuthorizationServerOptions, 'redirectUris'> | undefined
  plainProvider?: Omit<PlainProviderOptions, 'redirectUri'> | undefined
}

/** An authorization server of our own, an API that takes its tokens, and a plain provider. */
export interface RunningProvider extends Provider {
  authorizationServer: AuthorizationServer
  close: () => Promise<void>
}

/** Starts all of them. */
export async function startProvider(options: ProviderOptions): Promise<RunningProvider> {
  const { appUrl, secondAppUrl } = options
  const authorizationServer = await startAuthorizationServer({
    ...options.authorizationServer,
    redirectUris: [new URL('callback', appUrl).href],
    client: { ...logoutMetadata(appUrl), ...options.authorizationServer?.client },
    secondClient:
      secondAppUrl === undefined
        ? undefined
        : {
            redirect_uris: [new URL('callback', secondAppUrl).href],
            ...logoutMetadata(secondAppUrl),
          },
  })
  const { issuer, clientId, clientSecret, introspection } = authorizationServer
  const api = await startApi({ introspection })
  const { close, ...projects } = await startPlainProvider({
    ...options.plainProvider,
    redirectUri: new URL('projects/callback', appUrl).href,
  })
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
      accountUrl: issuer,
      loginHint: 'any name will do, no password',
    },
    projects,
    authorizationServer,
    async close() {
      await Promise.all([authorizationServer.close(), api.close(), close()])
    },
  }
}

/** What is registered of an app so that it can log people out, and is told when they are. */
function logoutMetadata(appUrl: string): Record<string, unknown> {
  return {
    post_logout_redirect_uris: [new URL('logged-out', appUrl).href],
    backchannel_logout_uri: new URL('backchannel-logout', appUrl).href,
    backchannel_logout_session_required: true,
  }
}
