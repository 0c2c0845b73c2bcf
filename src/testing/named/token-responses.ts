import type { FaultyAnswer, JsonObject } from '../faults.ts'
import { isRefresh, named, type NamedMisbehaviour } from './named-misbehaviour.ts'

type Outcome = NamedMisbehaviour['outcome']

const answering = (summary: string, outcome: Outcome, answer: FaultyAnswer): NamedMisbehaviour =>
  named('login', outcome, `The token endpoint ${summary}.`, 'token', { answer })

/** A usual response with other members; `undefined` leaves one out. */
const responding = (summary: string, outcome: Outcome, members: JsonObject): NamedMisbehaviour =>
  named('login', outcome, `The token response ${summary}.`, 'token', {
    tokenResponse: (usual) => ({ ...usual, ...members }),
  })

const refusingRefresh = (
  summary: string,
  outcome: Outcome,
  answer: FaultyAnswer,
): NamedMisbehaviour =>
  named('refresh', outcome, `At a refresh, ${summary}.`, 'token', { answer }, { when: isRefresh })

const refreshing = (summary: string, outcome: Outcome, members: JsonObject): NamedMisbehaviour =>
  named(
    'refresh',
    outcome,
    `The response to a refresh ${summary}.`,
    'token',
    { tokenResponse: (usual) => ({ ...usual, ...members }) },
    { when: isRefresh },
  )

const invalidClient: FaultyAnswer = {
  status: 401,
  json: { error: 'invalid_client' },
  headers: { 'www-authenticate': 'Basic realm="test"' },
}

/** What the token endpoint can answer to a code. */
export const tokenResponses = {
  'token-invalid-grant': answering('answers `invalid_grant`', 'code_rejected', {
    status: 400,
    json: { error: 'invalid_grant' },
  }),
  'token-unreadable-refusal': answering('answers 400 and no error code', 'code_rejected', {
    status: 400,
    body: 'no',
  }),
  'token-invalid-client': answering('answers `invalid_client`', 'client_rejected', invalidClient),
  'token-error-with-200': answering('answers 200 and `invalid_grant`', 'code_rejected', {
    json: { error: 'invalid_grant' },
  }),
  'token-error-beside-tokens': responding('has an error beside the tokens', 'code_rejected', {
    error: 'invalid_grant',
  }),
  'token-answer-lost': named(
    'login',
    'server_unavailable',
    'The token endpoint takes the code, and breaks the connection before it answers.',
    'token',
    { reset: 'before-response' },
    { processed: true },
  ),
  'token-as-html': named(
    'login',
    'accepted',
    'The token response says that it is a page.',
    'token',
    { headers: { 'content-type': 'text/html' } },
  ),
  'token-without-type': responding('has no `token_type`', 'accepted', { token_type: undefined }),
  'token-type-mac': responding('has the `token_type` `mac`', 'invalid_server_response', {
    token_type: 'mac',
  }),
  'token-type-dpop': responding(
    'has the `token_type` `DPoP`, which nobody asked for',
    'invalid_server_response',
    { token_type: 'DPoP' },
  ),
  'token-without-expires-in': responding('has no `expires_in`', 'accepted', {
    expires_in: undefined,
  }),
  'token-expires-in-negative': responding('has `expires_in: -1`', 'accepted', { expires_in: -1 }),
  'token-expires-in-text': responding('has `expires_in: "soon"`', 'accepted', {
    expires_in: 'soon',
  }),
  'token-expires-in-string': responding('has `expires_in: "3600"`', 'accepted', {
    expires_in: '3600',
  }),
  'token-expires-in-huge': responding('has `expires_in: 1e308`', 'accepted', {
    expires_in: 1e308,
  }),
  'token-expires-in-zero': responding('has `expires_in: 0`', 'accepted', { expires_in: 0 }),
  'token-without-access-token': responding('has no access token', 'invalid_server_response', {
    access_token: undefined,
  }),
  'token-empty-access-token': responding('has an empty access token', 'invalid_server_response', {
    access_token: '',
  }),
  'token-without-refresh-token': responding('has no refresh token', 'accepted', {
    refresh_token: undefined,
  }),
  'token-without-id-token': responding('has no ID Token', 'invalid_server_response', {
    id_token: undefined,
  }),
} as const satisfies Record<string, NamedMisbehaviour>

/** What the token endpoint can answer to a refresh token. */
export const refreshResponses = {
  'refresh-invalid-grant': refusingRefresh(
    'the token endpoint answers `invalid_grant`',
    'reauthorization_required',
    { status: 400, json: { error: 'invalid_grant' } },
  ),
  'refresh-unreadable-refusal': refusingRefresh(
    'the token endpoint answers 400 and no error code',
    'reauthorization_required',
    { status: 400, body: 'no' },
  ),
  'refresh-invalid-client': refusingRefresh(
    'the token endpoint answers `invalid_client`',
    'server_unavailable',
    invalidClient,
  ),
  'refresh-forbidden': refusingRefresh('a firewall answers 403 and a page', 'server_unavailable', {
    status: 403,
    body: '<h1>Forbidden</h1>',
  }),
  'refresh-answer-lost': named(
    'refresh',
    'server_unavailable',
    'The refresh token is rotated, and the connection breaks before the answer.',
    'token',
    { reset: 'before-response' },
    { when: isRefresh, processed: true },
  ),
  'refresh-without-refresh-token': refreshing('has no refresh token', 'accepted', {
    refresh_token: undefined,
  }),
  'refresh-without-id-token': refreshing('has no ID Token', 'accepted', { id_token: undefined }),
  'refresh-without-expires-in': refreshing('has no `expires_in`', 'accepted', {
    expires_in: undefined,
  }),
  'refresh-type-dpop': refreshing(
    'has the `token_type` `DPoP`, which nobody asked for',
    'reauthorization_required',
    { token_type: 'DPoP' },
  ),
  'refresh-other-sub': named(
    'refresh',
    'reauthorization_required',
    'The response to a refresh has an ID Token about somebody else.',
    'token',
    { idToken: { claims: (usual) => ({ ...usual, sub: `not-${String(usual.sub)}` }) } },
    { when: isRefresh },
  ),
  'refresh-other-nonce': named(
    'refresh',
    'reauthorization_required',
    'The response to a refresh has an ID Token with another `nonce`.',
    'token',
    { idToken: { claims: (usual) => ({ ...usual, nonce: 'another' }) } },
    { when: isRefresh },
  ),
} as const satisfies Record<string, NamedMisbehaviour>
