import { ConfigurationError } from '../errors.ts'
import { isSecureOrLoopback } from '../secure-url.ts'

/** Refuses members that do not exist, and suggests the one that was meant. */
export function refuseUnknown(given: object, known: readonly string[], parent: string): void {
  for (const name of Object.keys(given)) {
    if (known.includes(name)) continue
    const meant = known.find((candidate) => isMisspelling(candidate, name))
    throw new ConfigurationError(
      `${quoted(parent + name)} is not an option of express-pkce-flow.` +
        (meant === undefined ? '' : ` Did you mean ${quoted(parent + meant)}?`),
    )
  }
}

export function invalid(name: string, message: string): ConfigurationError {
  return new ConfigurationError(
    `Option ${quoted(name)} ${message}${message.endsWith('?') ? '' : '.'}`,
  )
}

/** A name that was given may be anything, also a secret put in the wrong place: shown cut. */
function quoted(name: string): string {
  return `"${name.replace(/[^\w.$-]/g, '?').slice(0, 60)}"`
}

/** Whether somebody who wrote `name` is likely to have meant `known`. */
export function isMisspelling(known: string, name: string): boolean {
  return plain(known) === plain(name) || oneEdit(known, name)
}

function plain(name: string): string {
  return name.replaceAll(/[_-]/g, '').toLowerCase()
}

/** Whether one letter more, less or other, or two letters swapped, makes `b` of `a`. */
function oneEdit(a: string, b: string): boolean {
  let start = 0
  while (start < a.length && a[start] === b[start]) start += 1
  const tails = [a.slice(start), b.slice(start)] as const
  return (
    tails[0].slice(1) === tails[1] ||
    tails[0] === tails[1].slice(1) ||
    tails[0].slice(1) === tails[1].slice(1) ||
    (tails[0].slice(2) === tails[1].slice(2) &&
      tails[0][0] === tails[1][1] &&
      tails[0][1] === tails[1][0])
  )
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

export function resolveUrl(name: string, value: unknown): URL {
  if (!isText(value))
    throw invalid(name, 'must be an absolute URL; is its environment variable set?')
  if (!URL.canParse(value)) throw invalid(name, 'must be an absolute URL')
  const url = new URL(value)
  if (!isSecureOrLoopback(url))
    throw invalid(name, 'must be an https: URL (http: only for localhost, 127.x.x.x and [::1])')
  if (url.username !== '' || url.password !== '')
    throw invalid(name, 'must not hold a user name or password')
  if (url.hash !== '') throw invalid(name, 'must not have a fragment')
  return url
}

export function isRoutePath(value: string): boolean {
  return /^(\/[\w.~!$&'()*+,;=:@%-]+)+$/.test(value)
}

export function routePath(name: string, value: unknown): string {
  if (!isText(value) || !isRoutePath(value))
    throw invalid(name, "must be a path such as '/auth', without a slash at its end")
  return value
}

export function resolveFunction<T>(name: string, value: T): T {
  if (value !== undefined && typeof value !== 'function') throw invalid(name, 'must be a function')
  return value
}

export function resolveFlag(name: string, value: unknown): boolean {
  if (typeof value !== 'boolean') throw invalid(name, 'must be true or false')
  return value
}

export function textList(name: string, value: unknown): string[] {
  if (!Array.isArray(value) || !value.every(isText))
    throw invalid(name, 'must be an array of non-empty strings')
  return [...value]
}

export function oneOf<const T extends string>(
  name: string,
  value: unknown,
  allowed: readonly T[],
): T {
  if (!allowed.includes(value as T))
    throw invalid(name, `must be ${allowed.map((item) => `'${item}'`).join(' or ')}`)
  return value as T
}

export function integer(name: string, value: unknown, least: number, most: number): number {
  if (!Number.isSafeInteger(value) || (value as number) < least || (value as number) > most)
    throw invalid(name, `must be a whole number from ${least} to ${most}`)
  return value as number
}

export function duration(name: string, value: unknown, least: number, most: number): number {
  if (typeof value === 'number' && value >= 1 && value <= 999)
    throw invalid(name, `is in milliseconds; ${value} looks like seconds?`)
  return integer(name, value, least, most)
}
