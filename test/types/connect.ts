import { expectTypeOf } from 'expect-type'
import type { Request, RequestHandler } from 'express'
import { MemoryStore } from 'express-session'
import { pkceFlow } from '../../src/index.ts'

const options = {
  issuer: 'https://server.example',
  clientId: 'client',
  redirectUri: 'https://app.example/callback',
}
const userId = (req: Request) => req.get('user')

// Accounts that users of the app connect: whose they are has to be said, where they are kept need not.
const flow = pkceFlow({ ...options, purpose: 'connect', userId })
pkceFlow({ ...options, purpose: 'connect', userId, store: new MemoryStore() })
pkceFlow({ ...options, purpose: 'connect', userId, tokenStore: new Map(), tokenLifetime: 60_000 })
pkceFlow({ ...options, purpose: 'connect', userId: () => null })
// @ts-expect-error -- whose account is it?
pkceFlow({ ...options, purpose: 'connect' })
// @ts-expect-error -- a promise is no user
pkceFlow({ ...options, purpose: 'connect', userId: async () => Promise.resolve('ann') })
// @ts-expect-error -- an id is text
pkceFlow({ ...options, purpose: 'connect', userId: () => 7 })
// @ts-expect-error -- no session is made
pkceFlow({ ...options, purpose: 'connect', userId, sessionAtLogin: 'new' })
// @ts-expect-error -- no such purpose
pkceFlow({ ...options, purpose: 'connects', userId })

// More scope, as a string or an array.
expectTypeOf(flow.login({ scope: 'read write' })).toEqualTypeOf<RequestHandler>()
flow.login({ scope: ['read', 'write'] as const, returnTo: '/' })
flow.requireToken({ scope: 'read write', unauthenticated: 'problem' })
flow.requireToken({ scope: ['read', 'write'] })
flow.requireToken({ scope: undefined })
// @ts-expect-error -- a scope is text
flow.login({ scope: 7 })
// @ts-expect-error -- each of them
flow.requireToken({ scope: ['read', 7] })
// @ts-expect-error -- a misspelt option
flow.requireToken({ scopes: 'read' })
// @ts-expect-error -- it is no sign-in that has a scope
flow.requireLogin({ scope: 'read' })
