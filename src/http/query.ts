import type { Request } from 'express'

/**
 * Query parameters from the raw URL. `req.query` is whatever the app's query parser makes of them:
 * arrays of repeated ones, objects of brackets.
 */
export function queryParameters({ url }: Request): URLSearchParams {
  const start = url.indexOf('?')
  return new URLSearchParams(start === -1 ? '' : url.slice(start + 1))
}
