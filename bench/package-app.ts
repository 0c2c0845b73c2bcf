/** The same app as `by-hand-app.ts`, with this package. Imports it by name: build it first. */
import express from 'express'
import session from 'express-session'
import { pkceFlow } from 'express-pkce-flow'
import 'express-pkce-flow/req-token'
import { serveMeasured } from './measured-app.ts'
import { registration } from './registration.ts'

await serveMeasured(({ issuer, origin }) => {
  const app = express()
  app.use(session({ secret: 'bench', resave: false, saveUninitialized: false }))
  app.use(pkceFlow({ ...registration, issuer, redirectUri: `${origin}/callback` }))

  app.get('/', function home(req, res) {
    if (req.token === undefined) {
      res.status(401).send('Please log in.')
      return
    }
    res.json({ sub: req.token.claims?.sub, tokenLength: req.token.accessToken.length })
  })

  return app
})
