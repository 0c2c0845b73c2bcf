import { createHmac } from 'node:crypto'
import {
  createTestAuthorizationServer,
  type TestAuthorizationServer,
  type TestServerEndpoint,
} from '../../src/testing/index.ts'
import { type RunningApp, startApp } from '../support/app.ts'
import { type Browser, createBrowser, type Page } from '../support/browser.ts'
import { clock } from '../support/clock.ts'
import { createSecondFlow, mountRoutes, plainOAuth, prepare, serverByHand } from './app-routes.ts'
import { mountTokenRoutes } from './token-routes.ts'
import { createScriptedStore, type ScriptedStore, type StoredRow } from './scripted-store.ts'
import type { AppSetUp, Row } from './row.ts'

/** A login that was started. */
export interface Tab {
  /** Name of the browser that started it. */
  by: string
  /** Where the browser was sent, if it was. */
  authorizationUrl: string | undefined
  /** Name of the cookie that binds it to its browser. */
  cookie: string | undefined
  /** Id of the pending login. */
  id: string | undefined
  /** What the authorization server answered. */
  answer?: { callback: string; parameters: URLSearchParams; posted: boolean }
}

/** What the app says about a browser. */
export interface Who {
  sub: string | null
  token: string | null
  signedIn: boolean
  expiresAt: string | null
  scope: string[]
  session: string
  cart: string | null
  /** Subject of the second flow's sign-in. */
  second: string | null
}

/** Apps, authorization servers, a store and browsers, as a row needs them. */
export interface World {
  readonly apps: readonly RunningApp[]
  readonly server: TestAuthorizationServer
  /** Of the second flow. */
  readonly secondServer: TestAuthorizationServer | undefined
  /** One for each app; the content is the same. */
  readonly stores: readonly [ScriptedStore, ...ScriptedStore[]]
  readonly tabs: Map<string, Tab>
  /** Every answer of the flow's own routes. */
  pages(): Page[]
  /** Requests that the apps received. */
  readonly arrivals: string[]
  /** Requests whose connection was closed before they were answered. */
  readonly gone: string[]
  readonly slowRequest: SlowRequest
  /** Set by the step that begins it. */
  readonly otherProcess: { finish: () => void }
  /** By name; a new one has no cookies. */
  browser(name: string): Browser
  /** One without a name, and without cookies. */
  newBrowser(): Browser
  browserNames(): string[]
  /** Requests at an endpoint, of both servers. */
  count(endpoint: TestServerEndpoint): number
  who(browser: Browser): Promise<Who>
  /** The value of a session cookie for this session. */
  sessionCookie(id: string): string
  /** What must not turn up anywhere: what the servers know or have made since the reset. */
  secrets(): string[]
  /** Keeps what is stored, and the cookies of `main`, for other rows. */
  keepBefore(): void
  /** Brings back what was kept, if anything was. */
  bringBefore(): boolean
  /** The refresh token of the sign-in that was kept. */
  refreshTokenBefore(): string | undefined
  /** For the next row. */
  reset(): Promise<void>
  close(): Promise<void>
}

export interface SlowRequest {
  /** Set by the step that begins it. */
  arrive: () => void
  until: Promise<void>
  release: () => void
  answered: Promise<unknown>
}

interface Kept {
  rows: (readonly [string, StoredRow])[]
  jar: [string, string][]
  secrets: string[]
  refreshToken: string | undefined
}

export const sessionCookieName = 'connect.sid'
const secret = 'session-secret-of-the-tests'
/** Of the flows, and the app's routes that are one of their handlers. */
const ownRoutes =
  /^((\/second)?\/(login|callback|logout)|\/(logged-out|ended|framed|sign-up|leave|leave-here))$/

type WorldSetUp = Omit<Row, 'id' | 'title' | 'steps' | 'expect'>

interface Running {
  close(): Promise<void>
}

/** Starts what a row needs. If some of it cannot be started, the rest is closed. */
export async function createWorld(setUp: WorldSetUp): Promise<World> {
  const running: Running[] = []
  try {
    return await openWorld(setUp, running)
  } catch (error) {
    await closeAll(running)
    throw error
  }
}

