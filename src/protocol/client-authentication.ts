import { ClientSecretPost, None, type ClientAuth } from 'openid-client'
import type { ClientSettings } from '../options/client.ts'

/** Client authentication (RFC 6749 section 2.3) in openid-client's form. */
export function resolveClientAuthentication(settings: ClientSettings): ClientAuth {
  const { clientId, clientAuth, clientSecret = '' } = settings
  if (typeof clientAuth === 'function') return clientAuth
  switch (clientAuth) {
    case 'client_secret_basic':
      return clientSecretBasic(clientId, clientSecret)
    case 'client_secret_post':
      return ClientSecretPost(clientSecret)
    case 'none':
      return None()
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
