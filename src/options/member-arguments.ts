import type { Request } from 'express'
import { ConfigurationError } from '../errors.ts'
import { refuseUnknown } from './checks.ts'
import { resolveScopeList } from './scope.ts'

/** Checks the arguments of a member that takes options: `app.use(flow.login)` lacks its `()`. */
export function onlyOptions(member: string, given: unknown[], known: string[]): object {
  const [options = {}] = given
  if (given.length > 1 || typeof options !== 'object' || options === null || 'headers' in options)
    throw new ConfigurationError(
      `${member} takes an object of options and returns a handler: write ${member}(), with parentheses.`,
    )
  refuseUnknown(options, known, `${member}.`)
  return options
}

/** The option `scope` of a member that takes one. */
export function scopeOf(
  member: string,
  { scope }: { scope?: string | readonly string[] | undefined },
): readonly string[] | undefined {
  if (scope === undefined) return undefined
  const list = resolveScopeList(`${member}: "scope"`, scope)
  if (!list.includes('openid')) return list
  throw new ConfigurationError(
    `${member}: "scope" cannot add 'openid'. Put it in the option "scope", or leave it out here.`,
  )
}

/** The argument of a member that takes the request. */
export function onlyRequest(member: string, req: unknown): Request {
  if (typeof req === 'object' && req !== null && 'headers' in req) return req as Request
  throw new ConfigurationError(`${member} takes the request: write await flow.${member}(req).`)
}
