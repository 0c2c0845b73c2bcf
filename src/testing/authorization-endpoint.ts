import {
  errorAnswer,
  escapeHtml,
  htmlAnswer,
  pageAnswer,
  redirectAnswer,
  type Answer,
} from './answer.ts'
import { readArrangedLogin, type ArrangedLogin } from './arranged-login.ts'
import type { Context, Endpoint } from './context.ts'
import type { AppliedFault } from './misbehaviours.ts'
import type { TestClient } from './options.ts'

/** Answers at once, without pages: whoever is signed in has consented (RFC 6749 section 4.1.1). */
export const authorizationEndpoint: Endpoint = function authorize(request, faults, context) {
  if (request.method !== 'GET' && request.method !== 'POST')
    return errorAnswer('invalid_request', 'The authorization endpoint takes GET and POST', 405)
  const sent = request.method === 'GET' ? request.query : request.body
  const parameters = pushedParameters(sent, context) ?? sent
  context.keepSecret(parameters.get('state'))
  context.keepSecret(parameters.get('nonce'))
  const client = context.settings.clients.find(
    ({ clientId }) => clientId === parameters.get('client_id'),
  )
  const redirectUri = parameters.get('redirect_uri')
  // RFC 6749 section 4.1.2.1: without a known client and redirect URI there is nowhere to redirect to.
  if (!client) return pageAnswer('invalid_request', 'Unknown client_id', 400)
  if (!redirectUri || !mayRedirectTo(redirectUri, client))
    return pageAnswer('invalid_request', 'Unknown redirect_uri', 400)

  const scripted = faults.find((fault) => fault.authorizationError)?.authorizationError
  const refusal: [string, string] | undefined = scripted
    ? [scripted, 'A scripted error']
    : (findError(parameters) ?? missingPush(parameters === sent, context))
  const response = new URLSearchParams()
  const headers: Record<string, string> = {}
  const arranged = readArrangedLogin(request.headers.cookie)
  const user = context.user(arranged.sub)
  if (refusal) setError(response, ...refusal)
  else if (!user) setError(response, 'login_required', 'Nobody is signed in')
  else {
    const { session, isNew } = context.sessions.resume(request.headers.cookie, user.sub)
    if (isNew) headers['set-cookie'] = context.sessions.cookie(session, request.path)
    if (needsNewLogin(parameters, session.authTime, context.clock.now() / 1000))
      session.authTime = Math.floor(context.clock.now() / 1000)
    const code = context.grants.createCode({
      clientId: client.clientId,
      sub: user.sub,
      scope: grantedScope(parameters.get('scope') ?? '', client, arranged),
      redirectUri,
      codeChallenge: parameters.get('code_challenge') ?? '',
      nonce: parameters.get('nonce') ?? undefined,
      acr: parameters.get('acr_values')?.split(' ')[0],
      sid: session.sid,
      authTime: session.authTime,
      loginId: arranged.id,
      startsExpired: arranged.expired ?? false,
    })
    context.keepSecret(code)
    response.set('code', code)
  }
  return respond(response, parameters, redirectUri, headers, faults, context)
}

function mayRedirectTo(redirectUri: string, client: TestClient): boolean {
  return client.redirectUris?.includes(redirectUri) ?? URL.canParse(redirectUri)
}

/** The first thing wrong with the request, as error code and description. */
export function findError(parameters: URLSearchParams): [string, string] | undefined {
  const names = [...parameters.keys()]
  const repeated = names.find((name, at) => name !== 'resource' && names.indexOf(name) < at)
  if (repeated) return ['invalid_request', `${repeated} is repeated`]
  if (parameters.has('request')) return ['request_not_supported', 'No request objects']
  if (parameters.has('request_uri')) return ['request_uri_not_supported', 'No request objects']
  if (parameters.get('response_type') !== 'code')
    return ['unsupported_response_type', 'response_type must be code']
  if (!['query', 'form_post'].includes(parameters.get('response_mode') ?? 'query'))
    return ['invalid_request', 'response_mode must be query or form_post']
  if (parameters.get('code_challenge_method') !== 'S256')
    return ['invalid_request', 'code_challenge_method must be S256']
  if (!/^[\w-]{43}$/.test(parameters.get('code_challenge') ?? ''))
    return ['invalid_request', 'code_challenge must be a SHA-256 hash in base64url']
  return undefined
}

/** RFC 9126 section 4: nothing counts but what was pushed. */
function pushedParameters(sent: URLSearchParams, context: Context): URLSearchParams | undefined {
  const requestUri = sent.get('request_uri')
  return requestUri === null
    ? undefined
    : context.pushedRequests.take(requestUri, sent.get('client_id'))
}

function missingPush(isMissing: boolean, { settings }: Context): [string, string] | undefined {
  return isMissing && settings.metadata.require_pushed_authorization_requests === true
    ? ['invalid_request', 'Authorization requests have to be pushed']
    : undefined
}

function setError(response: URLSearchParams, error: string, description: string): void {
  response.set('error', error)
  response.set('error_description', description)
}

/** @param now and `authTime`: seconds since the epoch */
function needsNewLogin(parameters: URLSearchParams, authTime: number, now: number): boolean {
  const maxAge = parameters.get('max_age')
  return (
    parameters.get('prompt')?.split(' ').includes('login') === true ||
    (maxAge !== null && now - authTime > Number(maxAge))
  )
}

function grantedScope(requested: string, client: TestClient, arranged: ArrangedLogin): string {
  const isOpenId = requested.split(' ').includes('openid')
  // Without `openid` there is no login to be had, and whoever arranges scopes means the others.
  const granted =
    arranged.scope === undefined ? requested : `${isOpenId ? 'openid ' : ''}${arranged.scope}`
  const scopes = [...new Set(granted.split(' '))].filter((scope) => scope !== '')
  const allowed = client.scope?.split(' ')
  return scopes.filter((scope) => allowed?.includes(scope) ?? true).join(' ')
}

function respond(
  response: URLSearchParams,
  parameters: URLSearchParams,
  redirectUri: string,
  headers: Readonly<Record<string, string>>,
  faults: readonly AppliedFault[],
  context: Context,
): Answer {
  const state = parameters.get('state')
  if (state !== null) response.set('state', state)
  if (context.settings.announceIss) response.set('iss', context.issuer)
  for (const fault of faults) fault.authorizationResponse?.(response)
  const mode = faults.find((fault) => fault.responseMode)?.responseMode
  const answer =
    (mode ?? parameters.get('response_mode')) === 'form_post'
      ? formPostPage(redirectUri, response)
      : redirectAnswer(
          `${redirectUri}${redirectUri.includes('?') ? '&' : '?'}${response.toString()}`,
        )
  return { ...answer, headers: { ...answer.headers, ...headers } }
}

/** OAuth 2.0 Form Post Response Mode; the button is for browsers without scripts. */
function formPostPage(redirectUri: string, response: URLSearchParams): Answer {
  const fields = [...response]
    .map(
      ([name, value]) =>
        `<input type="hidden" name="${escapeHtml(name)}" value="${escapeHtml(value)}">`,
    )
    .join('\n')
  return htmlAnswer(
    'Continue',
    `<body onload="document.forms[0].submit()">
<form method="post" action="${escapeHtml(redirectUri)}">
${fields}
<button>Continue</button>
</form>
</body>`,
  )
}
