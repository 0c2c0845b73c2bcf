import { randomBytes } from 'node:crypto'
import type { CookieOptions, SessionOptions } from 'express-session'
import type { PkceFlowOptions } from 'express-pkce-flow'
import { createApp } from './app.ts'
import type { AuthorizationServer } from './authorization-server.ts'
import { startCounting } from './job.ts'
import { listen } from './loopback-server.ts'
import type { LoopbackAddress } from './loopback-server.ts'
import { connectProjects } from './projects.ts'
import { startProvider } from './provider.ts'
import type { Provider, ProviderOptions, RunningProvider } from './provider.ts'
import { createSecondApp } from './second-app.ts'
import { openStorage } from './shared-storage.ts'
import type { StorageAddress } from './shared-storage.ts'

/** Options of {@link startExample}. `port`, `host` and `tls` are of the app. */
export interface ExampleOptions extends LoopbackAddress, StorageAddress {
  /** Where browsers find the app, if that is a proxy in front of it. Default: the app itself. */
  appUrl?: string | undefined
  /** Where people log in. Default: an authorization server of our own, started with the app. */
  provider?: Provider | undefined
  /** Signs session cookies. Default: random, so that sessions end with this process. */
  sessionSecret?: string | undefined
  /** Where a second app listens, for people who log in at our own server. Default: there is none. */
  secondApp?: LoopbackAddress | undefined
  /** Of our own authorization server. */
  authorizationServer?: ProviderOptions['authorizationServer']
  /** Of the plain provider that is started with it. */
  plainProvider?: ProviderOptions['plainProvider']
  /** Milliseconds from one run of the background job to the next, `0` for none. Default: 10,000. */
  jobInterval?: number | undefined
  /** Differences to how the app logs people in. */
  flow?: Pick<PkceFlowOptions, 'responseMode' | 'loginTimeout' | 'timeout'> | undefined
  /** Differences to the app's session cookie. */
  sessionCookie?: CookieOptions | undefined
}

/** The running example. */
export interface Example {
  /** The app's first page. */
  url: string
  /** The second app's. */
  secondUrl?: string
  /** Our own, if it was started with the app. */
  authorizationServer?: AuthorizationServer
  close: () => Promise<void>
}

/** Starts the app, and what it needs and was not given. */
export async function startExample(options: ExampleOptions = {}): Promise<Example> {
  const server = await listen(options)
  const url = new URL(options.appUrl ?? server.origin).href
  const storage = await openStorage(options)
  const session: SessionOptions = {
    name: 'example_app_session',
    secret: options.sessionSecret ?? randomBytes(32).toString('base64url'),
    resave: false,
    saveUninitialized: false,
    cookie: { sameSite: 'lax', secure: url.startsWith('https:'), ...options.sessionCookie },
    store: storage.store,
  }
  const secondServer = options.secondApp && (await listen(options.secondApp))
  const secondUrl = secondServer && new URL(secondServer.origin).href
  const provider: Provider & Partial<RunningProvider> =
    options.provider ?? (await startProvider({ ...options, appUrl: url, secondAppUrl: secondUrl }))
  const { lock, store, users } = storage
  const redirectUri = new URL('callback', url).href
  const postLogoutRedirectUri = new URL('logged-out', url).href
  const flow = { ...provider.flow, redirectUri, postLogoutRedirectUri, lock, ...options.flow }
  const projects =
    provider.projects &&
    connectProjects({
      provider: provider.projects,
      redirectUri: new URL('projects/callback', url).href,
      ...{ users, tokenStore: store, lock },
    })
  const behindProxy = options.appUrl !== undefined
  const { issuer } = provider.flow
  const secondClient = provider.authorizationServer?.secondClient
  if (secondUrl && secondClient)
    secondServer.answerWith(createSecondApp({ url: secondUrl, issuer, ...secondClient }))
  server.answerWith(createApp({ flow, session, api: provider.api, projects, behindProxy }))
  const { jobInterval = 10_000 } = options
  const job = projects && jobInterval > 0 ? startCounting(projects, jobInterval) : undefined
  return {
    url,
    ...(secondUrl && { secondUrl }),
    ...(provider.authorizationServer && { authorizationServer: provider.authorizationServer }),
    async close() {
      await job?.stop()
      await Promise.all([
        server.close(),
        secondServer?.close(),
        provider.close?.(),
        storage.close(),
      ])
    },
  }
}
