import {
  invalid,
  isRecord,
  isRoutePath,
  isText,
  refuseUnknown,
  resolveUrl,
  routePath,
  textList,
} from './checks.ts'
import { placeToReturn, type Places } from '../return-to.ts'
import type { ServerMetadata } from './server-metadata.ts'

/** Paths of the routes as the app sees them. */
export interface Routes {
  login?: string | false | undefined
  callback?: string | undefined
  logout?: string | false | undefined
  /**
   * Where the authorization server posts logout tokens (OpenID Connect Back-Channel Logout 1.0):
   * registered there, as an absolute URL, as `backchannel_logout_uri`. Needs the scope `openid`.
   * Default: none.
   */
  backchannelLogout?: string | undefined
  /**
   * What the authorization server loads in an iframe when the person logs out there (OpenID Connect
   * Front-Channel Logout 1.0): registered there as `frontchannel_logout_uri`, together with
   * `frontchannel_logout_session_required: true`. Needs the scope `openid`. Default: none.
   */
  frontchannelLogout?: string | undefined
}

/** Paths of the routes as this app sees them; `undefined`: left out. */
export interface SettledRoutes {
  readonly login: string | undefined
  readonly callback: string
  readonly logout: string | undefined
  /** Where the browser comes back to from the authorization server's logout. */
  readonly postLogout: string | undefined
  readonly backchannelLogout: string | undefined
  readonly frontchannelLogout: string | undefined
}

/** @param name of the option: `redirectUri`, or another that the authorization server redirects to */
export function resolveRedirectUri(name: string, value: unknown): URL {
  const url = resolveUrl(name, value)
  // Also an empty one, which the URL parser leaves no trace of.
  if (/[?#]/.test(value as string)) throw invalid(name, 'must not have a query or a fragment')
  // Servers compare it as text (RFC 9700 section 2.1), so there is one way to write it.
  if (url.href !== value) throw invalid(name, `must be written as ${url.href}`)
  return url
}

export function resolveBasePath(value: unknown): string {
  if (value === undefined || value === '') return ''
  return routePath('basePath', value)
}

const routeNames = ['login', 'callback', 'logout', 'backchannelLogout', 'frontchannelLogout']

export function resolveRoutes(
  value: unknown,
  redirectPath: string,
  basePath: string,
  postLogout: string | undefined,
): SettledRoutes {
  const routes = value === undefined ? {} : value
  if (!isRecord(routes)) throw invalid('routes', 'must be an object')
  refuseUnknown(routes, routeNames, 'routes.')
  if (routes.callback === undefined && !redirectPath.startsWith(`${basePath}/`))
    throw invalid('basePath', "must be the beginning of redirectUri's path")
  const callback =
    routes.callback === undefined
      ? redirectPath.slice(basePath.length).replace(/\/$/, '')
      : routePath('routes.callback', routes.callback)
  if (!isRoutePath(callback))
    throw invalid('redirectUri', 'needs a path of its own, for example /callback')
  const sibling = (name: 'login' | 'logout') => {
    const given = routes[name]
    if (given === false) return undefined
    if (given !== undefined) return routePath(`routes.${name}`, given)
    return callback.slice(0, callback.lastIndexOf('/') + 1) + name
  }
  const optional = (name: 'backchannelLogout' | 'frontchannelLogout') =>
    routes[name] === undefined ? undefined : routePath(`routes.${name}`, routes[name])
  const named = {
    ...{ login: sibling('login'), callback, logout: sibling('logout') },
    backchannelLogout: optional('backchannelLogout'),
    frontchannelLogout: optional('frontchannelLogout'),
  }
  const paths = Object.values(named).filter((path) => path !== undefined)
  if (new Set(paths).size < paths.length) throw invalid('routes', 'must be different paths')
  if (postLogout !== undefined && paths.includes(postLogout))
    throw invalid('postLogoutRedirectUri', "must not lead to another of this flow's routes")
  return { ...named, postLogout }
}

export function resolveOrigins(name: string, value: unknown): ReadonlySet<string> {
  return new Set(
    textList(name, value).map((origin) => {
      const url = resolveUrl(name, origin)
      if (url.href !== `${url.origin}/`) throw invalid(name, 'must be origins, without a path')
      return url.origin
    }),
  )
}

export function resolveApiOrigins(
  value: unknown,
  issuer: string | undefined,
  { token_endpoint: endpoint }: ServerMetadata,
): ReadonlySet<string> {
  return value === undefined
    ? new Set([new URL(issuer ?? String(endpoint)).origin])
    : resolveOrigins('apiOrigins', value)
}

export function resolveLanding(name: string, value: unknown, places: Places): string {
  const path = isText(value) && value.startsWith('/') ? places.basePath + value : value
  const landing = placeToReturn(places, path)
  if (landing !== undefined) return landing
  throw invalid(
    name,
    "must be a path such as '/', not one of this flow's routes, or a URL of one of returnToOrigins",
  )
}
