/**
 * The floor: Express, express-session, and nothing else. It keeps its tokens in the session. Its login
 * is what one writes without a library: PKCE, state and nonce are sent, the state is compared, the
 * ID Token is read and not checked.
 */
import { createHash, randomBytes } from 'node:crypto'
import { promisify } from 'node:util'
import express from 'express'
import { serveMeasured, sessions } from './measured-app.js'

await serveMeasured(async ({ issuer, registration, origin, store }) => {
  const { clientId, clientSecret, scope } = registration
  const redirectUri = `${origin}/callback`
  const basic = Buffer.from(`${clientId}:${clientSecret}`).toString('base64')
  const app = express()
  app.use(sessions(store))

  app.get('/login', function login(req, res) {
    const [codeVerifier, state, nonce] = [0, 0, 0].map(() => randomBytes(32).toString('base64url'))
    req.session.pending = { codeVerifier, state }
    const parameters = new URLSearchParams({
      response_type: 'code',
      client_id: clientId,
      redirect_uri: redirectUri,
      scope,
      state,
      nonce,
      code_challenge: createHash('sha256').update(codeVerifier).digest('base64url'),
      code_challenge_method: 'S256',
    })
    res.redirect(`${issuer}/authorize?${parameters}`)
  })

  app.get('/callback', async function callback(req, res) {
    const { pending } = req.session
    if (pending === undefined || pending.state !== req.query.state) return res.sendStatus(400)
    const response = await fetch(`${issuer}/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${basic}` },
      body: new URLSearchParams({
        grant_type: 'authorization_code',
        code: req.query.code,
        redirect_uri: redirectUri,
        code_verifier: pending.codeVerifier,
      }),
    })
    const { access_token, refresh_token, id_token, expires_in } = await response.json()
    await promisify((done) => req.session.regenerate(done))()
    req.session.tokens = {
      accessToken: access_token,
      refreshToken: refresh_token,
      idToken: id_token,
      expiresAt: Date.now() + expires_in * 1_000,
    }
    req.session.claims = JSON.parse(Buffer.from(id_token.split('.')[1], 'base64url'))
    await promisify((done) => req.session.save(done))()
    res.redirect('/')
  })

  app.get('/', function home(req, res) {
    const { tokens, claims } = req.session
    if (tokens === undefined) return res.sendStatus(401)
    res.json({ sub: claims.sub, tokenLength: tokens.accessToken.length })
  })

  return app
})
