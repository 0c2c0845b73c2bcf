import type { LogoutTokenResponse } from '../../src/testing/index.ts'
import type { Page } from '../support/browser.ts'
import { rawRequest } from '../support/raw-request.ts'
import type { StepPerformers } from './step.ts'
import type { World } from './world.ts'

/** Steps of an authorization server that tells of logouts. */
export const logoutSteps = {
  async 'logout token'(world, { sends, fault }) {
    const { sub, sid } = lastLogin(world)
    const request = {
      ...(sends !== 'sid' && { sub }),
      ...(sends !== 'sub' && { sid }),
      faults: fault ? [fault] : [],
    }
    return pageOf(world, await world.server.sendLogoutToken(request))
  },
  async 'logout token again'(world) {
    const { logoutToken } = world.server.logoutResponses.at(-1)!
    const body = new URLSearchParams({ logout_token: logoutToken }).toString()
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    return rawRequest(world.apps[0]!.origin, { method: 'POST', path: '/ended', headers, body })
  },
  'raw request': (world, { path, method, type, body }) =>
    rawRequest(world.apps[0]!.origin, {
      ...{ path, method, headers: type === undefined ? {} : { 'content-type': type } },
      ...(body !== undefined && { body }),
    }),
  frame(world, { change }) {
    const { sid } = lastLogin(world)
    const parameters = new URLSearchParams({ iss: world.server.issuer, sid })
    change?.(parameters)
    return world.newBrowser().request(world.apps[0]!.url(`/framed?${parameters.toString()}`))
  },
} satisfies Partial<StepPerformers>

function lastLogin({ server }: World): { sub: string; sid: string } {
  const payload = server.issued.at(-1)?.idToken?.split('.')[1] ?? ''
  return JSON.parse(Buffer.from(payload, 'base64url').toString()) as { sub: string; sid: string }
}

function pageOf(world: World, { status, headers, body }: LogoutTokenResponse): Page {
  return { url: world.apps[0]!.url('/ended'), status, headers, body }
}
