import type { Request, RequestHandler } from 'express'
import { ConfigurationError, PkceFlowError } from '../errors.ts'
import type { Settings } from '../options/settings.ts'
import { backchannelLogoutHandler } from './backchannel-logout.ts'
import { callbackHandler } from './callback-handler.ts'
import type { CurrentLogin } from './current-login.ts'
import type { Flow } from './flow.ts'
import { frontchannelLogoutHandler } from './frontchannel-logout.ts'
import { loginRoute } from './login-handler.ts'
import { logoutHandler } from './logout-handler.ts'
import { refuseMethod } from './method-not-allowed.ts'
import { postLogoutHandler } from './post-logout.ts'

/** One of the flow's own routes. */
interface Route {
  methods: readonly string[]
  /** Whether it looks at what is posted, though most of that is a wrong method. */
  takesForms?: boolean
  handle: RequestHandler
}

/** The flows that each app has mounted, to find clashes between two of them. */
const flowsByApp = new WeakMap<object, Flow[]>()

/**
 * The flow's own routes; every other request goes to `otherwise`. Matched against the whole path, so
 * that the routes are where `redirectUri` says, wherever the router is mounted.
 */
export function createRoutes(
  flow: Flow,
  current: CurrentLogin,
  otherwise: RequestHandler,
): RequestHandler {
  const { login, callback, logout, ...ofServer } = flow.settings.routes
  const { postLogout, backchannelLogout, frontchannelLogout } = ofServer
  const handlers = new Map<string, Route>()
  const posted = flow.settings.purpose === 'login' && { takesForms: true }
  const answers = flow.settings.responseMode === 'form_post' ? ['GET', 'POST'] : ['GET']
  handlers.set(callback, { methods: answers, handle: callbackHandler(flow) })
  if (login !== undefined)
    handlers.set(login, { methods: ['GET'], handle: loginRoute(flow), ...posted })
  if (logout !== undefined)
    handlers.set(logout, { methods: ['GET', 'POST'], handle: logoutHandler(flow, current) })
  if (postLogout !== undefined)
    handlers.set(postLogout, { methods: ['GET'], handle: postLogoutHandler(flow) })
  if (backchannelLogout !== undefined)
    handlers.set(backchannelLogout, { methods: ['POST'], handle: backchannelLogoutHandler(flow) })
  if (frontchannelLogout !== undefined)
    handlers.set(frontchannelLogout, { methods: ['GET'], handle: frontchannelLogoutHandler(flow) })

  let checkedApp: unknown
  let reachable = false

  return function expressPkceFlow(req, res, next) {
    if (req.app !== checkedApp) {
      // A mount path with parameters brings others that never see an answer.
      const missed = misplaced(flow, req)
      reachable ||= missed === undefined
      const error = clash(flow, req) ?? (reachable ? undefined : missed)
      if (error !== undefined) {
        next(flow.describe(error))
        return
      }
      checkedApp = req.app
    }
    const path = req.baseUrl + req.path
    const route =
      handlers.get(path) ?? (path.endsWith('/') ? handlers.get(path.slice(0, -1)) : undefined)
    if (route === undefined) void otherwise(req, res, next)
    else if (route.methods.includes(req.method) || (route.takesForms && req.method === 'POST'))
      void route.handle(req, res, next)
    else refuseMethod(res, route.methods)
  }
}

/** Two flows of one app that would take each other's sessions, requests or tokens. */
function clash(flow: Flow, req: Request): PkceFlowError | undefined {
  // Apps within apps share the session.
  let { app } = req as { app: { parent?: typeof req.app } & object }
  while (app.parent !== undefined) app = app.parent
  const flows = flowsByApp.get(app) ?? []
  flowsByApp.set(app, flows)
  if (flows.includes(flow)) return undefined
  const { settings } = flow
  for (const { settings: other } of flows) {
    const taken = routePaths(other)
    const path = routePaths(settings).find((candidate) => taken.includes(candidate))
    const names = `The flows "${other.name}" and "${settings.name}" of this app`
    if (other.name === settings.name)
      return new ConfigurationError(`${names} have the same name. Give one another option "name".`)
    if (path !== undefined)
      return new ConfigurationError(`${names} both have the route ${path}. Use other redirectUris.`)
    if (other.requestProperty === settings.requestProperty && other.attach && settings.attach)
      return new ConfigurationError(
        `${names} both put their token on req.${settings.requestProperty}. Give one another option "requestProperty".`,
      )
  }
  flows.push(flow)
  return undefined
}

function routePaths({ routes }: Settings): string[] {
  return (Object.values(routes) as (string | undefined)[]).filter((path) => path !== undefined)
}

/** Where the authorization server sends something to: options with the paths that they lead to. */
export function expectedPaths({ routes }: Settings): [option: string, path: string][] {
  const places = {
    redirectUri: routes.callback,
    postLogoutRedirectUri: routes.postLogout,
    'routes.backchannelLogout': routes.backchannelLogout,
    'routes.frontchannelLogout': routes.frontchannelLogout,
  }
  return Object.entries(places).flatMap(([option, path]) =>
    path === undefined ? [] : [[option, path]],
  )
}

/** A router that what the authorization server sends can never reach. */
function misplaced({ settings }: Flow, { baseUrl }: Request): PkceFlowError | undefined {
  for (const [option, path] of expectedPaths(settings))
    if (!path.toLowerCase().startsWith(`${baseUrl.toLowerCase()}/`))
      return new PkceFlowError(
        'callback_misplaced',
        `The router is mounted at ${baseUrl}, and ${option} leads to ${path}, which it never sees. ` +
          `Mount it with app.use(flow), or change ${option}, here and at the authorization server.`,
      )
  return undefined
}
