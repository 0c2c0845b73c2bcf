import type { PkceFlow } from '../../src/index.ts'
import { answerUrl, navigation, program, withoutSessionCookie } from '../http/steps.ts'
import { startConnect } from '../http/connect-app.ts'
import { nextUrl, type Page } from '../support/browser.ts'
import { clock } from '../support/clock.ts'
import type { HostileFlow, Scene } from './store-scene.ts'

export const hour = 3_600_000

/** `alice` is who logs in. */
export const open =
  (path: string, headers: Record<string, string> = navigation) =>
  (scene: Scene) =>
    scene.browser.open(scene.app.url(path), { headers: { accept: 'text/html', ...headers } })
export const ask =
  (path: string) =>
  ({ app, browser }: Scene) =>
    browser.request(app.url(path), { headers: program })

export async function signIn(scene: Scene, sub = 'alice') {
  scene.app.server.authorizeAs(sub)
  const page = await open('/login')(scene)
  if (page.status !== 200) throw new Error(`Nobody signed in: ${page.status} ${page.body}`)
  scene.app.server.authorizeAs('alice')
}

export const signedIn = (scene: Scene) => signIn(scene)

/** And the access token has expired since. */
export const expired = async (scene: Scene) => {
  await signIn(scene)
  clock.advance(hour + 1_000)
}

/** The answer of a login is there, and can be brought again. */
export function answered(prepare: (scene: Scene) => Promise<unknown>) {
  const urls = new WeakMap<Scene, string>()
  return {
    before: async (scene: Scene) => {
      await prepare(scene)
      urls.set(scene, await answerUrl(scene.app, scene.browser))
    },
    url: (scene: Scene) => urls.get(scene) ?? '',
  }
}

export const cart = ask('/cart')

export function callback(
  prepare: (scene: Scene) => Promise<unknown>,
): Pick<HostileFlow, 'before' | 'act' | 'anew'> {
  const { before, url } = answered(prepare)
  return { before, act: (scene) => scene.browser.open(url(scene)), anew: open('/login') }
}

/** Brings an answer as another site does: the session cookie stays behind. */
export async function bring({ browser }: Scene, send: () => Promise<Page>) {
  const page = await withoutSessionCookie(browser, send)
  const next = nextUrl(page)
  return next === undefined ? page : browser.open(next)
}

export const ann = ask('/own/ann')
export const connected = async (scene: Scene) => {
  await ann(scene)
  await scene.browser.open(await startConnect(scene.app, scene.browser))
}

/** What a job does for a user. */
export const job =
  (name: string, work: (flow: ReturnType<PkceFlow['forUser']>, scene: Scene) => Promise<unknown>) =>
  async (scene: Scene) => {
    try {
      await work(scene.app.flow.forUser('alice'), scene)
      return scene.say(`/${name}`, 200)
    } catch (error) {
      const { status, code } = error as { status: number; code: string }
      scene.app.errors.push(error)
      return scene.say(`/${name}`, status, code)
    }
  }

export const userInfo = ({ app }: Scene) => app.server.metadata.userinfo_endpoint

/** Claims of the ID Token that came last. */
function claimsOfLast({ app }: Scene): { iss: string; sub: string; sid: string } {
  const payload = app.server.issued.at(-1)?.idToken?.split('.')[1] ?? ''
  return JSON.parse(Buffer.from(payload, 'base64url').toString()) as never
}
const serverSessions = new WeakMap<Scene, { iss: string; sub: string; sid: string }>()
export const signedInAndTold = async (scene: Scene) => {
  await signIn(scene)
  serverSessions.set(scene, claimsOfLast(scene))
}

export async function logoutToken(scene: Scene) {
  const { sub } = serverSessions.get(scene)!
  const to = scene.app.url('/ended')
  const { status, body } = await scene.app.server.sendLogoutToken({ sub, to })
  scene.say('/ended', status, /"code":"(\w+)"/.exec(body)?.[1])
  if (status === 200) await ask('/members')(scene)
}

export async function framed(scene: Scene) {
  const { iss, sid } = serverSessions.get(scene)!
  const query = new URLSearchParams({ iss, sid }).toString()
  const url = scene.app.url(`/framed?${query}`)
  // Without any cookie of ours, in the frame of another site.
  const { status, body } = await scene.elsewhere.request(url)
  scene.say('/framed', status, /"code":"(\w+)"/.exec(body)?.[1])
  if (status === 200) await ask('/members')(scene)
}
