/** passport with openid-client's own strategy. The tokens are in the session, as the user. */
import express from 'express'
import * as client from 'openid-client'
import { Strategy } from 'openid-client/passport'
import passport from 'passport'
import { serveMeasured, sessions } from './measured-app.js'

await serveMeasured(async ({ issuer, registration, origin, store }) => {
  const { clientId, clientSecret, scope } = registration
  const config = await client.discovery(
    new URL(issuer),
    clientId,
    clientSecret,
    client.ClientSecretBasic(clientSecret),
    { execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks] },
  )
  const verify = (tokens, done) => {
    done(null, {
      accessToken: tokens.access_token,
      refreshToken: tokens.refresh_token,
      idToken: tokens.id_token,
      expiresAt: Date.now() + tokens.expiresIn() * 1_000,
      claims: tokens.claims(),
    })
  }
  passport.use('bench', new Strategy({ config, scope, callbackURL: `${origin}/callback` }, verify))
  passport.serializeUser((user, done) => done(null, user))
  passport.deserializeUser((user, done) => done(null, user))

  const app = express()
  app.use(sessions(store))
  app.use(passport.session())
  app.get('/login', passport.authenticate('bench'))
  app.get('/callback', passport.authenticate('bench', { successRedirect: '/' }))

  app.get('/', function home(req, res) {
    if (req.user === undefined) return res.sendStatus(401)
    res.json({ sub: req.user.claims.sub, tokenLength: req.user.accessToken.length })
  })

  return app
})
