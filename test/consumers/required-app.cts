import express = require('express')
import flows = require('express-pkce-flow')

// Of a user whose app is CommonJS.

const flow = flows.pkceFlow({
  issuer: 'https://server.example',
  clientId: 'client',
  redirectUri: 'https://app.example/callback',
})
express()
  .use(flow)
  .get(
    '/',
    flow.requireToken((req, res) => {
      res.json(req.token.scope)
      // @ts-expect-error it has no such name
      res.json(req.token.scopes)
    }),
  )
