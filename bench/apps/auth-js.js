/** Auth.js for Express, its session in an encrypted cookie, the tokens in there. */
import { ExpressAuth, getSession } from '@auth/express'
import express from 'express'
import { serveMeasured, sessionSecret } from './measured-app.js'

await serveMeasured(({ issuer, registration }) => {
  const { clientId, clientSecret, scope } = registration
  const config = {
    secret: sessionSecret,
    trustHost: true,
    providers: [
      {
        id: 'bench',
        name: 'Bench',
        type: 'oidc',
        issuer,
        clientId,
        clientSecret,
        client: { id_token_signed_response_alg: 'ES256' },
        authorization: { params: { scope } },
        checks: ['pkce', 'state', 'nonce'],
        profile: ({ sub }) => ({ id: sub }),
      },
    ],
    callbacks: {
      jwt({ token, account, profile }) {
        if (!account) return token
        const { access_token, refresh_token, id_token, expires_at } = account
        return { ...token, sub: profile.sub, access_token, refresh_token, id_token, expires_at }
      },
      session: ({ session, token }) => ({
        ...session,
        sub: token.sub,
        accessToken: token.access_token,
      }),
    },
  }
  const app = express()
  app.set('trust proxy', true)
  // On Express 5 a mount path without a wildcard is the one that it reads its own routes from.
  app.use('/auth', ExpressAuth(config))

  app.get('/', async function home(req, res) {
    const session = await getSession(req, config)
    if (!session) return res.sendStatus(401)
    res.json({ sub: session.sub, tokenLength: session.accessToken.length })
  })

  return app
})
