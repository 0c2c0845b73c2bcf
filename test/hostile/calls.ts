import { mock } from 'node:test'
import type { Express } from 'express'
import { PkceFlowError, type PkceFlow, type PkceFlowManager } from '../../src/index.ts'
import { createOpenIdManager, startLogin } from '../manager/memory-manager.ts'
import { startApp, type RunningApp } from '../support/app.ts'
import { createBrowser, type Browser } from '../support/browser.ts'
import type { HostileServer, Path } from './hostile-server.ts'

/** What came of a call, as its caller sees it. */
export interface Said {
  status: number
  code?: string | undefined
  revoked?: boolean | undefined
}

/** An app, and a manager, that use a hostile server. */
export interface World {
  hostile: HostileServer
  app: RunningApp
  manager: PkceFlowManager<string>
}

/** A call that this package makes of the authorization server, as somebody causes it. */
export interface Call {
  name: string
  path: Path
  /** Whether it is made once by an app, and has to be made by another one. */
  isFirst?: boolean
  isPushed?: boolean
  /** Brings things to where what is returned makes the call. */
  prepare(world: World): Promise<() => Promise<Said>>
  /** Whether it makes do with any answer of status 200, or none. */
  isCourtesy?: boolean
  /** Every failure is one that passes, and its caller is told so. */
  isRefresh?: boolean
  /** Whether another call of this list makes the same request: some of the faults will do. */
  isTwin?: boolean
  /** Whether the tokens belong to the session. Default: to the user. */
  isOfSession?: boolean
  /** Status when all is well. Default: 200. */
  well?: number
}

/** Milliseconds: longer than an access token lives. */
const later = 7_200_000

/** Of the app: whose tokens `forUser` is asked for. */
const user = 'the user of the app'

export async function createWorld(
  hostile: HostileServer,
  timeout: number,
  isOfSession = false,
): Promise<World> {
  const { issuer, server } = hostile
  const perUser = isOfSession ? {} : { tokenStore: new Map(), userId: () => user }
  const app = await startApp({
    server,
    flow: { issuer, timeout, ...perUser, apiOrigins: [issuer] },
    routes,
  })
  const manager = createOpenIdManager(server, {
    issuer,
    timeout,
    redirectUri: app.url('/callback'),
  })
  return { hostile, app, manager }
}

function routes(app: Express, flow: PkceFlow) {
  app.get('/', (_req, res) => res.json({}))
  app.get('/token', flow.requireToken({ unauthenticated: 'problem' }), (_req, res) => res.json({}))
  app.get('/info', (req, res, next) => {
    flow.userInfo(req).then(() => res.json({}), next)
  })
  app.get('/disconnect', (req, res, next) => {
    flow.disconnect(req).then((done) => res.json(done), next)
  })
}

/** A browser that is signed in. */
export async function logIn({ app }: World): Promise<Browser> {
  const browser = createBrowser()
  const page = await browser.open(app.url('/login'))
  if (page.status !== 200) throw new Error(`Not signed in: ${page.body}`)
  return browser
}

/** What an error or a result says. */
async function saidBy<T>(work: Promise<T>, said: (result: T) => Partial<Said>): Promise<Said> {
  try {
    return { status: 200, ...said(await work) }
  } catch (error) {
    if (!(error instanceof PkceFlowError)) throw error
    return { status: error.status, code: error.code }
  }
}

async function ask({ app }: World, browser: Browser, path: string): Promise<Said> {
  const { status, headers, body } = await browser.request(app.url(path))
  const isJson = headers['content-type']?.includes('json') === true
  const { code, revoked } = isJson ? (JSON.parse(body) as Said) : {}
  return { status, code, revoked }
}

/** A code that waits to be exchanged. */
async function atCallback(world: World) {
  const { app } = world
  const browser = createBrowser()
  const callback = await browser.openUntil(app.url('/callback'), app.url('/login'))
  return () => ask(world, browser, callback.slice(app.origin.length))
}

function startsLogin(world: World) {
  const browser = createBrowser()
  return Promise.resolve(() => ask(world, browser, '/login'))
}

export const calls: readonly Call[] = [
  {
    name: 'discovery',
    path: '/.well-known/openid-configuration',
    isFirst: true,
    well: 302,
    prepare: startsLogin,
  },
  { name: 'the signing keys', path: '/jwks', isFirst: true, well: 302, prepare: atCallback },
  {
    name: 'a pushed authorization request',
    path: '/par',
    isPushed: true,
    well: 302,
    prepare: startsLogin,
  },
  { name: 'a code', path: '/token', well: 302, prepare: atCallback },
  {
    name: 'a refresh token',
    path: '/token',
    isRefresh: true,
    prepare: async (world) => {
      const browser = await logIn(world)
      mock.timers.tick(later)
      return () => ask(world, browser, '/token')
    },
  },
  {
    name: 'userinfo',
    path: '/userinfo',
    prepare: async (world) => {
      const browser = await logIn(world)
      return () => ask(world, browser, '/info')
    },
  },
  {
    name: 'revocation when an account is disconnected',
    path: '/revoke',
    isCourtesy: true,
    prepare: async (world) => {
      const browser = await logIn(world)
      return () => ask(world, browser, '/disconnect')
    },
  },
  {
    name: 'revocation when somebody logs out',
    isTwin: true,
    isOfSession: true,
    path: '/revoke',
    isCourtesy: true,
    well: 302,
    prepare: async (world) => {
      const browser = await logIn(world)
      return () => ask(world, browser, '/logout')
    },
  },
  {
    name: 'a refresh token without a request (forUser)',
    isTwin: true,
    path: '/token',
    isRefresh: true,
    prepare: async (world) => {
      await logIn(world)
      mock.timers.tick(later)
      return () => saidBy(world.app.flow.forUser(user).token(), () => ({}))
    },
  },
  {
    name: 'userinfo without a request (forUser)',
    isTwin: true,
    path: '/userinfo',
    prepare: async (world) => {
      await logIn(world)
      return () => saidBy(world.app.flow.forUser(user).userInfo(), () => ({}))
    },
  },
  {
    name: 'revocation without a request (forUser)',
    isTwin: true,
    path: '/revoke',
    isCourtesy: true,
    prepare: async (world) => {
      await logIn(world)
      return () => saidBy(world.app.flow.forUser(user).disconnect(), (done) => done)
    },
  },
  {
    name: 'discovery by the manager',
    isTwin: true,
    path: '/.well-known/openid-configuration',
    isFirst: true,
    prepare: ({ manager }) =>
      Promise.resolve(() => saidBy(manager.getAuthorizationUrl('alice'), () => ({}))),
  },
  {
    name: 'a code from the manager',
    isTwin: true,
    path: '/token',
    prepare: async ({ manager }) => {
      const answer = await startLogin(manager)
      return () => saidBy(manager.fetchAccessToken(answer), () => ({}))
    },
  },
  {
    name: 'a refresh token from the manager',
    isTwin: true,
    path: '/token',
    prepare: async ({ manager }) => {
      const { refreshToken } = await manager.fetchAccessToken(await startLogin(manager))
      return () => saidBy(manager.refresh(refreshToken!), () => ({}))
    },
  },
  {
    name: 'revocation by the manager',
    isTwin: true,
    path: '/revoke',
    prepare: async ({ manager }) => {
      const { accessToken } = await manager.fetchAccessToken(await startLogin(manager))
      return () => saidBy(manager.revoke(accessToken), () => ({}))
    },
  },
]
