// What comes out of a store may have been written by an older version, or by anybody else.

export type Check = (value: unknown) => boolean

/** The last moment that a `Date` can be. Milliseconds since the epoch. */
const lastTime = 8.64e15

export function isText(value: unknown): value is string {
  return typeof value === 'string'
}

export function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every(isText)
}

/** Milliseconds since the epoch, or a number of them. */
export function isTime(value: unknown): value is number {
  return typeof value === 'number' && Math.abs(value) <= lastTime
}

export function isFlag(value: unknown): value is boolean {
  return typeof value === 'boolean'
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Absent, or as `check` says. */
export function optional(check: Check): Check {
  return (value) => value === undefined || check(value)
}

/** Whether a value is an object whose own members are as `checks` say. */
export function object(checks: Readonly<Record<string, Check>>): Check {
  // Signed-in requests come here: what can be done once is.
  const members = Object.entries(checks)
  return (value) => {
    if (!isObject(value)) return false
    for (const [name, check] of members)
      if (!check(Object.hasOwn(value, name) ? value[name] : undefined)) return false
    return true
  }
}
