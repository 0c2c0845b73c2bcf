import { expectTypeOf } from 'expect-type'
import express from 'express'
import { pkceFlow, type Token } from '../../../src/index.ts'
import '../../../src/req-token.ts'

const flow = pkceFlow({
  issuer: 'https://server.example',
  clientId: 'client',
  redirectUri: 'https://app.example/callback',
})

express().get('/', (req) => {
  expectTypeOf(req.token).toEqualTypeOf<Token | undefined>()
  // @ts-expect-error -- there may be none
  expectTypeOf(req.token.accessToken).toBeString()
})

// Behind the guard there is one, for its own handler.
express().get(
  '/',
  flow.requireToken((req) => {
    expectTypeOf(req.token).toEqualTypeOf<Token>()
  }),
)
