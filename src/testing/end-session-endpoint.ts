import { escapeHtml, htmlAnswer, pageAnswer, redirectAnswer, type Answer } from './answer.ts'
import type { Context, Endpoint } from './context.ts'
import type { AppliedFault } from './misbehaviours.ts'

/**
 * Ends the session named by `id_token_hint`, without asking (OpenID Connect RP-Initiated Logout 1.0),
 * and tells the client of it, if it wants to be told.
 */
export const endSessionEndpoint: Endpoint = async function endSession(request, faults, context) {
  const parameters = request.method === 'POST' ? request.body : request.query
  const claims = readClaims(parameters.get('id_token_hint'))
  if (typeof claims.sid === 'string') context.sessions.end(claims.sid)
  const clientId = parameters.get('client_id') ?? claims.aud
  const client = context.settings.clients.find((each) => each.clientId === clientId)
  const { backchannel } = context.logoutUris
  if (backchannel !== undefined && claims.sid !== undefined)
    await context.sendLogoutToken({
      ...{ to: backchannel, clientId: client?.clientId, sub: claims.sub, sid: claims.sid },
      faults: faults.flatMap((fault) => fault.logoutToken ?? []),
    })
  const target = parameters.get('post_logout_redirect_uri')
  const frame = frameOf(claims.sid, context)
  if (target === null) return leave(undefined, frame)
  const isAllowed = client?.postLogoutRedirectUris?.includes(target) ?? URL.canParse(target)
  if (!client || !isAllowed)
    return pageAnswer('invalid_request', 'Unknown client or post_logout_redirect_uri', 400)
  return leave(withResponse(target, parameters.get('state'), faults), frame)
}

function withResponse(
  target: string,
  state: string | null,
  faults: readonly AppliedFault[],
): string {
  const response = new URLSearchParams(state === null ? {} : { state })
  for (const fault of faults) fault.logoutResponse?.(response)
  const query = response.toString()
  return query === '' ? target : `${target}${target.includes('?') ? '&' : '?'}${query}`
}

/** URL of the iframe that tells the client (OpenID Connect Front-Channel Logout 1.0 section 3). */
function frameOf(
  sid: string | undefined,
  { issuer, logoutUris: { frontchannel } }: Context,
): string | undefined {
  if (frontchannel === undefined || sid === undefined) return undefined
  const query = new URLSearchParams({ iss: issuer, sid }).toString()
  return `${frontchannel}${frontchannel.includes('?') ? '&' : '?'}${query}`
}

/** With an iframe there has to be a page, which goes on when that may have been loaded. */
function leave(target: string | undefined, frame: string | undefined): Answer {
  if (frame === undefined)
    return target === undefined
      ? pageAnswer('Signed out', 'You have signed out.')
      : redirectAnswer(target)
  const refresh =
    target === undefined ? '' : `<meta http-equiv="refresh" content="1;url=${escapeHtml(target)}">`
  return htmlAnswer(
    'Signed out',
    `${refresh}\n<p>You have signed out.</p>\n<iframe src="${escapeHtml(frame)}"></iframe>`,
  )
}

interface HintClaims {
  sid?: string
  sub?: string
  aud?: unknown
}

/** A hint may have expired or be spoilt on purpose: all that it does is to name a session. */
function readClaims(idToken: string | null): HintClaims {
  try {
    const payload = Buffer.from(idToken?.split('.')[1] ?? '', 'base64url').toString('utf8')
    return Object(JSON.parse(payload)) as HintClaims
  } catch {
    return {}
  }
}
