import type { Express, Request } from 'express'
import type { PkceFlow } from '../../src/index.ts'
import type { LogoutTokenRequest } from '../../src/testing/index.ts'
import { logIn } from '../protocol/attempt.ts'
import { type AppSetUp, type RunningApp, startApp } from '../support/app.ts'
import { type Browser, createBrowser } from '../support/browser.ts'
import { json, program } from './steps.ts'

declare module 'express-session' {
  interface SessionData {
    user?: string
  }
}

/** Routes for what the authorization server says. */
export const logoutRoutes = { backchannelLogout: '/ended', frontchannelLogout: '/framed' }

/** An app with a sign-in of its own, which its authorization server tells of logouts. */
export async function startLogoutApp(setUp: AppSetUp = {}): Promise<RunningApp> {
  const app = await startApp({
    postLogout: true,
    routes: mountPages,
    ...setUp,
    flow: {
      routes: logoutRoutes,
      onLogin({ req, token }: { req: Request; token: { claims: { sub: string } } }) {
        req.session.user = token.claims.sub
      },
      ...setUp.flow,
    },
  })
  app.server.tellLogoutsTo({ backchannel: app.url('/ended') })
  return app
}

export function mountPages(express: Express, flow: PkceFlow): void {
  express.get('/', (req, res, next) => {
    Promise.all([flow.claims(req), flow.status(req)])
      .then(([claims, status]) => {
        const user = req.session.user ?? null
        res.json({ sub: claims?.sub ?? null, user, status })
      })
      .catch(next)
  })
  express.get('/public', (req, res) => {
    const { token } = req as { token?: object }
    res.json({ token: token !== undefined, user: req.session.user ?? null })
  })
  express.get('/token', flow.requireToken(), (_req, res) => {
    res.json({})
  })
  express.get('/members', flow.requireLogin(), (_req, res) => {
    res.json({})
  })
}

/** What the app says to this browser: who is signed in through the flow, and who to the app. */
export async function who(app: RunningApp, browser: Browser) {
  const { sub, user } = json(await browser.request(app.url('/')))
  return { sub, user }
}

/** A program's request at a guarded page: status and code. */
export async function ask(app: RunningApp, browser: Browser, path: string) {
  const { status, body } = await browser.request(app.url(path), { headers: program })
  return { status, code: (JSON.parse(body) as { code?: string }).code }
}

export const nobody = { sub: null, user: null }
export const alice = { sub: 'alice', user: 'alice' }

/** A browser that is signed in, and what the server's ID Token says of it. */
export async function signedIn(app: RunningApp, browser = createBrowser()) {
  await logIn(app, browser)
  const payload = app.server.issued.at(-1)!.idToken!.split('.')[1]!
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as {
    iss: string
    sub: string
    sid: string
    iat: number
  }
  return { browser, ...claims }
}

/** Sends a logout token that must be accepted. */
export async function endAtServer(app: RunningApp, request: LogoutTokenRequest) {
  const response = await app.server.sendLogoutToken(request)
  if (response.status !== 200)
    throw new Error(`The logout token was answered ${response.status} ${response.body}`)
  return response
}
