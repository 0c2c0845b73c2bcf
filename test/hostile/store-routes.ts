import type { Express } from 'express'
import type { PkceFlow } from '../../src/index.ts'

declare module 'express-session' {
  interface SessionData {
    user?: string
    cart?: string[]
  }
}

/** The app's pages, and `/who`, which says who is there and with what token. */
export function mountHostileRoutes(app: Express, flow: PkceFlow, isConnect: boolean): void {
  app.get('/own/:user', (req, res) => {
    req.session.user = req.params.user
    res.json({})
  })
  app.get('/cart', (req, res) => {
    req.session.cart = ['a book']
    res.json({})
  })
  app.get(['/', '/public', '/logged-out'], (_req, res) => {
    res.json({})
  })
  app.get('/who', (req, res, next) => {
    const { user = null, cart: kept = null } = req.session
    Promise.all([flow.claims(req), flow.status(req), flow.token(req)])
      .then(([claims, { signedIn: isSignedIn }, token]) =>
        res.json({
          ...{ user, cart: kept, signedIn: isSignedIn },
          sub: claims?.sub ?? null,
          token: token?.accessToken ?? null,
        }),
      )
      .catch(next)
  })
  app.get('/token', flow.requireToken(), (_req, res) => {
    res.json({})
  })
  app.get('/told', (req, res, next) => {
    flow
      .token(req)
      .then((token) => res.json({ token: token !== undefined }))
      .catch(next)
  })
  app.get('/status', (req, res, next) => {
    flow
      .status(req)
      .then((status) => res.json(status))
      .catch(next)
  })
  app.get('/disconnect', (req, res, next) => {
    flow
      .disconnect(req)
      .then(() => res.json({}))
      .catch(next)
  })
  app.get('/fetched', (req, res, next) => {
    const url = req.app.get('userinfo') as string
    flow
      .fetch(req, url)
      .then((response) => res.status(response.status).json({}))
      .catch(next)
  })
  if (isConnect) return
  app.get('/members', flow.requireLogin(), (_req, res) => {
    res.json({})
  })
  app.get('/recent', flow.requireLogin({ maxAge: 60_000 }), (_req, res) => {
    res.json({})
  })
  app.get('/leave', flow.logout({ atServer: false }))
  app.get('/page', flow.silentLogin(), (_req, res) => {
    res.json({})
  })
}
