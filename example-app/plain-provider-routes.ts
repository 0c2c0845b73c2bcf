import { timingSafeEqual } from 'node:crypto'
import express from 'express'
import type { Express, Request, RequestHandler, Response } from 'express'
import { pageHeaders } from './authorization-server-routes.ts'
import { publicFiles } from './html.ts'
import type { Grants } from './plain-provider-grants.ts'
import { allowPage, wrongRequestPage } from './plain-provider-pages.ts'

/** The client that is registered here. */
export interface PlainClient {
  clientId: string
  clientSecret: string
  redirectUri: string
}

/** The only scope there is. */
const knownScope = 'read_api'

/** The routes of GitLab (Doorkeeper) that an app needs, and the API behind them. */
export function plainProviderRoutes(client: PlainClient, grants: Grants): Express {
  const app = express()
  app.disable('x-powered-by')
  const parseForm = express.urlencoded({ extended: false, limit: '4kb' })
  app.use(publicFiles())
  app.use('/oauth/authorize', checkRequest(client))
  app.get('/oauth/authorize', (_req, res) => {
    res.set(pageHeaders).send(allowPage(new URL(client.redirectUri).host, [knownScope]))
  })
  app.post('/oauth/authorize', fromOwnPage, parseForm, (req, res) => {
    if (field(req, 'decision') !== 'allow') {
      sendBack(client, req, res, { error: 'access_denied' })
      return
    }
    const code = grants.createCode({
      redirectUri: client.redirectUri,
      scope: knownScope,
      codeChallenge: parameter(req, 'code_challenge'),
    })
    sendBack(client, req, res, { code })
  })
  app.post('/oauth/token', parseForm, authenticate(client), (req, res) => {
    answerToken(req, res, grants)
  })
  // Also for a token that is unknown: it has ended, as was asked (RFC 7009 section 2.2).
  app.post('/oauth/revoke', parseForm, authenticate(client), (req, res) => {
    grants.revoke(field(req, 'token'))
    res.json({})
  })
  app.get('/api/v4/projects', (req, res) => {
    answerProjects(req, res, grants)
  })
  app.use((_req, res) => {
    const page = wrongRequestPage('The address is wrong: there is nothing here.')
    res.status(404).set(pageHeaders).send(page)
  })
  return app
}

/**
 * Checks an authorization request (RFC 6749 section 4.1.1). Only when client and redirect URI are the
 * registered ones is the browser sent back.
 */
function checkRequest(client: PlainClient): RequestHandler {
  return function checkAuthorizationRequest(req, res, next) {
    const isOurs =
      parameter(req, 'client_id') === client.clientId &&
      parameter(req, 'redirect_uri') === client.redirectUri
    if (!isOurs) {
      const page = wrongRequestPage('No app is registered here that asks in this way.')
      res.status(400).set(pageHeaders).send(page)
    } else if (parameter(req, 'response_type') !== 'code')
      sendBack(client, req, res, { error: 'unsupported_response_type' })
    else if (
      parameter(req, 'code_challenge_method') !== 'S256' ||
      !/^[\w-]{43}$/.test(parameter(req, 'code_challenge'))
    )
      sendBack(client, req, res, { error: 'invalid_request' })
    else if (parameter(req, 'scope') !== knownScope)
      sendBack(client, req, res, { error: 'invalid_scope' })
    else next()
  }
}

/** Nobody is asked for a password here, so that another site's form must not allow anything. */
const fromOwnPage: RequestHandler = (req, res, next) => {
  if (req.get('Sec-Fetch-Site') === 'same-origin') next()
  else res.status(403).set(pageHeaders).send(wrongRequestPage('Another site sent this.'))
}

/** The authorization response (RFC 6749 section 4.1.2). */
function sendBack(
  client: PlainClient,
  req: Request,
  res: Response,
  answer: Record<string, string>,
): void {
  const url = new URL(client.redirectUri)
  for (const [name, value] of Object.entries(answer)) url.searchParams.set(name, value)
  if (req.query.state !== undefined) url.searchParams.set('state', parameter(req, 'state'))
  res.set(pageHeaders).redirect(303, url.href)
}

/** Lets the registered client through: its id and secret by HTTP Basic (RFC 6749 section 2.3.1). */
function authenticate({ clientId, clientSecret }: PlainClient): RequestHandler {
  const expected = Buffer.from(`${clientId}:${clientSecret}`)
  return function authenticateClient(req, res, next) {
    res.set('Cache-Control', 'no-store')
    const encoded = /^Basic ([\w+/]+=*)$/i.exec(req.get('Authorization') ?? '')?.[1] ?? ''
    const given = Buffer.from(encoded, 'base64')
    if (given.length === expected.length && timingSafeEqual(given, expected)) next()
    else {
      res.set('WWW-Authenticate', 'Basic realm="Gitshed"')
      res.status(401).json({ error: 'invalid_client' })
    }
  }
}

/** The token endpoint (RFC 6749 sections 4.1.3 and 6). */
function answerToken(req: Request, res: Response, grants: Grants): void {
  const grantType = field(req, 'grant_type')
  if (grantType !== 'authorization_code' && grantType !== 'refresh_token') {
    res.status(400).json({ error: 'unsupported_grant_type' })
    return
  }
  const tokens =
    grantType === 'refresh_token'
      ? grants.refresh(field(req, 'refresh_token'))
      : grants.exchangeCode(
          field(req, 'code'),
          field(req, 'redirect_uri'),
          field(req, 'code_verifier'),
        )
  if (tokens === undefined) res.status(400).json({ error: 'invalid_grant' })
  else res.json(tokens)
}

function answerProjects(req: Request, res: Response, grants: Grants): void {
  res.set('Cache-Control', 'no-store')
  const accessToken = /^Bearer ([\w-]+)$/i.exec(req.get('Authorization') ?? '')?.[1]
  // Every token has the one scope that there is.
  if (accessToken !== undefined && grants.scopeOf(accessToken) !== undefined) {
    res.json(projects)
    return
  }
  const challenge = accessToken === undefined ? 'Bearer' : 'Bearer error="invalid_token"'
  res.status(401).set('WWW-Authenticate', challenge).json({ message: '401 Unauthorized' })
}

const projects = [
  { name_with_namespace: 'Robin / Bird table', description: 'Opens its lid for robins only.' },
  { name_with_namespace: 'Robin / Compost', description: 'Everything that did not work.' },
  { name_with_namespace: 'Robin / Garden gate', description: 'Closes itself, squeaks once.' },
]

function parameter(req: Request, name: string): string {
  const value = req.query[name]
  return typeof value === 'string' ? value : ''
}

function field(req: Request, name: string): string {
  const value = (req.body as Record<string, unknown> | undefined)?.[name]
  return typeof value === 'string' ? value : ''
}
