import type { CustomFetch } from 'openid-client'
import { PkceFlowError } from '../errors.ts'
import type { Transport } from './transport.ts'
import { toWebResponse } from './web-response.ts'

/** openid-client's `fetch` for the revocation endpoint. Servers answer 200 with any body. */
export function createRevocationFetch(transport: Transport): CustomFetch {
  return async function fetchRevocation(url, { headers, body }) {
    const { status } = await transport(new URL(url), {
      method: 'POST',
      headers,
      body: (body as URLSearchParams).toString(),
    })
    if (status === 200) return toWebResponse({})
    throw new PkceFlowError(
      'invalid_server_response',
      `The authorization server's revocation endpoint answered ${status}.`,
    )
  }
}
