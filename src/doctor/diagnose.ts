import type { Request } from 'express'
import type { Flow } from '../http/flow.ts'
import type { Settings } from '../options/settings.ts'
import type { KnownServer } from '../protocol/known-server.ts'
import { examineBasePath } from './base-path.ts'
import type { Finding, Found } from './finding.ts'
import { examineHttps } from './https.ts'
import { examineMounting } from './mounting.ts'
import { examineOrigin } from './origin.ts'
import { examineServer } from './server.ts'
import { examineSessionCookie } from './session-cookie.ts'
import { examineStores } from './stores.ts'

/**
 * Everything that is found wrong with a flow.
 *
 * @param router of the flow, to see where it is mounted
 */
export async function diagnose(
  flow: Flow,
  router: unknown,
  req: Request | undefined,
): Promise<Finding[]> {
  const { settings } = flow
  // At once: a session may be ended, and a request be answered, while the server is asked.
  const ofRequest = req === undefined ? [] : examineRequest(flow, router, req)
  return complete(settings, [
    ...ofRequest,
    ...(await examineProcess(settings, () => flow.getServer(), req)),
  ])
}

function examineRequest(flow: Flow, router: unknown, req: Request): Found[] {
  const { settings } = flow
  return [
    ...examineSessionCookie(settings, req),
    ...examineHttps(settings, req),
    ...examineOrigin(settings, req),
    ...examineMounting(settings, router, req),
    ...examineBasePath(flow, req),
  ]
}

/** What is found without a request; with one, the store of its session counts, too. */
export async function examineProcess(
  settings: Settings,
  getServer: () => Promise<KnownServer>,
  req?: Request,
): Promise<Found[]> {
  // Most apps never ask; it takes milliseconds of their start.
  const { default: cluster } = await import('node:cluster')
  const ofStores = examineStores(settings, req, cluster.isWorker)
  return [...ofStores, ...(await examineServer(settings, getServer))]
}

export function complete({ name }: Settings, found: readonly Found[]): Finding[] {
  return found.map((each) => ({ flow: name, ...each }))
}
