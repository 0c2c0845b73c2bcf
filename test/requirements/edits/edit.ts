/** A piece of text in a file, and what stands there instead. */
export type Change = readonly [file: string, search: string, replace: string]

/** Takes a check out of the source, or spoils what a row asks for: tests of these rows must fail then. */
export interface Edit {
  /** What is taken out, or done instead. */
  what: string
  /** Of each of these, at least one test must fail. */
  rows: readonly string[]
  /** Below `src`. The text to search for is there exactly once. */
  changes: readonly Change[]
  /** Nobody can log in with this edit, so that it is told from a broken program by other rows. */
  isFatal?: true
}

/** The source without `what`. */
export function without(
  what: string,
  rows: readonly string[],
  ...changes: readonly Change[]
): Edit {
  return { what, rows, changes }
}

/** The same, if nobody can log in then. */
export function fatally(
  what: string,
  rows: readonly string[],
  ...changes: readonly Change[]
): Edit {
  return { what, rows, changes, isFatal: true }
}

/** Ids of sections A1 to A6, without what all of a section have in common. */
export const a1 = (...ends: string[]): string[] => ends.map((end) => `A1 oidcc-client-test${end}`)
export const a2 = (...ends: string[]): string[] => ends.map((end) => `A2 oidcc-client-test-${end}`)
export const a3 = (...ends: string[]): string[] =>
  ends.map((end) => `A3 oidcc-client-test-refresh-token${end}`)
export const a4 = (...ends: string[]): string[] =>
  ends.map((end) => `A4 oidcc-client-test-rp-init-logout${end}`)
export const a5 = (...ends: string[]): string[] =>
  ends.map((end) => `A5 oidcc-client-test-rp-backchannel-rpinitlogout${end}`)
export const a6 = (...ends: string[]): string[] =>
  ends.map((end) => `A6 oidcc-client-test-rp-frontchannel-${end}`)
export const a7 = 'A7 oidcc-client-test-3rd-party-init-login'
