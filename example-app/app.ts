import express from 'express'
import type { Express, Request } from 'express'
import session from 'express-session'
import type { SessionOptions } from 'express-session'
import { PkceFlowError, pkceFlow } from 'express-pkce-flow'
import type { PkceFlowOptions } from 'express-pkce-flow'
import 'express-pkce-flow/req-token' // TypeScript only: req.token is a Token
import { doctorPage } from './doctor-page.ts'
import { errorPages } from './errors.ts'
import { publicFiles } from './html.ts'
import { pageHeaders } from './page-headers.ts'
import { answerPage, colours, homePage, nameOf, notFoundPage, profilePage } from './pages.ts'
import type { Colour, ProtectedApi, Visitor } from './pages.ts'
import { projectsScope } from './projects.ts'
import type { Projects } from './projects.ts'
import { connectCard, projectsPage } from './projects-pages.ts'
import { userIdOf } from './users.ts'

declare module 'express-session' {
  interface SessionData {
    colour?: Colour
    /** The user of this app who is signed in. */
    userId?: string
  }
}

/** What differs from one place where this app runs to the next. */
export interface AppSettings {
  flow: PkceFlowOptions & { issuer: string }
  session: SessionOptions
  api: ProtectedApi
  /** Without it there is nothing to connect. */
  projects?: Projects | undefined
  /** Whether browsers come through a proxy. */
  behindProxy: boolean
}

/**
 * The app: log in at an authorization server, then call an API with the access token, and connect an
 * account somewhere else.
 */
export function createApp(settings: AppSettings): Express {
  const { api, projects } = settings
  const flow = pkceFlow({
    ...settings.flow,
    // Who logs out there, or in another app, is logged out here, too.
    routes: { backchannelLogout: '/backchannel-logout' },
    // Who logs in there becomes a user here.
    onLogin({ req, token }) {
      req.session.userId = userIdOf(token.claims)
    },
  })
  const app = express()
  app.disable('x-powered-by')
  if (settings.behindProxy) app.set('trust proxy', 1)
  app.use(publicFiles(), pageHeaders(settings.flow.issuer))
  app.use(session(settings.session))
  app.use(flow) // /login, /callback, /logout, /logged-out, /backchannel-logout; req.token for what follows
  if (projects) app.use(projects.flow) // /projects/login, /projects/callback, /projects/logout

  // Public. Says who is signed in, if anybody is.
  app.get('/', async (req, res) => {
    const [visitor, status, connection] = await Promise.all([
      visitorOf(req),
      flow.status(req),
      projects?.flow.status(req),
    ])
    res.send(homePage(visitor, status, api, connection && connectCard(connection)))
  })

  // Private: with a token. Who has none is sent to log in, and comes back here.
  app.get(
    `/${api.name}`,
    flow.requireToken(async (req, res) => {
      // Refreshed before it expires, and once more if the API says that it is not valid.
      const answer = await flow
        .fetch(req, api.url, { signal: AbortSignal.timeout(5_000) })
        .catch(whenUnreachable)
      const body: unknown = await answer?.json().catch(() => undefined)
      res
        .status(answer?.ok ? 200 : 502)
        .send(answerPage(await visitorOf(req), api, answer?.status, body))
    }),
  )

  // Private: signed in here, and with an account connected. Who has none reads how to connect it.
  if (projects)
    app.get(
      '/projects',
      flow.requireLogin(),
      projects.flow.requireToken({ scope: projectsScope, unauthenticated: 'next' }),
      async (req, res) => {
        const answer = await projects.flow
          .fetch(req, projects.url, { signal: AbortSignal.timeout(5_000) })
          .catch(whenUnreachable)
        const body: unknown = await answer?.json().catch(() => undefined)
        const id = String(req.session.userId)
        await projects.users.add(id) // for the background job
        const count = await projects.users.countOf(id)
        res
          .status(answer?.ok ? 200 : 502)
          .send(projectsPage(await visitorOf(req), answer?.status, body, count))
      },
    )

  // Private: signed in is enough, whether or not the token still works.
  app.get('/profile', flow.requireLogin(), async (req, res) => {
    res.send(profilePage(await visitorOf(req), (await flow.claims(req)) ?? {}))
  })

  // For who develops it: what is wrong with the set-up, from cookies to clocks.
  if (isDeveloped(app))
    app.get('/doctor', async (req, res) => {
      const findings = await Promise.all([flow.diagnose(req), projects?.flow.diagnose(req) ?? []])
      res.send(doctorPage(await visitorOf(req), findings.flat()))
    })

  // What the app keeps in the session is there before and after the login.
  app.post('/colour', express.urlencoded({ extended: false }), (req, res) => {
    const form = req.body as { colour?: unknown } | undefined
    const chosen = colours.find((known) => known === form?.colour)
    if (chosen) req.session.colour = chosen
    res.redirect(303, '/')
  })

  async function visitorOf(req: Request): Promise<Visitor> {
    const name = nameOf(await flow.claims(req))
    return { colour: req.session.colour, name, isDeveloper: isDeveloped(app) }
  }

  app.use((req, res) => res.status(404).send(notFoundPage({ colour: req.session.colour })))
  app.use(errorPages)
  return app
}

/** Express says so where the environment has no other NODE_ENV. */
function isDeveloped(app: Express): boolean {
  return app.get('env') === 'development'
}

/** The API is down or slow: the page says so. What is wrong with the token is for the error page. */
function whenUnreachable(error: unknown): undefined {
  if (error instanceof PkceFlowError) throw error
}
