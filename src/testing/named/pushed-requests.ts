import { named, type NamedMisbehaviour } from './named-misbehaviour.ts'

const refusing = (status: number, error: string): NamedMisbehaviour =>
  named(
    'login',
    'client_rejected',
    `The pushed authorization endpoint answers \`${error}\`.`,
    'pushed_authorization',
    { answer: { status, json: { error } } },
  )

const responding = (summary: string, request_uri: unknown): NamedMisbehaviour =>
  named(
    'login',
    'invalid_server_response',
    `The response to a pushed authorization request ${summary}.`,
    'pushed_authorization',
    { pushedResponse: (usual) => ({ ...usual, request_uri }) },
  )

/** What can be answered to a pushed authorization request, where the server's metadata require one. */
export const pushedRequests = {
  'pushed-authorization-invalid-request': refusing(400, 'invalid_request'),
  'pushed-authorization-invalid-client': refusing(401, 'invalid_client'),
  'pushed-authorization-without-request-uri': responding('has no `request_uri`', undefined),
  'pushed-authorization-empty-request-uri': responding('has an empty `request_uri`', ''),
  'pushed-authorization-request-uri-no-text': responding('has a `request_uri` that is no text', 7),
} as const satisfies Record<string, NamedMisbehaviour>
