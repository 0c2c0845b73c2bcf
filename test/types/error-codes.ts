import { expectTypeOf } from 'expect-type'
import {
  type ConfigurationError,
  PkceFlowError,
  type PkceFlowErrorCode,
  type StateForgeryError,
} from '../../src/index.ts'

/** The union is closed: a switch over all codes needs no default. */
export function explain(code: PkceFlowErrorCode): string {
  switch (code) {
    case 'login_not_found':
    case 'login_interrupted':
    case 'code_rejected':
    case 'invalid_callback':
    case 'issuer_mismatch':
    case 'user_changed':
      return 'start again'
    case 'login_required':
    case 'reauthorization_required':
    case 'insufficient_user_authentication':
    case 'not_signed_in':
    case 'not_connected':
      return 'log in'
    case 'access_denied':
    case 'insufficient_scope':
    case 'cross_site_request':
      return 'you may not'
    case 'authorization_failed':
    case 'invalid_server_response':
    case 'id_token_invalid':
      return 'the authorization server is wrong'
    case 'server_unavailable':
    case 'server_timeout':
    case 'store_unavailable':
    case 'lock_unavailable':
      return 'later'
    case 'client_rejected':
    case 'session_missing':
    case 'insecure_cookie':
    case 'user_id_invalid':
    case 'callback_misplaced':
    case 'configuration':
    case 'origin_not_allowed':
      return 'ask the operator'
  }
}

// @ts-expect-error -- no such code
explain('state_mismatch')

declare const error: PkceFlowError
expectTypeOf(error).toExtend<Error>()
expectTypeOf(error.code).toEqualTypeOf<PkceFlowErrorCode>()
expectTypeOf(error.status).toEqualTypeOf<number>()
expectTypeOf(error.expose).toEqualTypeOf<boolean>()
expectTypeOf(error.flow).toEqualTypeOf<string | undefined>()
expectTypeOf(error.loginUrl).toEqualTypeOf<string | undefined>()
expectTypeOf(error.retryAfter).toEqualTypeOf<number | undefined>()
expectTypeOf(error.oauthError).toEqualTypeOf<string | undefined>()
// @ts-expect-error -- readonly
error.code = 'configuration'
// @ts-expect-error -- no such code
expectTypeOf(new PkceFlowError('state_mismatch', 'message')).toBeObject()

expectTypeOf<ConfigurationError>().toExtend<PkceFlowError>()
expectTypeOf<StateForgeryError>().toExtend<PkceFlowError>()
