import { pageAnswer, redirectAnswer } from './answer.ts'
import type { Endpoint } from './context.ts'

/** Ends the session named by `id_token_hint`, without asking (OpenID Connect RP-Initiated Logout 1.0). */
export const endSessionEndpoint: Endpoint = function endSession(request, _faults, context) {
  const parameters = request.method === 'POST' ? request.body : request.query
  const claims = readClaims(parameters.get('id_token_hint'))
  if (typeof claims.sid === 'string') context.sessions.end(claims.sid)
  const clientId = parameters.get('client_id') ?? claims.aud
  const client = context.settings.clients.find((each) => each.clientId === clientId)
  const target = parameters.get('post_logout_redirect_uri')
  if (target === null) return pageAnswer('Signed out', 'You have signed out.')
  const isAllowed = client?.postLogoutRedirectUris?.includes(target) ?? URL.canParse(target)
  if (!client || !isAllowed)
    return pageAnswer('invalid_request', 'Unknown client or post_logout_redirect_uri', 400)
  const state = parameters.get('state')
  if (state === null) return redirectAnswer(target)
  const query = new URLSearchParams({ state }).toString()
  return redirectAnswer(`${target}${target.includes('?') ? '&' : '?'}${query}`)
}

/** A hint may have expired or be spoilt on purpose: all that it does is to name a session. */
function readClaims(idToken: string | null): { sid?: unknown; aud?: unknown } {
  try {
    const payload = Buffer.from(idToken?.split('.')[1] ?? '', 'base64url').toString('utf8')
    return Object(JSON.parse(payload)) as { sid?: unknown }
  } catch {
    return {}
  }
}
