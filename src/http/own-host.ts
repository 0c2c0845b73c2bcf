import type { Request } from 'express'
import type { Flow } from './flow.ts'
import { queryParameters } from './query.ts'

/** Tells a start that was sent to redirectUri's host from one that never can arrive there. */
const movedParameter = 'pkce-flow-moved'

/** Whether the request says that a start on another host was sent here. Anybody can write that. */
export function wasMoved(req: Request): boolean {
  return queryParameters(req).has(movedParameter)
}

/** Whether the request came to another host than redirectUri's, or by http: instead of https:. */
export function isElsewhere({ settings }: Flow, req: Request): boolean {
  const { hostname, protocol } = new URL(settings.redirectUri)
  const requested = req.hostname as string | undefined
  if (requested === undefined) return false
  return requested.toLowerCase() !== hostname || !(req.secure || protocol === 'http:')
}

/**
 * Cookies set on `localhost` do not come back to `127.0.0.1`, those of `www.` not without it, secure
 * ones cannot be set by http: a login begins on the host that it comes back to. Behind a proxy that
 * does not say where a request came to, all of them look misplaced, so this is tried once.
 *
 * @param samePlace path and query, as the browser sees them, that start the same login there
 */
export function placeOnOwnHost(flow: Flow, req: Request, samePlace: string): string | undefined {
  if (!isElsewhere(flow, req) || wasMoved(req) || !samePlace.startsWith('/')) return undefined
  return `${flow.settings.origin}${escaped(samePlace)}${samePlace.includes('?') ? '&' : '?'}${movedParameter}=1`
}

/** Browsers escape these themselves (RFC 3986 section 2); what was sent without is not repeated so. */
function escaped(place: string): string {
  return place.replace(
    /[^\x21-\x7e]|["<>\\^`{|}]/g,
    (byte) => `%${byte.charCodeAt(0).toString(16).padStart(2, '0').toUpperCase()}`,
  )
}
