import type { CustomFetch } from 'openid-client'
import { isPassing, jsonObject, unavailable } from './json-response.ts'
import { TokenRefusal } from './token-refusal.ts'
import type { Transport } from './transport.ts'
import { toWebResponse } from './web-response.ts'

/** openid-client's `fetch` for the revocation endpoint. Servers answer 200 with any body. */
export function createRevocationFetch(transport: Transport): CustomFetch {
  return async function fetchRevocation(url, { headers, body }) {
    const response = await transport(new URL(url), {
      method: 'POST',
      headers,
      body: (body as URLSearchParams).toString(),
    })
    if (response.status === 200) return toWebResponse({})
    if (isPassing(response)) throw unavailable(response)
    // RFC 7009 section 2.2.1: errors are as at the token endpoint.
    const error = jsonObject(response)?.error
    throw new TokenRefusal(response, typeof error === 'string' ? error : undefined)
  }
}
