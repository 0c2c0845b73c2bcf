import type { Request } from 'express'
import { wasMoved } from '../http/own-host.ts'

// Where the browser is, by what it says itself. Proxies rewrite Host and forget the scheme; what
// scripts and links cannot set (Fetch Metadata) passes through.

/** The origin in the browser's address bar; `undefined` where the request does not tell for sure. */
export function browserOrigin({ headers }: Request): string | undefined {
  if (headers['sec-fetch-site'] !== 'same-origin') return undefined
  const page = headers.origin ?? headers.referer ?? ''
  const origin = URL.canParse(page) ? new URL(page).origin : 'null'
  // Also of what has none, such as about:blank (HTML section 7.1.1).
  return origin === 'null' ? undefined : origin
}

/** Whether the browser asked by https, for sure. */
export function isBrowserOnHttps(req: Request): boolean {
  const origin = browserOrigin(req)
  if (origin !== undefined) return origin.startsWith('https:')
  // Who was sent on to https is there.
  if (wasMoved(req)) return true
  // Browsers send it to https, and to loopback, only.
  return 'sec-fetch-site' in req.headers && !isLoopback(req.hostname)
}

/** Browsers trust these without TLS (Secure Contexts section 3.1). */
function isLoopback(hostname: string | undefined): boolean {
  return hostname === undefined || /^(.*\.)?localhost$|^127\.|^\[::1\]$/i.test(hostname)
}

/** A host name that a browser sent, to be shown. */
export function shown(hostname: string): string {
  return /^[\w.:[\]-]{1,100}$/.test(hostname) ? hostname : 'another host'
}
