import type { Express, Request } from 'express'
import type { LoginEvent, PkceFlow } from '../../src/index.ts'
import { startApp, type AppSetUp, type RunningApp } from '../support/app.ts'
import { type Browser, createBrowser } from '../support/browser.ts'
import { json, program } from './steps.ts'

declare module 'express-session' {
  interface SessionData {
    user?: string
  }
}

/** The app's own user of a request. */
export const userOf = (req: Request): string | undefined => req.session.user

/** An app that keeps tokens per user: `sub` of who logs in is the app's user, too. */
export function startUserApp({ flow, ...setUp }: AppSetUp = {}): Promise<RunningApp> {
  return startApp({
    routes: userRoutes,
    flow: {
      userId: userOf,
      tokenStore: new Map(),
      onLogin({ req, token }: LoginEvent) {
        req.session.user = token.claims!.sub
      },
      ...flow,
    },
    ...setUp,
  })
}

/** `/own/:user` signs in to the app alone, without a login at the authorization server. */
function userRoutes(app: Express, flow: PkceFlow): void {
  app.get('/own/:user', (req, res) => {
    req.session.user = req.params.user
    res.json({})
  })
  app.get('/', (req, res, next) => {
    Promise.all([flow.claims(req), flow.status(req)])
      .then(([claims, status]) => res.json({ sub: claims?.sub ?? null, status }))
      .catch(next)
  })
  app.get('/public', (req, res) => {
    const { token } = req as { token?: { accessToken: string } }
    res.json({ token: token?.accessToken ?? null })
  })
  app.get(
    '/token',
    flow.requireToken({ unauthenticated: 'problem' }),
    (req: Request & { token?: { accessToken: string } }, res) => {
      res.json({ token: req.token!.accessToken })
    },
  )
  app.get('/member', flow.requireLogin({ unauthenticated: 'problem' }), (_req, res) => {
    res.json({})
  })
  app.get('/info', (req, res, next) => {
    flow.userInfo(req).then((info) => res.json(info), next)
  })
  app.get('/disconnect', (req, res, next) => {
    flow.disconnect(req).then((done) => res.json(done), next)
  })
}

/** A login at the authorization server. */
export async function logInAs(app: RunningApp, sub: string, browser = createBrowser()) {
  app.server.authorizeAs(sub)
  const page = await browser.open(app.url('/login'))
  return { browser, page }
}

/** What the app says to this browser at `path`. */
export async function ask(app: RunningApp, browser: Browser, path: string) {
  return json(await browser.request(app.url(path), { headers: program }))
}
