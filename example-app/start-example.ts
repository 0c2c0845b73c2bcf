import { randomBytes } from 'node:crypto'
import type { CookieOptions, SessionOptions } from 'express-session'
import type { PkceFlowOptions } from 'express-pkce-flow'
import { startApi } from './api.ts'
import { createApp } from './app.ts'
import type { AppSettings } from './app.ts'
import { startAuthorizationServer } from './authorization-server.ts'
import type { AuthorizationServer, AuthorizationServerOptions } from './authorization-server.ts'
import { listen } from './loopback-server.ts'
import type { LoopbackAddress } from './loopback-server.ts'
import { openSessionStore } from './session-store.ts'

/** Options of {@link startExample}. `port`, `host` and `tls` are of the app. */
export interface ExampleOptions extends LoopbackAddress {
  /** Of an application registered at gitlab.com. Default: an authorization server of our own. */
  gitlab?: { clientId: string; clientSecret: string } | undefined
  /** Keeps sessions in Redis. Default: in memory. */
  redisUrl?: string | undefined
  /** Signs session cookies. Default: random, so that sessions end with this process. */
  sessionSecret?: string | undefined
  /** Of our own authorization server. */
  authorizationServer?: Omit<AuthorizationServerOptions, 'redirectUris'> | undefined
  /** Differences to how the app logs people in. */
  flow?: Pick<PkceFlowOptions, 'responseMode' | 'loginTimeout' | 'timeout'> | undefined
  /** Differences to the app's session cookie. */
  sessionCookie?: CookieOptions | undefined
}

/** The running example. */
export interface Example {
  /** The app's first page. */
  url: string
  /** Absent with GitLab. */
  authorizationServer?: AuthorizationServer
  close: () => Promise<void>
}

/** Starts the app, and an authorization server and an API for it unless it is to use GitLab. */
export async function startExample(options: ExampleOptions = {}): Promise<Example> {
  const server = await listen(options)
  const redirectUri = `${server.origin}/callback`
  const sessions = await openSessionStore(options.redisUrl)
  const session: SessionOptions = {
    name: 'example_app_session',
    secret: options.sessionSecret ?? randomBytes(32).toString('base64url'),
    resave: false,
    saveUninitialized: false,
    cookie: { sameSite: 'lax', secure: options.tls !== undefined, ...options.sessionCookie },
    ...(sessions.store && { store: sessions.store }),
  }
  const { flow, api, authorizationServer, close } = options.gitlab
    ? atGitLab(options.gitlab, redirectUri)
    : await atOwnServer(options, redirectUri)
  server.answerWith(createApp({ flow: { ...flow, ...options.flow }, session, api }))
  return {
    url: `${server.origin}/`,
    ...(authorizationServer && { authorizationServer }),
    async close() {
      await Promise.all([server.close(), close(), sessions.close()])
    },
  }
}

/** Where to log in, what to call, and what was started for it. */
interface Provider extends Pick<AppSettings, 'flow' | 'api'> {
  authorizationServer?: AuthorizationServer
  close: () => Promise<unknown>
}

function atGitLab(
  { clientId, clientSecret }: { clientId: string; clientSecret: string },
  redirectUri: string,
): Provider {
  const scope = 'openid profile read_api'
  return {
    flow: { issuer: 'https://gitlab.com', clientId, clientSecret, redirectUri, scope },
    api: {
      url: 'https://gitlab.com/api/v4/projects?membership=true&simple=true',
      name: 'projects',
      loginAt: 'gitlab.com',
    },
    close: () => Promise.resolve(),
  }
}

async function atOwnServer(options: ExampleOptions, redirectUri: string): Promise<Provider> {
  const authorizationServer = await startAuthorizationServer({
    ...options.authorizationServer,
    redirectUris: [redirectUri],
  })
  const { issuer, clientId, clientSecret, introspection } = authorizationServer
  const api = await startApi({ introspection })
  const scope = 'openid profile notes:read'
  return {
    flow: { issuer, clientId, clientSecret, redirectUri, scope },
    api: {
      url: api.url,
      name: 'notes',
      loginAt: 'Gatehouse',
      loginHint: 'any name will do, no password',
    },
    authorizationServer,
    close: () => Promise.all([authorizationServer.close(), api.close()]),
  }
}
