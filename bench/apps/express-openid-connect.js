/** express-openid-connect, its session in an encrypted cookie; in a store with `stored`. */
import express from 'express'
import eoc from 'express-openid-connect'
import { serveMeasured, sessionSecret } from './measured-app.js'

await serveMeasured(({ issuer, registration, origin, store, stored }) => {
  const app = express()
  app.use(
    eoc.auth({
      issuerBaseURL: issuer,
      baseURL: origin,
      clientID: registration.clientId,
      clientSecret: registration.clientSecret,
      clientAuthMethod: 'client_secret_basic',
      secret: sessionSecret,
      idTokenSigningAlg: 'ES256',
      authorizationParams: { response_type: 'code', scope: registration.scope },
      authRequired: false,
      ...(stored && { session: { store } }),
    }),
  )

  app.get('/', function home(req, res) {
    if (!req.oidc.isAuthenticated()) return res.sendStatus(401)
    const { access_token } = req.oidc.accessToken
    res.json({ sub: req.oidc.user.sub, tokenLength: access_token.length })
  })

  return app
})
