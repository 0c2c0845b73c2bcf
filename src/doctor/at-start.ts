import { debuglog } from 'node:util'
import type { Settings } from '../options/settings.ts'
import { createAuthorizationServer } from '../protocol/authorization-server.ts'
import { createTransport } from '../protocol/transport.ts'
import { complete, examineProcess } from './diagnose.ts'

const debug = debuglog('express-pkce-flow')

/**
 * Under `NODE_DEBUG=express-pkce-flow`, says on stderr what is wrong without any request, as soon as
 * the app is set up. It shares nothing with the flow, so that debugging changes nothing, and the
 * process does not wait for it.
 */
export function reportAtStart(settings: Settings): void {
  if (!debug.enabled) return
  setImmediate(() => {
    report(settings).catch((error: unknown) => {
      debug('%s: diagnose failed: %s', settings.name, error instanceof Error ? error.name : '')
    })
  }).unref()
}

async function report(settings: Settings): Promise<void> {
  const { timeout, agent, name } = settings
  const transport = createTransport(timeout, agent, false)
  const getServer = createAuthorizationServer(settings, transport)
  const findings = complete(settings, await examineProcess(settings, getServer))
  for (const { code, message, remedy, guide } of findings)
    debug('%s: diagnose: %s: %s %s (%s)', name, code, message, remedy, guide)
  if (findings.length === 0)
    debug('%s: diagnose: nothing is wrong; flow.diagnose(req) sees more, by a request', name)
}
