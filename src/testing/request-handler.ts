import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { lowerCased, type Answer } from './answer.ts'
import { authorizationEndpoint } from './authorization-endpoint.ts'
import type { Context, Endpoint } from './context.ts'
import { delay, deliver, deliveryFault, replacesAnswer } from './delivery.ts'
import { endSessionEndpoint } from './end-session-endpoint.ts'
import { endpointAt, type TestServerEndpoint } from './endpoints.ts'
import { introspectionEndpoint } from './introspection-endpoint.ts'
import type { AppliedFault, Misbehaviours } from './misbehaviours.ts'
import { pushedAuthorizationEndpoint } from './pushed-authorization-endpoint.ts'
import { readRequest } from './recorded-request.ts'
import type { RequestLog } from './request-log.ts'
import { revocationEndpoint } from './revocation-endpoint.ts'
import { discoveryEndpoint, jwksEndpoint } from './server-metadata.ts'
import { tokenEndpoint } from './token-endpoint.ts'
import { userinfoEndpoint } from './userinfo-endpoint.ts'

const endpoints: Record<TestServerEndpoint, Endpoint> = {
  discovery: discoveryEndpoint,
  jwks: jwksEndpoint,
  authorization: authorizationEndpoint,
  pushed_authorization: pushedAuthorizationEndpoint,
  token: tokenEndpoint,
  revocation: revocationEndpoint,
  introspection: introspectionEndpoint,
  userinfo: userinfoEndpoint,
  end_session: endSessionEndpoint,
  other: () => ({ status: 404, headers: { 'content-type': 'text/plain' }, body: 'Not found' }),
}

/** Reads and notes a request, lets its endpoint answer, and does to the answer what is scripted. */
export function createRequestHandler(
  context: Context,
  misbehaviours: Misbehaviours,
  log: RequestLog,
): RequestListener {
  async function serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const { issuerPath } = context.settings
    const request = await readRequest(incoming, (path) => endpointAt(path, issuerPath))
    if (!request) return
    const faults = misbehaviours.take(request)
    log.add(request)
    for (const { rotateKeys } of faults)
      if (rotateKeys) context.keys.rotate(rotateKeys.keepKid ?? false)
    await delay(faults.filter(({ processed }) => !processed))
    const fault = deliveryFault(faults)
    const isProcessed = !fault || fault.processed || !replacesAnswer(fault)
    const usual = isProcessed
      ? await endpoints[request.endpoint](request, faults, context)
      : undefined
    await delay(faults.filter(({ processed }) => processed))
    await deliver(response, fault, usual && withHeaders(usual, faults))
  }

  return function handleRequest(request, response) {
    serve(request, response).catch((error: unknown) => {
      // A scripted function threw: to the client that must not look like any answer.
      process.emitWarning(error as Error)
      response.destroy()
    })
  }
}

function withHeaders(answer: Answer, faults: readonly AppliedFault[]): Answer {
  const headers: Record<string, string | null> = { ...answer.headers }
  for (const fault of faults) Object.assign(headers, lowerCased(fault.headers ?? {}))
  const sent = Object.entries(headers).flatMap(([name, value]) =>
    value === null ? [] : [[name, value]],
  )
  return { ...answer, headers: Object.fromEntries(sent) as Record<string, string> }
}
