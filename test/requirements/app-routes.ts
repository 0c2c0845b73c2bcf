import express, { type Express } from 'express'
import { pkceFlow, type PkceFlow, type PkceFlowOptions } from '../../src/index.ts'
import type { TestAuthorizationServer } from '../../src/testing/index.ts'
import type { AppSetUp } from './row.ts'
import type { SlowRequest, Who } from './world.ts'

/** What is set up before the flow is mounted. */
export function prepare(app: Express, { trustProxy, parser, queryParser }: AppSetUp): void {
  if (trustProxy) app.set('trust proxy', 1)
  if (queryParser) app.set('query parser', queryParser)
  const type = 'application/x-www-form-urlencoded'
  const limit = '1mb'
  if (parser === 'simple') app.use(express.urlencoded({ extended: false, limit }))
  if (parser === 'extended') app.use(express.urlencoded({ extended: true, limit }))
  if (parser === 'text') app.use(express.text({ type, limit }))
  if (parser === 'raw') app.use(express.raw({ type, limit }))
}

/** Options for a server by its root URL, of which nobody knows the issuer. */
export function plainOAuth({ issuer }: TestAuthorizationServer): AppSetUp['flow'] & object {
  return { issuer: undefined, server: { rootUrl: issuer } }
}

/** Options for a server whose metadata are given. */
export function serverByHand({ metadata }: TestAuthorizationServer): AppSetUp['flow'] & object {
  const { issuer, authorization_endpoint, token_endpoint, jwks_uri } = metadata
  const server = { issuer, authorization_endpoint, token_endpoint, jwks_uri }
  return { issuer: undefined, server, scope: 'openid' }
}

export function createSecondFlow({ issuer }: TestAuthorizationServer, options: object): PkceFlow {
  return pkceFlow({
    issuer,
    clientId: 'test-client',
    redirectUri: 'http://127.0.0.1/second/callback',
    name: 'second',
    requestProperty: 'secondToken',
    ...('clientAuth' in options ? {} : { clientSecret: 'test-client-secret' }),
    ...options,
  } as unknown as PkceFlowOptions)
}

/** Routes of the app: who is signed in, session data, guards. */
export function mountRoutes(
  app: Express,
  flow: PkceFlow,
  second: PkceFlow | undefined,
  slowRequest: SlowRequest,
): void {
  app.get('/who', (req, res, next) => {
    Promise.all([
      flow.claims(req),
      flow.token(req).catch(() => undefined),
      flow.status(req),
      second?.claims(req),
    ])
      .then(([claims, token, status, secondClaims]) =>
        res.json({
          sub: claims?.sub ?? null,
          token: token?.accessToken ?? null,
          signedIn: status.signedIn,
          expiresAt: status.expiresAt ?? null,
          scope: status.scope,
          session: req.sessionID ?? '',
          cart: cartOf(req.session) ?? null,
          second: secondClaims?.sub ?? null,
        } satisfies Record<keyof Who, unknown>),
      )
      .catch(next)
  })
  app.get('/cart/:item', (req, res) => {
    Object.assign(req.session, { cart: req.params.item, other: 'data' })
    res.json({})
  })
  app.get('/regenerate', (req, res, next) => {
    req.session.regenerate((error) => {
      if (error) next(error)
      else {
        Object.assign(req.session, { cart: 'after' })
        res.json({})
      }
    })
  })
  app.get('/slow/:writes', (req, res) => {
    slowRequest.arrive()
    void slowRequest.until.then(() => {
      if (req.params.writes === 'writes') Object.assign(req.session, { slow: true })
      res.json({})
    })
  })
  app.get('/public', (req, res) => {
    const { token } = req as { token?: { accessToken: string } }
    res.json({ token: token !== undefined })
  })
  const through = flow.requireToken((_req, res) => void res.json({ through: true }))
  app.all('/private', through)
  app.all('/members', flow.requireLogin(), (_req, res) => void res.json({ through: true }))
  app.all(
    '/redirecting',
    flow.requireToken({ unauthenticated: 'redirect' }),
    (_req, res) => void res.json({ through: true }),
  )
  app.all('/sign-up', flow.login())
  app.all('/leave', flow.logout())
  app.all('/leave-here', flow.logout({ atServer: false }))
  // Wherever else a login leads.
  app.use('/here', (_req, res) => void res.json({}))
  app.get('/', (_req, res) => void res.json({}))
}

function cartOf(session: unknown): string | undefined {
  return (session as { cart?: string } | undefined)?.cart
}
