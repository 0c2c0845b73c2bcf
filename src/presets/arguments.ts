import { ConfigurationError } from '../errors.ts'
import { invalid, isRecord, isText, refuseUnknown, resolveUrl } from '../options/checks.ts'

/** A host name, or an origin, with or without a port. */
const hostPattern = /^(https?:\/\/)?([a-z\d_.-]+|\[[\da-f:.]+\])(:\d{1,5})?\/?$/i

/** Arguments of the preset `name` as they were given; throws `configuration` for others than `known`. */
export function readArguments(
  name: string,
  given: unknown,
  known: readonly string[],
): Record<string, unknown> {
  if (!isRecord(given))
    throw new ConfigurationError(`${name}() takes an object with ${known.join(', ')}.`)
  refuseUnknown(given, known, `${name}.`)
  return given
}

/** The origin that an argument names: `https:`, or as it says (`http:` on loopback only). */
export function readOrigin(name: string, value: unknown): string {
  if (!isText(value)) throw invalid(name, 'must be a host name; is its environment variable set?')
  const match = hostPattern.exec(value)
  if (match === null)
    throw invalid(name, "must be a host name such as 'id.example.com', or an https: origin")
  return resolveUrl(name, match[1] === undefined ? `https://${value}` : value).origin
}

/** One segment of a path, encoded. */
export function readSegment(name: string, value: unknown): string {
  if (!isText(value))
    throw invalid(name, 'must be a non-empty string; is its environment variable set?')
  if (/[\\/?#\s]|^\.{1,2}$/.test(value)) throw invalid(name, 'must be a name, not a path')
  return encodeURIComponent(value)
}
