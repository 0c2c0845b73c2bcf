import { setTimeout as delay } from 'node:timers/promises'
import { ClientSecretPost, None, type ClientAuth } from 'openid-client'
import { PkceFlowError } from '../errors.ts'
import type { ClientSettings } from '../options/client.ts'

/** Client authentication (RFC 6749 section 2.3) in openid-client's form. */
export function resolveClientAuthentication(
  settings: ClientSettings & { timeout: number },
): ClientAuth {
  const { clientId, clientAuth, clientSecret = '', timeout } = settings
  if (typeof clientAuth === 'function') return limited(clientAuth, timeout)
  switch (clientAuth) {
    case 'client_secret_basic':
      return clientSecretBasic(clientId, clientSecret)
    case 'client_secret_post':
      return ClientSecretPost(clientSecret)
    case 'none':
      return None()
  }
}

/** An authentication that asks others (a key service) may never come back from there. */
function limited(clientAuth: ClientAuth, timeout: number): ClientAuth {
  const authenticate: (...given: Parameters<ClientAuth>) => unknown = clientAuth
  // oxlint-disable-next-line typescript/no-misused-promises -- openid-client awaits what it gets, its type allows for no promise
  return async function authenticateInTime(...given) {
    const limit = new AbortController()
    const tooLate = delay(timeout, undefined, { signal: limit.signal }).then(() => {
      throw new PkceFlowError(
        'server_timeout',
        'The client authentication (option "clientAuth") did not finish in time. Nothing was sent.',
        { retryAfter: 1 },
      )
    })
    tooLate.catch(() => undefined) // when it was faster
    try {
      await Promise.race([Promise.resolve(authenticate(...given)), tooLate])
    } finally {
      limit.abort()
    }
  }
}

/**
 * RFC 6749 section 2.3.1. openid-client's own encodes `-`, `.` and `_` too, which is equivalent on
 * paper; many servers compare the text as it comes and refuse that.
 */
function clientSecretBasic(clientId: string, clientSecret: string): ClientAuth {
  const credentials = Buffer.from(`${formEncode(clientId)}:${formEncode(clientSecret)}`)
  const authorization = `Basic ${credentials.toString('base64')}`
  return function authenticate(_server, _client, _body, headers) {
    headers.set('authorization', authorization)
  }
}

/** One value as `application/x-www-form-urlencoded` has it. */
function formEncode(value: string): string {
  return new URLSearchParams({ '': value }).toString().slice(1)
}
