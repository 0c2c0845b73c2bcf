import type { Dialect } from '../options/preset.ts'
import { jsonObject } from './json-response.ts'
import type { ServerResponse } from './transport.ts'

// Token requests and their answers as a server's dialect has them.

type Json = Record<string, unknown>

/** Headers and body of a token request. */
export function writeRequest(
  headers: Readonly<Record<string, string>>,
  body: URLSearchParams,
  { jsonRequests }: Dialect,
): { headers: Readonly<Record<string, string>>; body: string } {
  if (jsonRequests !== true) return { headers, body: body.toString() }
  return {
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify(Object.fromEntries(body)),
  }
}

/** The members of an answer; `undefined` if it has none that could be read. */
export function readAnswer(response: ServerResponse, { formResponses }: Dialect): Json | undefined {
  const json = jsonObject(response)
  const type = response.headers['content-type'] ?? ''
  return json === undefined &&
    formResponses === true &&
    /^application\/x-www-form-urlencoded\b/i.test(type)
    ? Object.fromEntries(new URLSearchParams(response.body.toString('utf8')))
    : json
}

/** The error of an answer, as registered if the dialect says what it stands for. */
export function errorIn(json: Json, { refusals = {} }: Dialect): string | undefined {
  for (const [member, meanings] of Object.entries(refusals)) {
    const value = json[member]
    if (typeof value !== 'string') continue
    const known = Object.entries(meanings).find(([text]) => matches(value, text))
    if (known !== undefined) return known[1]
  }
  return typeof json.error === 'string' ? json.error : undefined
}

/** Whether `value` is `text`, or begins with what is before the asterisk that `text` ends with. */
function matches(value: string, text: string): boolean {
  return text.endsWith('*') ? value.startsWith(text.slice(0, -1)) : value === text
}

/** The granted scope, delimited by spaces; `undefined` if the answer does not say. */
export function grantedScope(
  json: Json,
  { grantedScope: place = {} }: Dialect,
): string | undefined {
  const scope = json[place.member ?? 'scope']
  if (
    place.form === 'array' &&
    Array.isArray(scope) &&
    scope.every((one) => typeof one === 'string')
  )
    return scope.join(' ')
  if (typeof scope !== 'string') return undefined
  return place.form === 'commas' ? scope.replaceAll(',', ' ') : scope
}

/** In lower case; `bearer` if the answer does not say, or what it says means that. */
export function tokenTypeIn({ token_type }: Json, { tokenTypes = [] }: Dialect): string {
  const type = typeof token_type === 'string' ? token_type.toLowerCase() : 'bearer'
  return tokenTypes.includes(type) ? 'bearer' : type
}
