import express from 'express'
import session from 'express-session'
import { pkceFlow } from 'express-pkce-flow'

export function createApp(issuer) {
  const app = express()
  app.use(session({ secret: 'of the tests', resave: false, saveUninitialized: false }))
  const flow = pkceFlow({
    issuer,
    clientId: 'test-client',
    clientSecret: 'test-client-secret',
    redirectUri: 'http://127.0.0.1:3000/callback',
  })
  app.use(flow)
  app.get(
    '/projects',
    flow.requireToken(async (req, res) => {
      res.json({ owner: (await flow.claims(req)).sub, token: req.token.accessToken })
    }),
  )
  return app
}
