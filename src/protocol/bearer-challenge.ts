/** Between challenges and parameters. Some servers put semicolons there. */
const separators = /[\s,;]+/y

/** `name = value` or `name = "quoted value"`. */
const parameter =
  /([\w!#$%&'*+.^`|~-]+)[ \t]*=[ \t]*(?:([\w!#$%&'*+.^`|~-]+)|"([^"\\]*(?:\\.[^"\\]*)*)")/y

/** A scheme, with its token68 if it has one: credentials as one word, such as `Negotiate YWJj==`. */
const scheme = /([\w!#$%&'*+.^`|~-]+)(?:[ \t]+[\w.~+/-]+=*(?=[ \t]*(?:,|$)))?/y

/**
 * Whether a `WWW-Authenticate` field (RFC 9110 section 11.6.1; several lines joined by commas) says
 * that the access token is expired, revoked or otherwise invalid (RFC 6750 section 3.1, RFC 9449
 * section 7.1). What cannot be read says nothing.
 */
export function saysInvalidToken(wwwAuthenticate: string | null): boolean {
  const field = wwwAuthenticate ?? ''
  let isOurs = false
  let at = 0

  function take(pattern: RegExp) {
    pattern.lastIndex = at
    const match = pattern.exec(field)
    if (match) at = pattern.lastIndex
    return match
  }

  while (at < field.length) {
    if (take(separators)) continue
    const [found, name = '', token, quoted = ''] = take(parameter) ?? []
    if (found !== undefined) {
      const value = token ?? quoted.replace(/\\(.)/g, '$1')
      if (isOurs && name.toLowerCase() === 'error' && value === 'invalid_token') return true
      continue
    }
    const challenge = take(scheme)
    if (challenge === null) return false
    isOurs = /^(bearer|dpop)$/i.test(challenge[1] ?? '')
  }
  return false
}
