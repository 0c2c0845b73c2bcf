import express from 'express'
import type { ErrorRequestHandler, Request, RequestHandler, Response } from 'express'
import { listen } from './loopback-server.ts'
import type { LoopbackAddress } from './loopback-server.ts'

/** Options of {@link startApi}. */
export interface ApiOptions extends LoopbackAddress {
  /** How this API asks the authorization server about a token (RFC 7662). */
  introspection: { endpoint: string; clientId: string; clientSecret: string }
}

/** A running API. */
export interface Api {
  /** Address of the notes. */
  url: string
  close: () => Promise<void>
}

/** What the authorization server says about a token. */
interface Introspection {
  active: boolean
  sub?: string
  scope?: string
}

/**
 * Starts a small API: `GET /notes` answers with the notes of the person whose access token comes
 * along. It knows nothing of the app and its sessions, and without CORS headers no page of another
 * origin reads its answers.
 */
export async function startApi({ introspection, ...address }: ApiOptions): Promise<Api> {
  const server = await listen(address)
  const app = express()
  app.disable('x-powered-by')
  app.get('/notes', requireScope('notes:read', introspection), (_req, res) => {
    res.set('Cache-Control', 'no-store').json(notesOf(String(res.locals.subject)))
  })
  app.use(answerFailure)
  server.answerWith(app)
  return { url: `${server.origin}/notes`, close: server.close }
}

function notesOf(subject: string): object[] {
  return [
    { title: 'Water the ferns', text: 'The one by the window twice.' },
    { title: 'Answer Ada', text: 'Her note G explains the loop better than we do.' },
    { title: 'Whose notes these are', text: `The token said it: subject ${subject}.` },
  ]
}

/** Refuses what RFC 6750 section 3.1 says to refuse. */
function requireScope(scope: string, introspection: ApiOptions['introspection']): RequestHandler {
  return async function checkAccessToken(req, res, next) {
    const accessToken = bearerToken(req)
    if (accessToken === undefined) {
      refuse(res, 401, 'Bearer')
      return
    }
    const token = await introspect(accessToken, introspection)
    if (!token.active) {
      refuse(res, 401, 'Bearer error="invalid_token"')
    } else if (!token.scope?.split(' ').includes(scope)) {
      refuse(res, 403, `Bearer error="insufficient_scope", scope="${scope}"`)
    } else {
      res.locals.subject = token.sub
      next()
    }
  }
}

function refuse(res: Response, status: number, challenge: string): void {
  res.status(status).set('WWW-Authenticate', challenge).json({ refused: challenge })
}

function bearerToken(req: Request): string | undefined {
  return /^Bearer ([\w.~+/-]+=*)$/i.exec(req.get('Authorization') ?? '')?.[1]
}

async function introspect(
  accessToken: string,
  { endpoint, clientId, clientSecret }: ApiOptions['introspection'],
): Promise<Introspection> {
  const credentials = Buffer.from(`${clientId}:${clientSecret}`).toString('base64')
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: { Authorization: `Basic ${credentials}` },
    body: new URLSearchParams({ token: accessToken }),
    signal: AbortSignal.timeout(5000),
  })
  if (!response.ok) throw new Error(`Introspection was answered with ${response.status}.`)
  return (await response.json()) as Introspection
}

const answerFailure: ErrorRequestHandler = (error, _req, res, next) => {
  if (res.headersSent) next(error)
  else res.status(503).json({ failed: 'The authorization server could not be asked.' })
}
