import type { Express, Request } from 'express'
import type { PkceFlow, Token } from '../../src/index.ts'
import { startApp, type AppSetUp, type RunningApp } from '../support/app.ts'
import { type Browser, createBrowser, type Page } from '../support/browser.ts'
import { rows } from '../support/rows.ts'
import { json, navigation, program } from './steps.ts'

declare module 'express-session' {
  interface SessionData {
    user?: string
  }
}

/** What a browser says when a person follows a link on a page of the app. */
export const ownPage = { ...navigation, 'sec-fetch-site': 'same-origin', 'sec-fetch-user': '?1' }

/** An app whose users, `ann` and `ben`, connect accounts: `alice` and `bob` at the authorization server. */
export function startConnectApp({ flow, ...setUp }: AppSetUp = {}): Promise<RunningApp> {
  return startApp({
    routes: connectRoutes,
    flow: {
      purpose: 'connect',
      userId: ({ session }: Request) => session.user,
      afterLogin: '/connected',
      afterLogout: '/disconnected',
      ...flow,
    },
    ...setUp,
  })
}

/** The app's own login and logout, and pages that say what there is. */
function connectRoutes(app: Express, flow: PkceFlow): void {
  app.get('/own/login/:user', (req, res) => {
    req.session.user = req.params.user
    res.json({})
  })
  app.get('/own/logout', (req, res, next) => {
    req.session.destroy((error) => {
      if (error) next(error)
      else res.json({})
    })
  })
  app.get('/told', (req, res, next) => {
    Promise.all([flow.token(req), flow.claims(req), flow.status(req)])
      .then(([token, claims, { signedIn, connected, scope }]) =>
        res.json({
          user: req.session.user ?? null,
          attached: (req as { token?: Token }).token?.accessToken ?? null,
          token: token?.accessToken ?? null,
          sub: claims?.sub ?? null,
          ...{ signedIn, connected, scope },
        }),
      )
      .catch(next)
  })
  for (const mode of ['auto', 'redirect', 'problem', 'next'] as const)
    app.all(`/guarded/${mode}`, flow.requireToken({ unauthenticated: mode }), (req, res) => {
      res.json({ token: (req as { token?: Token }).token?.accessToken })
    })
  const scopes = {
    read: 'read',
    write: 'write',
    more: ['more'],
    admin: ['admin'],
    both: 'write admin',
  }
  for (const [name, scope] of Object.entries(scopes))
    app.all(`/scoped/${name}`, flow.requireToken({ scope }), (req, res) => {
      res.json({ through: (req as { token?: Token }).token?.scope, at: req.url })
    })
  app.get('/more', flow.login({ scope: 'more admin' }))
  app.get('/more-list', flow.login({ scope: ['more', 'admin'] }))
  app.all('/start', flow.login({ returnTo: '/started' }))
  app.get(['/connected', '/disconnected', '/started', '/elsewhere'], (_req, res) => {
    res.json({})
  })
  app.get('/disconnect', (req, res, next) => {
    flow.disconnect(req).then((done) => res.json(done), next)
  })
  app.get('/fetched', (req, res, next) => {
    flow
      .fetch(req, req.query.url as string)
      .then(async (response) => res.json(await response.json()))
      .catch(next)
  })
  app.get('/info', (req, res, next) => {
    flow.userInfo(req).then((info) => res.json(info), next)
  })
}

/** What `/told` says. */
export interface Told {
  user: string | null
  attached: string | null
  token: string | null
  sub: string | null
  signedIn: boolean
  connected: boolean
  scope: string[]
}

/** A browser in which somebody is signed in to the app. */
export async function browserOf(app: RunningApp, user: string, browser = createBrowser()) {
  await browser.request(app.url(`/own/login/${user}`))
  return browser
}

/** What the app says to this browser at `path`, as to a program. */
export async function ask(app: RunningApp, browser: Browser, path: string) {
  return json(await browser.request(app.url(path), { headers: program }))
}

export async function told(app: RunningApp, browser: Browser): Promise<Told> {
  return (await ask(app, browser, '/told')) as unknown as Told
}

/** Starts to connect the account of `as`; gives the URL of the answer, which is not requested yet. */
export async function startConnect(
  app: RunningApp,
  browser: Browser,
  { as = 'alice', path = '/login' } = {},
): Promise<string> {
  app.server.authorizeAs(as)
  const { headers, body } = await browser.request(app.url(path), { headers: ownPage })
  if (headers.location === undefined) throw new Error(`Nothing was started: ${body}`)
  return browser.openUntil(app.url('/callback'), headers.location)
}

/** Connects the account of `as`; gives the page where that ended. */
export async function connect(app: RunningApp, browser: Browser, as = 'alice'): Promise<Page> {
  return browser.open(await startConnect(app, browser, { as }))
}

/** Whose account the token is of that this browser has. */
export async function accountOf(app: RunningApp, browser: Browser): Promise<string | undefined> {
  const { token } = await told(app, browser)
  return app.server.issued.find(({ accessToken }) => accessToken === token)?.sub
}

/** The session rows as they are stored. */
export async function sessionRows({ store }: RunningApp): Promise<string> {
  return JSON.stringify((await rows(store)).sessions)
}
