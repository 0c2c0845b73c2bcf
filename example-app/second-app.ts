import { randomBytes } from 'node:crypto'
import express from 'express'
import type { ErrorRequestHandler, Express } from 'express'
import session from 'express-session'
import { pkceFlow } from 'express-pkce-flow'
import { html, publicFiles, renderPage } from './html.ts'
import type { Html } from './html.ts'
import { pageHeaders } from './page-headers.ts'
import { nameOf } from './pages.ts'

/** Options of {@link createSecondApp}. */
export interface SecondAppSettings {
  /** Its first page. */
  url: string
  issuer: string
  clientId: string
  clientSecret: string
}

/**
 * Another app at the same authorization server: who logs out of one of them, or there, is logged out
 * of both.
 */
export function createSecondApp({ url, ...client }: SecondAppSettings): Express {
  const flow = pkceFlow({
    ...client,
    scope: 'openid profile',
    redirectUri: new URL('callback', url).href,
    postLogoutRedirectUri: new URL('logged-out', url).href,
    routes: { backchannelLogout: '/backchannel-logout' },
  })
  const app = express()
  app.disable('x-powered-by')
  app.use(publicFiles(), pageHeaders(client.issuer))
  app.use(
    session({
      name: 'second_app_session', // cookies know no ports, and the other app is on this host
      secret: randomBytes(32).toString('base64url'),
      resave: false,
      saveUninitialized: false,
      cookie: { sameSite: 'lax' },
    }),
  )
  app.use(flow)

  app.get('/', async (req, res) => {
    const name = nameOf(await flow.claims(req))
    res.send(name === undefined ? signedOutPage() : signedInPage(name))
  })

  app.use((_req, res) => res.status(404).send(problemPage('There is nothing here')))
  app.use(answerFailure)
  return app
}

/** Shorter than the other app's error pages: what a person can do is the same each time. */
const answerFailure: ErrorRequestHandler = (error: { status?: number }, _req, res, next) => {
  const { status = 500 } = error
  if (status >= 500) console.error(error)
  if (res.headersSent) next(error)
  else res.status(status).send(problemPage('That did not work'))
}

function problemPage(title: string): string {
  return page(
    title,
    html`<h1>${title}</h1>
      <p class="lead">You can go back and try again.</p>
      <p class="actions"><a class="button" href="/">First page</a></p>`,
  )
}

function signedInPage(name: string): string {
  return page(
    'Signed in',
    html`<h1>Hello again, ${name}</h1>
      <p class="lead">
        Log out here, in the other app or at Gatehouse, and the next page that you ask for knows you
        no more: Gatehouse tells the apps, whether or not they are open in a browser.
      </p>
      <form method="post" action="/logout"><button class="quiet">Log out</button></form>`,
  )
}

function signedOutPage(): string {
  return page(
    'Welcome',
    html`<h1>Nobody is signed in here</h1>
      <p class="lead">This app has its own session, and people log in to it at Gatehouse, too.</p>
      <p class="actions"><a class="button" href="/login">Log in</a></p>`,
  )
}

function page(title: string, main: Html): string {
  return renderPage(
    {
      title,
      site: 'Second App',
      home: '/',
      theme: 'theme-lake',
      footer: html`Another app at the same authorization server as the Example App.`,
    },
    main,
  )
}
