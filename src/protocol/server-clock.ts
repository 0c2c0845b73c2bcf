import { PkceFlowError } from '../errors.ts'
import { isPassing, unavailable } from './json-response.ts'
import type { KnownServer } from './known-server.ts'

/**
 * How many milliseconds the authorization server's clock is ahead of ours at least, or behind if
 * negative: by the header `Date` of its signing keys (RFC 9110 section 6.6.1), which is of whole
 * seconds. `undefined` without keys or such a header.
 *
 * Rejects with `server_unavailable`, `server_timeout` or `invalid_server_response`.
 */
export async function measureServerClock(server: KnownServer): Promise<number | undefined> {
  const { jwks_uri: uri } = server.metadata
  if (uri === undefined) return undefined
  const asked = Date.now()
  const headers = { accept: 'application/json' }
  const response = await server.transport(new URL(uri), { method: 'GET', headers, redirects: 3 })
  const answered = Date.now()
  if (isPassing(response)) throw unavailable(response)
  if (response.status !== 200)
    throw new PkceFlowError(
      'invalid_server_response',
      `The authorization server answered ${response.status} when asked for its signing keys.`,
    )
  // A cache answers with the time when it got the response, and says how long ago that was.
  const { date = '', age = '0' } = response.headers
  const earliest = Date.parse(date) + Number(age) * 1000
  if (Number.isNaN(earliest)) return undefined
  return Math.max(earliest - answered, 0) + Math.min(earliest + 1000 - asked, 0)
}
