/**
 * What openid-client and jose want to be given: a `Response`. It is made without a body stream,
 * which would cost more than the exchange itself: both only ever call `json()`.
 */
export function toWebResponse(json: unknown, status = 200): Response {
  const response = new Response(null, { status })
  return Object.defineProperty(response, 'json', { value: () => Promise.resolve(json) })
}
