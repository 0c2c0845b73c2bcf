import type { RequestHandler } from 'express'
import { expectTypeOf } from 'expect-type'
import { pkceFlow, type PkceFlowErrorCode, type RequireLoginOptions } from '../../src/index.ts'

const flow = pkceFlow({
  issuer: 'https://server.example',
  clientId: 'client',
  redirectUri: 'https://app.example/callback',
})

// Step-up: a recent login, a certain kind of login.
flow.requireLogin({ maxAge: 300_000, acrValues: 'gold' })
flow.requireLogin({ acrValues: ['gold', 'silver'] as const, unauthenticated: 'problem' })
expectTypeOf<RequireLoginOptions['maxAge']>().toEqualTypeOf<number | undefined>()
expectTypeOf<'insufficient_user_authentication'>().toExtend<PkceFlowErrorCode>()
// @ts-expect-error -- milliseconds, as a number
flow.requireLogin({ maxAge: '300' })
// @ts-expect-error -- strings
flow.requireLogin({ acrValues: [1] })
// @ts-expect-error -- as they are registered is how they are sent, not how they are written here
flow.requireLogin({ acr_values: 'gold' })

// Silent sign-in is a handler, and takes nothing.
expectTypeOf(flow.silentLogin()).toEqualTypeOf<RequestHandler>()
// @ts-expect-error -- it has no options
flow.silentLogin({ prompt: 'none' })

// Pushed authorization requests are the server's to require, by hand as well.
pkceFlow({
  server: {
    authorization_endpoint: 'https://server.example/authorize',
    token_endpoint: 'https://server.example/token',
    pushed_authorization_request_endpoint: 'https://server.example/par',
    require_pushed_authorization_requests: true,
  },
  clientId: 'client',
  redirectUri: 'https://app.example/callback',
})
pkceFlow({
  issuer: 'https://server.example',
  clientId: 'client',
  redirectUri: 'https://app.example/callback',
  // @ts-expect-error -- there is no option for it
  pushedAuthorizationRequests: true,
})
