/**
 * What a competent developer writes today with Express 5, express-session and openid-client 6, with
 * all checks that openid-client offers for this flow, the signature of the ID Token included
 * (`"signature": false` in the settings leaves it out). It is the yardstick, so it is changed only in
 * a commit of its own.
 */
import { promisify } from 'node:util'
import express from 'express'
import * as client from 'openid-client'
import { serveMeasured, sessions } from './measured-app.js'

await serveMeasured(async ({ issuer, registration, origin, store, signature = true }) => {
  const redirectUri = `${origin}/callback`
  const { clientId, clientSecret, scope } = registration
  const execute = [client.allowInsecureRequests] // the server is on loopback, without TLS
  if (signature) execute.push(client.enableNonRepudiationChecks)
  const config = await client.discovery(
    new URL(issuer),
    clientId,
    clientSecret,
    client.ClientSecretBasic(clientSecret),
    { execute },
  )

  const app = express()
  app.use(sessions(store))

  app.get('/login', async function login(req, res) {
    const codeVerifier = client.randomPKCECodeVerifier()
    const state = client.randomState()
    const nonce = client.randomNonce()
    req.session.byHandLogin = { codeVerifier, state, nonce }
    const authorizationUrl = client.buildAuthorizationUrl(config, {
      redirect_uri: redirectUri,
      scope,
      state,
      nonce,
      code_challenge: await client.calculatePKCECodeChallenge(codeVerifier),
      code_challenge_method: 'S256',
    })
    res.redirect(authorizationUrl.href)
  })

  app.get('/callback', async function callback(req, res) {
    const pending = req.session.byHandLogin
    if (pending === undefined) {
      res.status(400).send('There is no login to finish. Please start again.')
      return
    }
    const tokens = await client.authorizationCodeGrant(config, new URL(req.originalUrl, origin), {
      pkceCodeVerifier: pending.codeVerifier,
      expectedState: pending.state,
      expectedNonce: pending.nonce,
      idTokenExpected: true,
    })

    await promisify((done) => req.session.regenerate(done))()
    const expiresIn = tokens.expiresIn()
    req.session.byHandTokens = {
      accessToken: tokens.access_token,
      refreshToken: tokens.refresh_token,
      idToken: tokens.id_token,
      expiresAt: expiresIn === undefined ? undefined : Date.now() + expiresIn * 1_000,
    }
    req.session.byHandClaims = tokens.claims()
    await promisify((done) => req.session.save(done))()
    res.redirect('/')
  })

  app.get('/', function home(req, res) {
    const { byHandTokens: tokens, byHandClaims: claims } = req.session
    if (tokens === undefined) {
      res.status(401).send('Please log in.')
      return
    }
    res.json({ sub: claims?.sub, tokenLength: tokens.accessToken.length })
  })

  return app
})
