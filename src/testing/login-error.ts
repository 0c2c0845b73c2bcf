/** A login of `logIn` that did not end signed in. */
export class TestLoginError extends Error {
  override name = 'TestLoginError'
  /** HTTP status of the last answer, if there was one. */
  readonly status: number | undefined
  /** Member `code` of that answer, if it was JSON with one: of a `PkceFlowError` where the app says so. */
  readonly code: string | undefined

  constructor(message: string, answer?: { status: number; body: string }, options?: ErrorOptions) {
    super(answer ? `${message}${excerptOf(answer.body)}` : message, options)
    this.status = answer?.status
    this.code = codeIn(answer?.body)
  }
}

function codeIn(body = ''): string | undefined {
  try {
    const { code } = Object(JSON.parse(body)) as { code?: unknown }
    return typeof code === 'string' ? code : undefined
  } catch {
    return undefined
  }
}

/** As much of the answer as helps to see what it is. */
function excerptOf(body: string): string {
  // Express's own page of an error: what comes of the stack tells nobody more.
  const text = body
    .replace(/<br>\s*&nbsp;[^]*/, '')
    .replace(/<(style|script)[^]*?<\/\1>|<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')
  return text.trim() === '' ? '' : `: ${text.trim().slice(0, 300)}`
}
