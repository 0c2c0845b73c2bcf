import type { Request } from 'express'
import type { LoginEvent, PkceFlow } from '../../src/index.ts'
import { openForm, postAnswer } from '../http/form-post.ts'
import { ownPage, startConnect } from '../http/connect-app.ts'
import { navigation } from '../http/steps.ts'
import { clock } from '../support/clock.ts'
import type { HostileFlow, Scene } from './store-scene.ts'
import {
  ann,
  answered,
  ask,
  bring,
  callback,
  cart,
  connected,
  expired,
  framed,
  hour,
  job,
  logoutToken,
  open,
  signedIn,
  signedInAndTold,
  signIn,
  userInfo,
} from './store-steps.ts'

const strictAnswer = answered(cart)
const forms = new WeakMap<Scene, URLSearchParams>()
const connectFlow = {
  purpose: 'connect',
  userId: ({ session }: Request) => session.user,
}
const connectAnswers = new WeakMap<Scene, string>()
const userFlow = {
  userId: ({ session }: Request) => session.user,
  onLogin({ req, token }: LoginEvent) {
    req.session.user = token.claims!.sub
  },
}
const told = { routes: { backchannelLogout: '/ended', frontchannelLogout: '/framed' } }
const silently = {
  act: open('/page'),
  anew: open('/login?returnTo=/page'),
  isOptional: true,
} as const

