import { randomBytes } from 'node:crypto'
import { listen } from './loopback-server.ts'
import type { LoopbackAddress } from './loopback-server.ts'
import { createGrants } from './plain-provider-grants.ts'
import { plainProviderRoutes } from './plain-provider-routes.ts'

/** Options of {@link startPlainProvider}. */
export interface PlainProviderOptions extends LoopbackAddress {
  /** Where the client may be sent back to. */
  redirectUri: string
  /** Seconds that an access token is good for. Default: 120, so that one sees it being refreshed. */
  accessTokenLifetime?: number | undefined
}

/** A running plain provider. */
export interface PlainProvider {
  /** What its endpoints are below. */
  rootUrl: string
  clientId: string
  clientSecret: string
  /** Address of the projects. */
  projectsUrl: string
  close: () => Promise<void>
}

/**
 * Starts a small code host whose accounts can be connected to an app: plain OAuth 2.0 with URLs as
 * GitLab has them, no OpenID Connect and no discovery. Whoever comes is Robin.
 */
export async function startPlainProvider(options: PlainProviderOptions): Promise<PlainProvider> {
  const server = await listen(options)
  const client = {
    clientId: 'example-app',
    clientSecret: randomBytes(32).toString('base64url'),
    redirectUri: options.redirectUri,
  }
  server.answerWith(plainProviderRoutes(client, createGrants(options.accessTokenLifetime ?? 120)))
  return {
    rootUrl: `${server.origin}/oauth/`,
    clientId: client.clientId,
    clientSecret: client.clientSecret,
    projectsUrl: `${server.origin}/api/v4/projects?membership=true`,
    close: server.close,
  }
}
