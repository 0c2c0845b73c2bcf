import { randomUUID } from 'node:crypto'
import type { Context } from './context.ts'
import type { IdTokenFault } from './faults.ts'
import type { LogoutTokenRequest } from './logout-delivery.ts'

const event = 'http://schemas.openid.net/event/backchannel-logout'

/** Signs a logout token for a client. */
export function createLogoutToken(
  { sub, sid, clientId, faults = [] }: LogoutTokenRequest,
  context: Context,
): Promise<string> {
  const { issuer, settings } = context
  const client = settings.clients.find((each) => each.clientId === clientId) ?? settings.clients[0]
  const now = Math.floor(context.clock.now() / 1000)
  return context.sign({
    header: { typ: 'logout+jwt' },
    claims: {
      ...{ iss: issuer, aud: client?.clientId, iat: now, exp: now + 120, jti: randomUUID() },
      ...{ sub, sid, events: { [event]: {} } },
    },
    faults,
    clientSecret: client?.clientSecret,
  })
}

const changed = (change: Record<string, unknown>): IdTokenFault => ({
  claims: (claims) => ({ ...claims, ...change }),
})

/** Logout tokens that a client must refuse, by what is wrong with them. */
export const wrongLogoutTokens = {
  'alg-none': { sign: 'none' },
  'alg-hs256': { sign: 'HS256' },
  'wrong-alg': { alg: 'ES384' },
  'wrong-key': { sign: 'wrong-key' },
  'wrong-typ': { header: (header) => ({ ...header, typ: 'at+jwt' }) },
  'no-event': changed({ events: undefined }),
  'no-events-in-it': changed({ events: {} }),
  'wrong-event': changed({ events: { 'http://schemas.openid.net/event/other': {} } }),
  'event-that-is-no-object': changed({ events: { [event]: true } }),
  'events-that-are-a-list': changed({ events: [event] }),
  'with-nonce': changed({ nonce: 'nonce' }),
  'wrong-aud': changed({ aud: 'another-client' }),
  'no-aud': changed({ aud: undefined }),
  'wrong-iss': changed({ iss: 'https://other.example' }),
  'no-iss': changed({ iss: undefined }),
  'future-iat': {
    claims: ({ iat, exp, ...others }) => ({
      ...others,
      iat: Number(iat) + 3_600,
      exp: Number(exp) + 3_600,
    }),
  },
  'no-iat': changed({ iat: undefined }),
  'iat-that-is-text': changed({ iat: 'now' }),
  expired: { claims: (claims) => ({ ...claims, exp: Number(claims.iat) - 60 }) },
  'old-without-exp': {
    claims: (claims) => ({ ...claims, iat: Number(claims.iat) - 3_600, exp: undefined }),
  },
  'no-jti': changed({ jti: undefined }),
  'empty-jti': changed({ jti: '' }),
  'neither-sub-nor-sid': changed({ sub: undefined, sid: undefined }),
  'empty-sid': changed({ sid: '' }),
  'sub-that-is-no-text': changed({ sub: { is: 'alice' } }),
} satisfies Record<string, IdTokenFault>