export const hostileFlows: readonly HostileFlow[] = [
  { name: 'first visit and login', isMain: true, act: open('/token') },
  { name: 'login from a session of the app', before: cart, act: open('/login') },
  { name: 'callback at the first visit', isMain: true, ...callback(() => Promise.resolve()) },
  { name: 'callback in a session of the app', isMain: true, ...callback(cart) },
  {
    name: 'callback when somebody else is signed in',
    isMain: true,
    ...callback((scene) => signIn(scene, 'bert')),
  },
  { name: 'callback when the same person is signed in', ...callback(signedIn) },
  {
    name: 'form_post, with the continue step',
    app: {
      tlsProxy: true,
      flow: { responseMode: 'form_post' },
      session: { cookie: { secure: true, sameSite: 'lax' } },
    },
    before: async (scene) => {
      await cart(scene)
      forms.set(scene, await openForm(scene.app, scene.browser))
    },
    act: (scene) => bring(scene, () => postAnswer(scene.app, scene.browser, forms.get(scene)!)),
    anew: async (scene) => {
      const form = await openForm(scene.app, scene.browser)
      return bring(scene, () => postAnswer(scene.app, scene.browser, form))
    },
  },
  {
    name: 'callback with the continue step (SameSite=Strict)',
    app: { session: { cookie: { sameSite: 'strict' } } },
    before: strictAnswer.before,
    act: (scene) => bring(scene, () => scene.browser.request(strictAnswer.url(scene))),
    anew: open('/login'),
  },
  {
    name: 'guarded request with an expired token',
    isMain: true,
    before: expired,
    act: ask('/token'),
  },
  {
    name: "a person's guarded request with an expired token",
    before: expired,
    act: open('/token'),
  },
  { name: 'attaching an expired token', before: expired, act: ask('/public') },
  { name: 'guarded request with a good token', before: signedIn, act: ask('/token') },
  { name: 'requireLogin', before: signedIn, act: ask('/members') },
  { name: 'token(req)', app: { flow: { attach: false } }, before: expired, act: ask('/told') },
  { name: 'fetch', app: { flow: { attach: false } }, before: expired, act: ask('/fetched') },
  { name: 'status(req)', app: { flow: { attach: false } }, before: signedIn, act: ask('/status') },
  { name: 'disconnect(req)', before: signedIn, act: ask('/disconnect') },
  { name: 'logout here', isMain: true, before: signedIn, act: open('/leave') },
  {
    name: 'logout at the server',
    app: { postLogout: true },
    before: signedIn,
    act: open('/logout'),
  },
  {
    name: 'back-channel logout, and the next request',
    app: { flow: told },
    before: signedInAndTold,
    act: logoutToken,
  },
  {
    name: 'front-channel logout, and the next request',
    app: { flow: told },
    before: signedInAndTold,
    act: framed,
  },
  { name: 'a login of which the server tells the end', app: { flow: told }, ...callback(cart) },
  { name: 'silentLogin', ...silently },
  { name: 'silentLogin in a session of the app', before: cart, ...silently },
  {
    name: 'login that a third party starts',
    act: (scene) =>
      open(
        `/login?${new URLSearchParams({ iss: scene.app.server.issuer, login_hint: 'alice', target_link_uri: '/members' }).toString()}`,
        { ...navigation, 'sec-fetch-site': 'cross-site' },
      )(scene),
  },
  {
    name: 'step-up',
    before: async (scene) => {
      await signIn(scene)
      clock.advance(10 * 60_000)
    },
    act: open('/recent'),
  },
  {
    name: 'connect: start',
    app: { flow: connectFlow },
    before: ann,
    act: (scene) => scene.browser.open(scene.app.url('/login'), { headers: ownPage }),
  },
  {
    name: 'connect: callback',
    isMain: true,
    app: { flow: connectFlow },
    before: async (scene) => {
      await ann(scene)
      connectAnswers.set(scene, await startConnect(scene.app, scene.browser))
    },
    act: (scene) => scene.browser.open(connectAnswers.get(scene) ?? ''),
    anew: (scene) => scene.browser.open(scene.app.url('/login'), { headers: ownPage }),
  },
  {
    name: 'connect: callback in the place of another account',
    app: { flow: connectFlow },
    before: async (scene) => {
      await ann(scene)
      await scene.browser.open(await startConnect(scene.app, scene.browser, { as: 'bert' }))
      connectAnswers.set(scene, await startConnect(scene.app, scene.browser))
    },
    act: (scene) => scene.browser.open(connectAnswers.get(scene) ?? ''),
    anew: (scene) => scene.browser.open(scene.app.url('/login'), { headers: ownPage }),
  },
  {
    name: 'connect: disconnect',
    app: { flow: connectFlow },
    before: connected,
    act: ask('/disconnect'),
  },
  { name: 'connect: logout', app: { flow: connectFlow }, before: connected, act: open('/logout') },
  {
    name: 'connect: guarded request with an expired token',
    app: { flow: connectFlow },
    before: async (scene) => {
      await connected(scene)
      clock.advance(hour + 1_000)
    },
    act: ask('/token'),
  },
  {
    name: 'tokens per user: login',
    isMain: true,
    perUser: true,
    app: { flow: userFlow },
    ...callback(cart),
  },
  {
    name: 'tokens per user: login when the same person is signed in',
    perUser: true,
    app: { flow: userFlow },
    ...callback(signedIn),
  },
  {
    name: 'tokens per user: guarded request with an expired token',
    isMain: true,
    perUser: true,
    app: { flow: userFlow },
    before: expired,
    act: ask('/token'),
  },
  {
    name: 'tokens per user: logout',
    perUser: true,
    app: { flow: userFlow },
    before: signedIn,
    act: open('/leave'),
  },
  {
    name: 'tokens per user: disconnect',
    perUser: true,
    app: { flow: userFlow },
    before: signedIn,
    act: ask('/disconnect'),
  },
  ...(
    [
      ['token', expired, (user) => user.token()],
      ['fetch', expired, (user, scene) => user.fetch(userInfo(scene))],
      ['status', signedIn, (user) => user.status()],
      ['disconnect', signedIn, (user) => user.disconnect()],
    ] as const satisfies readonly [
      string,
      HostileFlow['before'],
      (user: ReturnType<PkceFlow['forUser']>, scene: Scene) => Promise<unknown>,
    ][]
  ).map(([name, before, work]): HostileFlow => ({
    name: `forUser().${name}()`,
    perUser: true,
    app: { flow: userFlow },
    before,
    act: job(name, work),
  })),
]
