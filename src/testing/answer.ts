/** What an endpoint answers, before any fault spoils it. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** A JSON document that nobody may cache (RFC 6749 section 5.1). */
export function jsonAnswer(
  document: unknown,
  status = 200,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  return {
    status,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers },
    body: JSON.stringify(document),
  }
}

/** An error response (RFC 6749 section 5.2). */
export function errorAnswer(
  error: string,
  description: string,
  status = 400,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  return jsonAnswer({ error, error_description: description }, status, headers)
}

/** Header names in lower case, so that one written otherwise replaces a default and does not join it. */
export function lowerCased<Value>(headers: Readonly<Record<string, Value>>): Record<string, Value> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
  )
}

export function redirectAnswer(location: string): Answer {
  return { status: 302, headers: { location, 'cache-control': 'no-store' }, body: '' }
}

/** Text in a page of its own; both are escaped. */
export function pageAnswer(title: string, text: string, status = 200): Answer {
  return htmlAnswer(title, `<p>${escapeHtml(text)}</p>`, status)
}

/** A page with the given body, which must be escaped already. */
export function htmlAnswer(title: string, body: string, status = 200): Answer {
  return {
    status,
    headers: { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' },
    body: `<!doctype html>\n<html lang="en">\n<title>${escapeHtml(title)}</title>\n${body}\n</html>\n`,
  }
}

export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}
