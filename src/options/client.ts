import type { ClientAuth } from 'openid-client'
import { invalid, isText, oneOf } from './checks.ts'

/** Who the client is at the authorization server (RFC 6749 sections 2.2 and 2.3). */
export interface ClientSettings {
  readonly clientId: string
  readonly clientSecret: string | undefined
  readonly clientAuth: 'client_secret_basic' | 'client_secret_post' | 'none' | ClientAuth
}

/** Checks who the client is, and how it says so. */
export function resolveClient(options: object): ClientSettings {
  const { clientId, clientSecret, clientAuth } = options as Record<string, unknown>
  if (!isText(clientId))
    throw invalid('clientId', 'must be a non-empty string; is its environment variable set?')
  if ('clientSecret' in options && !isText(clientSecret))
    throw invalid(
      'clientSecret',
      'must be a non-empty string; is its environment variable set? Leave it out for a public client',
    )
  if (typeof clientAuth === 'function') {
    if (clientSecret !== undefined)
      throw invalid('clientSecret', 'is not used beside a clientAuth function')
    return { clientId, clientSecret: undefined, clientAuth: clientAuth as ClientAuth }
  }
  const usual = clientSecret === undefined ? 'none' : 'client_secret_basic'
  const method = clientAuth === undefined ? usual : clientAuth
  const methods = ['client_secret_basic', 'client_secret_post', 'none'] as const
  const resolved = oneOf('clientAuth', method, methods)
  if (resolved === 'none' && clientSecret !== undefined)
    throw invalid('clientSecret', "is not used with clientAuth 'none'")
  if (resolved !== 'none' && clientSecret === undefined)
    throw invalid('clientSecret', `is needed with clientAuth '${resolved}'`)
  return { clientId, clientSecret: clientSecret as string | undefined, clientAuth: resolved }
}
