/** grant, its state and tokens in the session. It does not check the ID Token's signature. */
import express from 'express'
import grant from 'grant'
import { serveMeasured, sessions } from './measured-app.js'

await serveMeasured(({ issuer, registration, origin, store }) => {
  const app = express()
  app.use(sessions(store))
  app.use(
    grant.express({
      defaults: { origin, transport: 'session', state: true },
      bench: {
        oauth: 2,
        authorize_url: `${issuer}/authorize`,
        access_url: `${issuer}/token`,
        key: registration.clientId,
        secret: registration.clientSecret,
        token_endpoint_auth_method: 'client_secret_basic',
        scope: [registration.scope],
        pkce: true,
        nonce: true,
        response: ['tokens', 'jwt'],
        callback: '/',
      },
    }),
  )

  app.get('/', function home(req, res) {
    const { response } = req.session.grant ?? {}
    if (response?.access_token === undefined) return res.sendStatus(401)
    const { access_token, jwt } = response
    res.json({ sub: jwt.id_token.payload.sub, tokenLength: access_token.length })
  })

  return app
})
