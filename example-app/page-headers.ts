import type { RequestHandler } from 'express'

/** No page is for a cache, since each says who is signed in; none has a script. */
export function pageHeaders(issuer: string): RequestHandler {
  const headers = {
    'Cache-Control': 'no-store',
    'Content-Security-Policy':
      "default-src 'none'; style-src 'self'; img-src 'self'; " +
      // The form that logs out is redirected there, and browsers apply this to redirects, too.
      `form-action 'self' ${new URL(issuer).origin}; ` +
      "base-uri 'none'; frame-ancestors 'none'",
    'Referrer-Policy': 'same-origin',
    'X-Content-Type-Options': 'nosniff',
  }
  return function setPageHeaders(_req, res, next) {
    res.set(headers)
    next()
  }
}