/** @param running is given what has to be closed, as soon as it is there */
async function openWorld(
  { app: setUp = {}, server: options, misbehaviours }: WorldSetUp,
  running: Running[],
): Promise<World> {
  async function startServer() {
    const started = await createTestAuthorizationServer(options)
    running.push(started)
    return started
  }
  const server = await startServer()
  if (misbehaviours) server.misbehave(misbehaviours)
  const secondServer = setUp.secondFlow ? await startServer() : undefined
  const arrivals: string[] = []
  const gone: string[] = []
  const slowRequest: SlowRequest = {
    arrive: () => undefined,
    until: Promise.resolve(),
    release: () => undefined,
    answered: Promise.resolve(),
  }
  const store = createScriptedStore()
  const stores: [ScriptedStore, ...ScriptedStore[]] =
    setUp.apps === 2 ? [store, store.share()] : [store]
  const apps: RunningApp[] = []
  for (const itsStore of stores) {
    const app = await startApp({
      flow: {
        ...(setUp.plainOAuth && plainOAuth(server)),
        ...(setUp.serverByHand && serverByHand(server)),
        // The first token request waits until there is an RSA key, on a busy machine longer than the
        // flow would wait for it.
        ...(/^[RP]S/.test(options?.signingAlgorithm ?? '') && { timeout: 15_000 }),
        ...setUp.flow,
      },
      postLogout: comesBack(setUp),
      session: { secret, name: sessionCookieName, store: itsStore, ...setUp.session },
      server,
      tlsProxy: setUp.tlsProxy ?? false,
      before(express) {
        prepare(express, setUp)
        express.use((req, res, next) => {
          arrivals.push(req.originalUrl)
          res.on('close', () => {
            if (!res.writableFinished) gone.push(req.originalUrl)
          })
          next()
        })
      },
      routes(express, flow) {
        const second = secondServer && createSecondFlow(secondServer, setUp.secondFlow ?? {})
        if (second) express.use(second)
        mountRoutes(express, flow, second, slowRequest)
        mountTokenRoutes(express, flow, {
          server: server.issuer,
          second: secondServer?.issuer ?? '',
        })
      },
    })
    running.push(app)
    apps.push(app)
  }

  if (setUp.tellsLogouts)
    server.tellLogoutsTo({
      backchannel: apps[0]!.url('/ended'),
      frontchannel: setUp.tellsLogouts === 'in frames, too' ? apps[0]!.url('/framed') : undefined,
    })

  const browsers = new Map<string, Browser>()
  const tabs = new Map<string, Tab>()

  let oldSecrets = 0
  let kept: Kept | undefined
  const newBrowser = (): Browser => createBrowser({ tlsProxy: setUp.tlsProxy ?? false })

  function browser(name: string): Browser {
    const known = browsers.get(name) ?? newBrowser()
    browsers.set(name, known)
    return known
  }

  function isOwnRoute({ url }: Page): boolean {
    const { origin, pathname } = new URL(url)
    return apps.some((each) => each.origin === origin) && ownRoutes.test(pathname)
  }

  return {
    apps,
    server,
    secondServer,
    stores,
    tabs,
    pages: () => [...browsers.values()].flatMap(({ pages }) => pages.filter(isOwnRoute)),
    arrivals,
    gone,
    slowRequest,
    otherProcess: { finish: () => undefined },
    browser,
    newBrowser,
    browserNames: () => [...browsers.keys()],
    count: (endpoint) => server.count(endpoint) + (secondServer?.count(endpoint) ?? 0),
    who: async (asking) => JSON.parse((await asking.request(apps[0]!.url('/who'))).body) as Who,
    sessionCookie(id) {
      const signature = createHmac('sha256', secret).update(id).digest('base64').replace(/=+$/, '')
      return encodeURIComponent(`s:${id}.${signature}`)
    },
    secrets: () => [
      ...server.clients.flatMap(({ clientSecret }) => clientSecret ?? []),
      ...[...server.secrets].slice(oldSecrets),
      ...(secondServer?.secrets ?? []),
      ...(kept?.secrets ?? []),
    ],
    keepBefore() {
      const kinds = ['session', 'pending login', 'tokens'] as const
      kept = {
        rows: kinds.flatMap((kind) =>
          store.keys(kind).map((key) => [key, store.read(key)] as const),
        ),
        jar: [...(browser('main').cookies.get('127.0.0.1') ?? [])],
        secrets: [...server.secrets].slice(oldSecrets),
        refreshToken: server.issued.at(-1)?.refreshToken,
      }
    },
    bringBefore() {
      for (const [key, row] of kept?.rows ?? []) store.write(key, row)
      if (kept) browser('main').cookies.set('127.0.0.1', new Map(kept.jar))
      return kept !== undefined
    },
    refreshTokenBefore: () => kept?.refreshToken,
    async reset() {
      clock.release()
      await server.start()
      oldSecrets = server.secrets.size
      server.reset()
      for (const each of stores) {
        each.behave()
        each.emit('connect')
        each.empty()
      }
      browsers.clear()
      tabs.clear()
      for (const app of apps) app.errors.length = 0
    },
    async close() {
      clock.release()
      slowRequest.release()
      for (const each of stores) each.behave()
      await closeAll(running)
    },
  }
}

/** Whether the flow is one of which the authorization server's logout can come back. */
function comesBack({ flow = {}, plainOAuth: isPlain }: AppSetUp): boolean {
  const { scope = 'openid', purpose, redirectUri } = flow
  const words = Array.isArray(scope) ? (scope as unknown[]) : String(scope).split(' ')
  if (redirectUri !== undefined) return false
  return isPlain !== true && purpose !== 'connect' && words.includes('openid')
}

async function closeAll(running: readonly Running[]): Promise<void> {
  await Promise.all(running.map((each) => each.close()))
}

/** The login that was started under this name. */
export function tabOf(world: World, name: string): Tab {
  const tab = world.tabs.get(name)
  if (!tab) throw new Error(`No login "${name}" was started`)
  return tab
}
