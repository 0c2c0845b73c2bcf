/** Characters. A longer place to return to is no place that a page linked to. */
const longestReturnTo = 2_048

/**
 * `value` as a place that a browser may be sent to: a path of `origin`, normalised, or a URL of one
 * of `origins`; `undefined` for anything else. Neither browsers nor Express leave alone what they are
 * told: `//host`, `/\host` and tabs in between lead off the site (RFC 9700 section 4.11.1).
 */
function safeReturnTo(
  value: unknown,
  origin: string,
  origins: ReadonlySet<string>,
): string | undefined {
  if (typeof value !== 'string' || value === '' || value.length > longestReturnTo) return undefined
  // Before parsing: `new URL` drops tabs and line ends, and turns backslashes into slashes.
  // oxlint-disable-next-line no-control-regex -- they are what is looked for
  if (/[\x00-\x20\x7f\\]/.test(value)) return undefined
  if (!value.startsWith('/') && !/^https?:\/\//i.test(value)) return undefined
  if (!URL.canParse(value, origin)) return undefined
  const url = new URL(value, origin)
  if (url.username !== '' || url.password !== '') return undefined
  if (url.origin !== origin) return origins.has(url.origin) ? url.href : undefined
  // After parsing: `/..//host` has become `//host`.
  const path = url.pathname + url.search + url.hash
  return path.startsWith('//') ? undefined : path
}

/** What decides where a login or logout may lead. */
export interface Places {
  readonly origin: string
  readonly returnToOrigins: ReadonlySet<string>
  readonly basePath: string
  /** Paths of the flow's own routes. */
  readonly routes: object
}

/** `value` as a place that a login or logout may lead to; never one of the flow's own routes. */
export function placeToReturn(places: Places, value: unknown): string | undefined {
  const { origin, returnToOrigins, basePath, routes } = places
  const place = safeReturnTo(value, origin, returnToOrigins)
  const path = place?.replace(/[?#].*$/, '').replace(/\/$/, '')
  const own = (Object.values(routes) as (string | undefined)[]).some(
    (route) => route !== undefined && basePath + route === path,
  )
  return own ? undefined : place
}
