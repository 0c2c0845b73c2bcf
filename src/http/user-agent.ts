import type { Request } from 'express'

/** Whether the request says that nobody looks at its answer yet. */
export function isPrefetch({ headers }: Request): boolean {
  const { purpose: short } = headers
  return [headers['sec-purpose'], short, headers['x-purpose'], headers['x-moz']].some(
    (purpose) => typeof purpose === 'string' && /prefetch|preview|prerender/.test(purpose),
  )
}

/**
 * Whether a person waits for a page: a top-level navigation. Told by Fetch Metadata, then by
 * `X-Requested-With`, then by `Accept`.
 */
export function isPerson(req: Request): boolean {
  if (req.method === 'OPTIONS' || !mayStart(req)) return false
  if ('sec-fetch-mode' in req.headers || 'sec-fetch-dest' in req.headers) return true
  if (req.headers['x-requested-with'] !== undefined) return false
  return /\btext\/html\b|\bapplication\/xhtml\+xml\b/.test(req.headers.accept ?? '')
}

/**
 * Whether a login may start with this request (P14): not if it says that it is for a script, an image
 * or a frame, that nobody looks at its answer yet, or that there is none to look at.
 */
export function mayStart(req: Request): boolean {
  const mode = req.headers['sec-fetch-mode'] ?? 'navigate'
  const destination = req.headers['sec-fetch-dest'] ?? 'document'
  return (
    mode === 'navigate' && destination === 'document' && req.method !== 'HEAD' && !isPrefetch(req)
  )
}

/** Whether the browser says that a page of another site caused this request. */
export function isCrossSite({ headers }: Request): boolean {
  return headers['sec-fetch-site'] === 'cross-site'
}

/**
 * Whether the person caused the request, on a page of this origin or by the address bar: what another
 * site must not be able to do. Told by Fetch Metadata; without it `Origin` or else `Referer` must be
 * ours.
 *
 * A page of ours that refreshes, to bring Strict cookies along, leads where another site wanted: it
 * sends no referrer, and to a browser with Fetch Metadata no person has activated what follows.
 */
export function isFromOwnPage({ headers }: Request, origin: string): boolean {
  const site = headers['sec-fetch-site']
  if (site !== undefined)
    return site === 'none' || (site === 'same-origin' && headers['sec-fetch-user'] === '?1')
  const { referer = '' } = headers
  return (headers.origin ?? (URL.canParse(referer) ? new URL(referer).origin : '')) === origin
}
