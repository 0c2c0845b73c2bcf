import { createHash } from 'node:crypto'
import express from 'express'
import type { ErrorRequestHandler, Express, Request, RequestHandler, Response } from 'express'
import type { Interaction, Provider } from 'oidc-provider/lib/provider.js'
import {
  consentPage,
  logInPage,
  logOutPath,
  longestName,
  problemPage,
} from './authorization-server-pages.ts'
import type { AskingApp } from './authorization-server-pages.ts'
import { publicFiles } from './html.ts'

export const pageHeaders: Readonly<Record<string, string>> = {
  'Cache-Control': 'no-store',
  // No form-action: browsers apply it to every redirect that follows a form, and these lead to apps.
  'Content-Security-Policy':
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'",
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
}

/** What to tell a person about an error of the provider. */
export function describeProblem(error: unknown): string {
  const { name, error_description } = error as { name?: string; error_description?: string }
  if (name === 'SessionNotFound')
    return 'This log-in has ended already, or is too old. Go back to the app and start again.'
  return error_description ?? 'Something in this server broke.'
}

/**
 * The log-in and consent pages, in front of the provider's own routes. `accounts` is names by
 * account id; `appUrl` is where a person goes who got lost here.
 */
export function interactionRoutes(
  provider: Provider,
  accounts: Map<string, string>,
  appUrl: string | undefined,
): Express {
  const app = express()
  app.disable('x-powered-by')
  app.use(publicFiles())
  const parseForm = express.urlencoded({ extended: false, limit: '4kb' })
  const answers = rememberAnswers()
  app.get('/auth/:uid', answers.remember)
  app.use('/interaction/:uid', answers.repeat)

  // Who comes here without an app can sign out.
  app.get('/', (_req, res) => {
    res.redirect(303, logOutPath)
  })

  app.get('/interaction/:uid', async (req, res) => {
    const interaction = await provider.interactionDetails(req, res)
    const { uid, prompt, session } = interaction
    const name = accounts.get(session?.accountId ?? '') ?? ''
    const asking = await askingApp(provider, interaction)
    const page =
      prompt.name === 'login'
        ? logInPage(uid, asking, name)
        : consentPage(uid, asking, name, prompt.details.missingOIDCScope ?? [])
    res.set(pageHeaders).send(page)
  })

  app.post('/interaction/:uid', parseForm, async (req, res) => {
    const interaction = await provider.interactionDetails(req, res)
    if (field(req, 'decision') === 'refuse')
      return provider.interactionFinished(req, res, { error: 'access_denied' })
    if (interaction.prompt.name === 'consent')
      return provider.interactionFinished(req, res, await grantWhatWasAsked(provider, interaction))
    const name = field(req, 'name').replace(/\s+/g, ' ').trim().slice(0, longestName)
    if (name === '') {
      const asking = await askingApp(provider, interaction)
      const page = logInPage(interaction.uid, asking, '', 'Please choose a name.')
      return res.status(400).set(pageHeaders).send(page)
    }
    const accountId = createHash('sha256').update(name.toLowerCase()).digest('hex').slice(0, 16)
    accounts.set(accountId, name)
    return provider.interactionFinished(req, res, { login: { accountId } })
  })

  app.use(provider.callback() as RequestHandler)
  app.use(answerProblem(appUrl))
  return app
}

async function grantWhatWasAsked(provider: Provider, interaction: Interaction): Promise<object> {
  const { params, prompt, session } = interaction
  const grant = new provider.Grant({ accountId: session?.accountId, clientId: params.client_id })
  grant.addOIDCScope((prompt.details.missingOIDCScope ?? []).join(' '))
  return { consent: { grantId: await grant.save() } }
}

async function askingApp(provider: Provider, { params }: Interaction): Promise<AskingApp> {
  const client = await provider.Client.find(params.client_id)
  return { name: client?.clientName ?? params.client_id, host: new URL(params.redirect_uri).host }
}

function field(req: Request, name: string): string {
  const value = (req.body as Record<string, unknown> | undefined)?.[name]
  return typeof value === 'string' ? value : ''
}

/**
 * The provider knows an answered page no more: a double click or Back would end in an error. So
 * where each led is remembered for a while, for the browser that has its cookie.
 */
function rememberAnswers(): { remember: RequestHandler; repeat: RequestHandler } {
  const answers = new Map<string, (res: Response) => void>()
  return {
    remember(req, res, next) {
      const uid = String(req.params.uid)
      const end = res.end.bind(res) as (...given: unknown[]) => Response
      res.end = (body?: unknown, ...rest: unknown[]) => {
        const place = res.getHeader('Location')
        const policy = res.getHeader('Content-Security-Policy')
        if (res.statusCode === 303 && typeof place === 'string')
          answers.set(uid, (again) => {
            again.set(pageHeaders).redirect(303, place)
          })
        // With form_post it is a page that posts the answer.
        else if (res.statusCode === 200 && typeof body === 'string')
          answers.set(uid, (again) => {
            again.set({ ...pageHeaders, 'Content-Security-Policy': policy }).send(body)
          })
        for (const oldest of [...answers.keys()].slice(0, -200)) answers.delete(oldest)
        return end(body, ...rest)
      }
      next()
    },
    repeat(req, res, next) {
      const uid = String(req.params.uid)
      const answer = answers.get(uid)
      if (answer === undefined || !req.headers.cookie?.includes(`gatehouse_interaction=${uid}`))
        next()
      else answer(res)
    },
  }
}

function answerProblem(appUrl: string | undefined): ErrorRequestHandler {
  return function answer(error: { statusCode?: number }, _req, res, next) {
    if (res.headersSent) {
      next(error)
      return
    }
    const page = problemPage(describeProblem(error), appUrl)
    res
      .status(error.statusCode ?? 500)
      .set(pageHeaders)
      .send(page)
  }
}
