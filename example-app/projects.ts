import { pkceFlow } from 'express-pkce-flow'
import type { Lock, PkceFlow, TokenStore } from 'express-pkce-flow'
import type { ConnectedUsers } from './connected-users.ts'

/** Where users of this app can connect an account, which has projects. */
export interface ProjectsProvider {
  /** Plain OAuth 2.0: what its endpoints are below. */
  rootUrl: string
  clientId: string
  clientSecret: string
  projectsUrl: string
}

/** Projects of the accounts that users of this app have connected. */
export interface Projects {
  flow: PkceFlow<'gitshed'>
  url: string
  users: ConnectedUsers
}

interface ProjectsSettings {
  provider: ProjectsProvider
  redirectUri: string
  users: ConnectedUsers
  /** Where the tokens of each user are kept. */
  tokenStore: TokenStore
  lock: Lock | undefined
}

/** Name of the flow, in its errors. */
export const connectFlow = 'gitshed'

/** What this app asks for. */
export const projectsScope = 'read_api'

/** A flow that signs nobody in: who is signed in to this app connects an account. */
export function connectProjects(settings: ProjectsSettings): Projects {
  const { provider, redirectUri, users, tokenStore, lock } = settings
  const flow = pkceFlow({
    purpose: 'connect',
    name: connectFlow,
    server: { rootUrl: provider.rootUrl },
    clientId: provider.clientId,
    clientSecret: provider.clientSecret,
    redirectUri, // …/projects/callback, so its other routes are /projects/login and /projects/logout
    scope: projectsScope,
    apiOrigins: [new URL(provider.projectsUrl).origin],
    userId: (req) => req.session.userId,
    tokenStore,
    lock,
    requestProperty: 'gitshed', // req.token is the one of the login
    attach: false, // most pages do not need it
    afterLogin: '/projects',
  })
  return { flow, url: provider.projectsUrl, users }
}
