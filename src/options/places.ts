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

/** Paths of the routes as this app sees them; `undefined`: left out. */
export interface SettledRoutes {
  readonly login: string | undefined
  readonly callback: string
  readonly logout: string | undefined
}

export function resolveRedirectUri(value: unknown): URL {
  const url = resolveUrl('redirectUri', value)
  // Also an empty one, which the URL parser leaves no trace of.
  if (/[?#]/.test(value as string))
    throw invalid('redirectUri', 'must not have a query or a fragment')
  // Servers compare it as text (RFC 9700 section 2.1), so there is one way to write it.
  if (url.href !== value) throw invalid('redirectUri', `must be written as ${url.href}`)
  return url
}

export function resolveBasePath(value: unknown): string {
  if (value === undefined || value === '') return ''
  return routePath('basePath', value)
}

export function resolveRoutes(
  value: unknown,
  redirectPath: string,
  basePath: string,
): SettledRoutes {
  const routes = value === undefined ? {} : value
  if (!isRecord(routes)) throw invalid('routes', 'must be an object')
  refuseUnknown(routes, ['login', 'callback', 'logout'], 'routes.')
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
  const settled = { login: sibling('login'), callback, logout: sibling('logout') }
  const paths = Object.values(settled).filter((path) => path !== undefined)
  if (new Set(paths).size < paths.length) throw invalid('routes', 'must be different paths')
  return settled
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
