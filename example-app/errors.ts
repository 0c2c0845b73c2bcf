import type { ErrorRequestHandler } from 'express'
import { PkceFlowError } from 'express-pkce-flow'
import type { PkceFlowErrorCode } from 'express-pkce-flow'
import { messagePage } from './pages.ts'
import { connectFlow } from './projects.ts'

interface Explanation {
  title: string
  text: string
  /** Label of the link that starts a login. */
  again: string
  /** Where that leads. Default: what the error says. */
  href?: string
}

const tooOld: Explanation = {
  title: 'This login is too old',
  text: 'It waited too long, or was begun in another browser. Start again: it takes a moment.',
  again: 'Start again',
}

const noAnswer: Explanation = {
  title: 'The provider does not answer',
  text: 'The server where you log in cannot be reached just now. You did nothing wrong.',
  again: 'Try again',
}

/** What a person can do something about; every other code gets the general page. */
const explanations: Partial<Record<PkceFlowErrorCode, Explanation>> = {
  access_denied: {
    title: 'You said no',
    text: 'That is fine: nothing was shared with this app.',
    again: 'Log in after all',
  },
  login_not_found: tooOld,
  login_interrupted: tooOld,
  server_unavailable: noAnswer,
  server_timeout: noAnswer,
}

/** What is said otherwise to a person who connects an account. */
const whenConnecting: typeof explanations = {
  access_denied: {
    title: 'You said no',
    text: 'That is fine: nothing was connected.',
    again: 'Connect after all',
  },
  not_signed_in: {
    title: 'Log in first',
    text: 'An account is connected to you, so this app has to know who you are.',
    again: 'Log in',
    href: '/login?returnTo=/projects',
  },
  not_connected: {
    title: 'Nothing is connected yet',
    text: 'Connect your account at Gitshed, and this app can show you your projects.',
    again: 'Connect Gitshed',
  },
  reauthorization_required: {
    title: 'Your account is connected no more',
    text: 'Gitshed took back what you had allowed. You can connect your account anew.',
    again: 'Connect again',
  },
  insufficient_scope: {
    title: 'That was not allowed',
    text: 'Your account is connected, but this app may not see your projects there.',
    again: 'Connect again',
  },
  user_changed: {
    title: 'Somebody else is here now',
    text: 'Since you began, somebody logged out or in. To be safe, nothing was connected.',
    again: 'Connect my account',
  },
}

const general: Explanation = {
  title: 'That did not work',
  text: 'Something went wrong that should not. If it happens again, tell who runs this app.',
  again: 'Log in again',
}

const seconds = new Intl.NumberFormat('en', { style: 'unit', unit: 'second', unitDisplay: 'long' })

/** The last handler: a page for people, with the status code that says the same to programs. */
export const errorPages: ErrorRequestHandler = function errorPages(error: unknown, req, res, next) {
  if (res.headersSent) {
    next(error)
    return
  }
  const failure = error instanceof PkceFlowError ? error : undefined
  const { title, text, again, href = failure?.loginUrl } = explain(failure)
  const status = statusOf(error)
  if (status >= 500) console.error(error)
  const wait = failure?.retryAfter
  if (wait !== undefined) res.set('Retry-After', String(wait))
  res.status(status).send(
    messagePage(
      // No session if its store is what failed.
      { colour: (req.session as typeof req.session | undefined)?.colour },
      {
        title,
        text: wait === undefined ? text : `${text} Try again in ${seconds.format(wait)}.`,
        action: href ? { label: again, href } : { label: 'First page', href: '/' },
        code: failure?.code,
      },
    ),
  )
}

function explain(failure: PkceFlowError | undefined): Explanation {
  if (failure === undefined) return general
  const special = failure.flow === connectFlow ? whenConnecting[failure.code] : undefined
  return special ?? explanations[failure.code] ?? general
}

/** Errors of this package and of Express's parsers say what status fits. */
function statusOf(error: unknown): number {
  const { status } = (error ?? {}) as { status?: unknown }
  return typeof status === 'number' && status >= 400 && status < 600 ? status : 500
}
