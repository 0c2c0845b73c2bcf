import type { Response } from 'express'
import { keepPrivate } from './landing.ts'

/** Answers a request whose method a route does not take (RFC 9110 section 15.5.6). */
export function refuseMethod(res: Response, allowed: readonly string[]): void {
  keepPrivate(res)
  res.status(405).set('Allow', allowed.join(', ')).end()
}
