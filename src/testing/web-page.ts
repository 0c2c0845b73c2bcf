/** What a browser finds in an answer. */
export interface WebPage {
  readonly status: number
  /** The header `Location`. */
  readonly location: string | undefined
  readonly body: string
}

/** Where the page sends its browser: by a redirect, or by refreshing at once. Relative to the page. */
export function nextPlace({ status, location, body }: WebPage): string | undefined {
  if (location !== undefined && status >= 300 && status < 400) return location
  const refresh = /http-equiv="refresh" content="0;url=([^"]*)"/.exec(body)?.[1]
  return refresh === undefined ? undefined : unescapeHtml(refresh)
}

/** The form that a page of the response mode `form_post` submits. */
export function postedForm(body: string): { action: string; fields: URLSearchParams } | undefined {
  const action = /<form method="post" action="([^"]*)"/.exec(body)?.[1]
  if (action === undefined) return undefined
  const fields = new URLSearchParams()
  for (const [, name = '', value = ''] of body.matchAll(
    /<input type="hidden" name="([^"]*)" value="([^"]*)"/g,
  ))
    fields.append(unescapeHtml(name), unescapeHtml(value))
  return { action: unescapeHtml(action), fields }
}

function unescapeHtml(text: string): string {
  return text
    .replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)))
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&')
}
