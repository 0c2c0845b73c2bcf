/**
 * Values of `error` registered by RFC 6749, RFC 8628, RFC 9470, OpenID Connect Core and its
 * extensions. Others are free text of a server, which can reflect what a browser sent.
 */
const registeredErrors = new Set([
  'access_denied',
  'account_selection_required',
  'consent_required',
  'insufficient_user_authentication',
  'interaction_required',
  'invalid_client',
  'invalid_grant',
  'invalid_request',
  'invalid_request_object',
  'invalid_request_uri',
  'invalid_scope',
  'invalid_target',
  'login_required',
  'registration_not_supported',
  'request_not_supported',
  'request_uri_not_supported',
  'server_error',
  'temporarily_unavailable',
  'unauthorized_client',
  'unmet_authentication_requirements',
  'unsupported_grant_type',
  'unsupported_response_type',
])

/** `error` if it is a registered value (RFC 6749 section 11.4), else `undefined`. */
export function registeredError(error: unknown): string | undefined {
  return typeof error === 'string' && registeredErrors.has(error) ? error : undefined
}
