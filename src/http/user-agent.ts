import type { Request } from 'express'

/** Whether the request says that nobody looks at its answer yet. */
export function isPrefetch({ headers }: Request): boolean {
  return [headers['sec-purpose'], headers.purpose, headers['x-moz']].some(
    (purpose) => typeof purpose === 'string' && /prefetch|preview|prerender/.test(purpose),
  )
}

/**
 * Whether a person waits for a page: a top-level navigation. Told by Fetch Metadata, then by
 * `X-Requested-With`, then by `Accept`.
 */
export function isPerson(req: Request): boolean {
  if (req.method === 'HEAD' || req.method === 'OPTIONS' || isPrefetch(req)) return false
  const mode = req.headers['sec-fetch-mode']
  const destination = req.headers['sec-fetch-dest']
  if (mode !== undefined || destination !== undefined)
    return (mode ?? 'navigate') === 'navigate' && (destination ?? 'document') === 'document'
  if (req.headers['x-requested-with'] !== undefined) return false
  return /\btext\/html\b|\bapplication\/xhtml\+xml\b/.test(req.headers.accept ?? '')
}

/** Whether the browser says that this is not a navigation of the page: a script, image or frame. */
export function isEmbedded({ headers }: Request): boolean {
  const mode = headers['sec-fetch-mode']
  const destination = headers['sec-fetch-dest']
  return (
    (mode !== undefined && mode !== 'navigate') ||
    (destination !== undefined && destination !== 'document')
  )
}

/** Whether the browser says that a page of another site caused this request. */
export function isCrossSite({ headers }: Request): boolean {
  return headers['sec-fetch-site'] === 'cross-site'
}
