import http from 'node:http'
import type { AddressInfo } from 'node:net'
import express, { type ErrorRequestHandler } from 'express'
import session, { MemoryStore } from 'express-session'
import { pkceFlow, type PkceFlowOptions } from '../../src/index.ts'
import type { TestAuthorizationServer } from '../../src/testing/index.ts'
import type { RunningApp } from '../support/app.ts'

/** An app whose client has no secret: startApp always gives one, and options cannot take it away. */
export async function startAppWithoutSecret(
  server: TestAuthorizationServer,
  flowOptions: object,
): Promise<RunningApp> {
  const app = express()
  const listener = http.createServer(app)
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(listener.address() as AddressInfo).port}`
  const store = new MemoryStore()
  const errors: unknown[] = []
  const flow = pkceFlow({
    issuer: server.issuer,
    redirectUri: `${origin}/callback`,
    ...flowOptions,
  } as PkceFlowOptions)
  app.use(session({ secret: 'x', resave: false, saveUninitialized: false, store }))
  app.use(flow)
  app.get('/', (req, res, next) => {
    Promise.all([flow.claims(req), flow.status(req)])
      .then(([claims, status]) => res.json({ sub: claims?.sub ?? null, status }))
      .catch(next)
  })
  app.use(((error: { status?: number }, _req, res, _next) => {
    errors.push(error)
    res.status(error.status ?? 500).end()
  }) satisfies ErrorRequestHandler)
  return {
    ...{ origin, app, flow, server, store, errors },
    url: (path) => origin + path,
    async close() {
      listener.closeAllConnections()
      await new Promise((resolve) => listener.close(resolve))
    },
  }
}
