import type { CustomFetch } from 'openid-client'
import { PkceFlowError } from '../errors.ts'
import { isPassing, jsonObject, unavailable } from './json-response.ts'
import { TokenRefusal } from './token-refusal.ts'
import type { Transport } from './transport.ts'
import { toWebResponse } from './web-response.ts'

/** openid-client's `fetch` for the pushed authorization request endpoint. */
export function createPushedRequestFetch(transport: Transport): CustomFetch {
  return async function fetchPushedRequest(url, { headers, body }) {
    const response = await transport(new URL(url), {
      method: 'POST',
      headers,
      body: (body as URLSearchParams).toString(),
    })
    if (isPassing(response)) throw unavailable(response)
    const json = jsonObject(response)
    if (response.status !== 201 && response.status !== 200) {
      // RFC 9126 section 2.3: errors are as at the token endpoint.
      throw new TokenRefusal(response, typeof json?.error === 'string' ? json.error : undefined)
    }
    const reference = json?.request_uri
    if (typeof reference !== 'string' || !/^[\x21-\x7e]{1,2048}$/.test(reference))
      throw noReference()
    // How long it lives makes no difference: it is used at once.
    return toWebResponse({ request_uri: reference, expires_in: 60 }, 201)
  }
}

function noReference(): PkceFlowError {
  return new PkceFlowError(
    'invalid_server_response',
    'The authorization server answered a pushed authorization request without a request_uri.',
  )
}
