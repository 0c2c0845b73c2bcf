import express from 'express'
import session from 'express-session'
import {
  ConfigurationError,
  pkceFlow,
  PkceFlowError,
  type PkceFlowOptions,
} from 'express-pkce-flow'
import 'express-pkce-flow/req-token'
import { github } from 'express-pkce-flow/presets'
import { postgresLock } from 'express-pkce-flow/postgres'
import { redisLock } from 'express-pkce-flow/redis'
import { createTestAuthorizationServer, createTestBrowser, logIn } from 'express-pkce-flow/testing'
import type { Page } from 'playwright-core'
import request from 'supertest'

// Of a user who has installed the package. If one of its types were not found, everything would be
// allowed, and the lines that must be refused would not be.

const app = express()
const options: PkceFlowOptions = {
  issuer: 'https://server.example',
  clientId: 'client',
  redirectUri: 'https://app.example/callback',
}
const flow = pkceFlow(options)
app.use(session({ secret: 'x' }), flow)
app.get(
  '/',
  flow.requireToken((req, res) => {
    res.json(req.token.scope)
    // @ts-expect-error it has no such name
    res.json(req.token.scopes)
  }),
)
app.get('/who', flow.requireLogin(), (req, res) => {
  res.json(req.token?.claims?.sub)
  // @ts-expect-error there may be none
  res.json(req.token.claims)
})
app.use(
  pkceFlow({
    server: github(),
    clientId: 'client',
    redirectUri: 'https://app.example/github/callback',
    purpose: 'connect',
    userId: (req) => req.get('x-user'),
    requestProperty: 'github',
    lock: postgresLock({ query: () => Promise.resolve({ rows: [] }) }),
  }).requireToken((req, res) => {
    res.json(req.github.accessToken)
  }),
)
// @ts-expect-error a lock is no client
redisLock(redisLock({ isOpen: true, eval: () => Promise.resolve(1) }))
// @ts-expect-error it has no such name
pkceFlow({ ...options, issuer: 'https://server.example', afterLogon: '/' })

export const isOurs = (error: unknown): boolean =>
  error instanceof PkceFlowError &&
  // @ts-expect-error it is not one of the codes
  (error instanceof ConfigurationError || error.code === 'login_require')

export async function test(page: Page): Promise<string> {
  const server = await createTestAuthorizationServer({ users: [{ sub: 'carol' }] })
  server.misbehave('id-token-wrong-iss', { times: 1 })
  // @ts-expect-error it has no such name
  server.misbehave('id-token-wrong-is')
  await logIn(request.agent(app), { server, user: 'carol' })
  await logIn(page, { server, scope: ['read'] })
  const { tokens } = await logIn(createTestBrowser('http://127.0.0.1:8000'), { server })
  return tokens.accessToken
}
