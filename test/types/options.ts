import { expectTypeOf } from 'expect-type'
import { MemoryStore } from 'express-session'
import type { CryptoKey } from 'jose'
import { Agent } from 'node:https'
import { PrivateKeyJwt, TlsClientAuth } from 'openid-client'
import { type LoginEvent, pkceFlow, type PkceFlowOptions } from '../../src/index.ts'

declare const key: CryptoKey

const client = { clientId: 'client', redirectUri: 'https://app.example/callback' }
const discovered = { ...client, issuer: 'https://server.example' }
const connect = { purpose: 'connect', userId: () => 'alice' } as const
const endpoints = {
  authorization_endpoint: 'https://server.example/authorize',
  token_endpoint: 'https://server.example/token',
}

// The authorization server: discovered, discovered and completed, by hand, by its root URL.
pkceFlow(discovered)
pkceFlow({ ...discovered, server: { revocation_endpoint: 'https://server.example/revoke' } })
pkceFlow({ ...client, server: endpoints })
pkceFlow({ ...client, server: { rootUrl: 'https://server.example/oauth', tokenPath: 'token' } })
// @ts-expect-error -- neither issuer nor server
pkceFlow(client)
// @ts-expect-error -- a root URL is for servers that are not discovered
pkceFlow({ ...discovered, server: { rootUrl: 'https://server.example' } })
// @ts-expect-error -- no token endpoint
pkceFlow({ ...client, server: { authorization_endpoint: 'https://server.example/authorize' } })
// @ts-expect-error -- a member that is not registered
pkceFlow({ ...client, server: { ...endpoints, jwksUri: 'https://server.example/jwks' } })
// @ts-expect-error -- a misspelt member beside discovery
pkceFlow({ ...discovered, server: { revocation_endpont: 'https://server.example/revoke' } })
// @ts-expect-error -- a misspelt member beside rootUrl
pkceFlow({ ...client, server: { rootUrl: 'https://server.example', tokenpath: 'token' } })
// @ts-expect-error -- PKCE cannot be turned off
pkceFlow({ ...client, server: { ...endpoints, code_challenge_methods_supported: false } })

// Client authentication.
pkceFlow({ ...discovered, clientSecret: 'secret' })
pkceFlow({ ...discovered, clientSecret: 'secret', clientAuth: 'client_secret_basic' })
pkceFlow({ ...discovered, clientSecret: 'secret', clientAuth: 'client_secret_post' })
pkceFlow({ ...discovered, clientAuth: 'none' })
pkceFlow({ ...discovered, clientAuth: PrivateKeyJwt(key) })
pkceFlow({ ...discovered, clientAuth: TlsClientAuth(), agent: new Agent() })
// @ts-expect-error -- a secret that may not be set
pkceFlow({ ...discovered, clientSecret: process.env.CLIENT_SECRET })
// @ts-expect-error -- a secret that is not set
pkceFlow({ ...discovered, clientSecret: undefined })
// @ts-expect-error -- no secret to authenticate with
pkceFlow({ ...discovered, clientAuth: 'client_secret_post' })
// @ts-expect-error -- a secret that nobody uses
pkceFlow({ ...discovered, clientSecret: 'secret', clientAuth: 'none' })
// @ts-expect-error -- a secret that nobody uses
pkceFlow({ ...discovered, clientSecret: 'secret', clientAuth: PrivateKeyJwt(key) })
// @ts-expect-error -- no such method
pkceFlow({ ...discovered, clientSecret: 'secret', clientAuth: 'client_secret_jwt' })

// Misspelt options, and those that are not built yet.
// @ts-expect-error -- redirectUri is meant
pkceFlow({ ...discovered, redirectUrl: 'https://app.example/callback' })
// @ts-expect-error -- scope is meant
pkceFlow({ ...discovered, scopes: 'openid' })
// @ts-expect-error -- loginTimeout is meant
pkceFlow({ ...discovered, loginTimeOut: 60_000 })
// @ts-expect-error -- refreshLeeway is meant
pkceFlow({ ...discovered, refreshLeway: 30_000 })
// @ts-expect-error -- whose tokens they are is known to the app only
pkceFlow({ ...discovered, tokenStore: new Map() })
// @ts-expect-error -- there is nowhere to keep them
pkceFlow({ ...discovered, userId: () => 'alice' })
pkceFlow({ ...discovered, userId: () => 'alice', tokenStore: new Map(), tokenLifetime: 60_000 })
pkceFlow({ ...discovered, lock: 'process', apiOrigins: ['https://api.example'] })
// @ts-expect-error -- a misspelt route
pkceFlow({ ...discovered, routes: { logIn: '/in' } })
// @ts-expect-error -- without a callback there is no flow
pkceFlow({ ...discovered, routes: { callback: false } })

// @ts-expect-error -- where nobody signs in nobody logs out
pkceFlow({ ...discovered, ...connect, postLogoutRedirectUri: 'https://app.example/out' })

// All the others, with the types that they have; undefined means the default.
const all: PkceFlowOptions = {
  ...discovered,
  server: undefined,
  routes: {
    ...{ login: '/in', callback: undefined, logout: false },
    ...{ backchannelLogout: '/ended', frontchannelLogout: undefined },
  },
  postLogoutRedirectUri: 'https://app.example/logged-out',
  basePath: '/base',
  scope: ['openid', 'email'],
  authorizationParams: { prompt: 'consent' },
  responseMode: 'form_post',
  name: 'name',
  requestProperty: 'token',
  attach: false,
  afterLogin: '/',
  afterLogout: '/',
  returnToOrigins: ['https://other.example'],
  sessionAtLogin: ['cart'],
  loginTimeout: 60_000,
  maxPendingLogins: 10,
  timeout: undefined,
  clockTolerance: 0,
  store: new MemoryStore(),
  agent: undefined,
  onLogin: undefined,
}
pkceFlow(all)
// @ts-expect-error -- no such mode
pkceFlow({ ...discovered, responseMode: 'fragment' })
// @ts-expect-error -- parameters are text
pkceFlow({ ...discovered, authorizationParams: { max_age: 0 } })
// @ts-expect-error -- no such fate
pkceFlow({ ...discovered, sessionAtLogin: 'keep' })
// @ts-expect-error -- null is no default
pkceFlow({ ...discovered, timeout: null })

// onLogin: nothing, a place, or a promise of one.
pkceFlow({ ...discovered, onLogin: () => undefined })
pkceFlow({ ...discovered, onLogin: () => '/welcome' })
pkceFlow({ ...discovered, onLogin: async () => Promise.resolve() })
pkceFlow({ ...discovered, onLogin: async ({ returnTo }) => Promise.resolve(returnTo) })
pkceFlow({
  ...discovered,
  onLogin(event) {
    expectTypeOf(event).toEqualTypeOf<LoginEvent>()
    expectTypeOf(event.token.accessToken).toEqualTypeOf<string>()
    expectTypeOf(event.req.session.id).toEqualTypeOf<string>()
  },
})
// @ts-expect-error -- no place to go to
pkceFlow({ ...discovered, onLogin: () => 5 })
