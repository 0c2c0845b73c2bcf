/**
 * The same app with this package, as it was built. Settings beside the issuer: `guarded`, the page
 * behind `requireToken()`; `attach`; `sealed`, with an encryption key; `options`, of the flow; `flows`,
 * how many are mounted.
 */
import { randomBytes } from 'node:crypto'
import express from 'express'
import { pkceFlow } from '../../dist/index.js'
import { serveMeasured, sessions } from './measured-app.js'

await serveMeasured(
  ({ issuer, registration, origin, store, guarded, attach, sealed, redis, options, flows = 1 }) => {
    const settings = {
      ...registration,
      issuer,
      ...(redis !== undefined && { lock: 'process' }),
      ...(attach !== undefined && { attach }),
      ...(sealed && { encryptionKeys: [randomBytes(32)] }),
      ...options,
    }
    const app = express()
    app.use(sessions(store))
    const flow = pkceFlow({ ...settings, redirectUri: `${origin}/callback` })
    app.use(flow)
    for (let other = 1; other < flows; other += 1)
      app.use(
        pkceFlow({
          ...settings,
          name: `flow-${other}`,
          requestProperty: `token${other}`,
          redirectUri: `${origin}/${other}/callback`,
        }),
      )

    function home(req, res) {
      if (req.token === undefined) {
        res.status(401).send('Please log in.')
        return
      }
      res.json({ sub: req.token.claims?.sub, tokenLength: req.token.accessToken.length })
    }
    if (guarded || attach === false) app.get('/', flow.requireToken(), home)
    else app.get('/', home)

    return app
  },
)
