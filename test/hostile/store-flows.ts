import type { Express, Request } from 'express'
import type { LoginEvent, PkceFlow } from '../../src/index.ts'
import { openForm, postAnswer } from '../http/form-post.ts'
import { ownPage, startConnect } from '../http/connect-app.ts'
import { answerUrl, navigation, program, withoutSessionCookie } from '../http/steps.ts'
import type { AppSetUp, RunningApp } from '../support/app.ts'
import { nextUrl, type Browser, type Page } from '../support/browser.ts'
import { clock } from '../support/clock.ts'

declare module 'express-session' {
  interface SessionData {
    user?: string
  }
}

/** An app, and a browser in which something is done there. */
export interface Scene {
  app: RunningApp
  browser: Browser
  /** Another browser, without cookies. */
  elsewhere: Browser
  /** Keeps what a call that is no page gave, as if it were one. */
  say(path: string, status: number, code?: string): Page
}

/** Something that people, servers or jobs do with a flow. */
export interface HostileFlow {
  name: string
  app?: AppSetUp
  /** Whether tokens are kept per user, in a store of their own. */
  perUser?: true
  /** What was done before, while every store worked. */
  before?: (scene: Scene) => Promise<unknown>
  /** What is done while a call fails. Its repetition is how a person tries again. */
  act: (scene: Scene) => Promise<unknown>
  /** How a person begins anew, where that is another thing. */
  anew?: (scene: Scene) => Promise<unknown>
  /** Whether it is tried once only, and a person who is let in without it goes on, as they were. */
  isOptional?: true
}

const hour = 3_600_000

/** `alice` is who logs in. */
const open =
  (path: string, headers: Record<string, string> = navigation) =>
  (scene: Scene) =>
    scene.browser.open(scene.app.url(path), { headers: { accept: 'text/html', ...headers } })
const ask =
  (path: string) =>
  ({ app, browser }: Scene) =>
    browser.request(app.url(path), { headers: program })

async function signIn(scene: Scene, sub = 'alice') {
  scene.app.server.authorizeAs(sub)
  const page = await open('/login')(scene)
  if (page.status !== 200) throw new Error(`Nobody signed in: ${page.status} ${page.body}`)
  scene.app.server.authorizeAs('alice')
}

const signedIn = (scene: Scene) => signIn(scene)

/** And the access token has expired since. */
const expired = async (scene: Scene) => {
  await signIn(scene)
  clock.advance(hour + 1_000)
}

/** The answer of a login is there, and can be brought again. */
function answered(prepare: (scene: Scene) => Promise<unknown>) {
  const urls = new WeakMap<Scene, string>()
  return {
    before: async (scene: Scene) => {
      await prepare(scene)
      urls.set(scene, await answerUrl(scene.app, scene.browser))
    },
    url: (scene: Scene) => urls.get(scene) ?? '',
  }
}

const cart = ask('/cart')

function callback(
  prepare: (scene: Scene) => Promise<unknown>,
): Pick<HostileFlow, 'before' | 'act' | 'anew'> {
  const { before, url } = answered(prepare)
  return { before, act: (scene) => scene.browser.open(url(scene)), anew: open('/login') }
}

/** Brings an answer as another site does: the session cookie stays behind. */
async function bring({ browser }: Scene, send: () => Promise<Page>) {
  const page = await withoutSessionCookie(browser, send)
  const next = nextUrl(page)
  return next === undefined ? page : browser.open(next)
}

const strictAnswer = answered(cart)
const forms = new WeakMap<Scene, URLSearchParams>()

const connectFlow = {
  purpose: 'connect',
  userId: ({ session }: Request) => session.user,
}
const ann = ask('/own/ann')
const connected = async (scene: Scene) => {
  await ann(scene)
  await scene.browser.open(await startConnect(scene.app, scene.browser))
}
const connectAnswers = new WeakMap<Scene, string>()

const userFlow = {
  userId: ({ session }: Request) => session.user,
  onLogin({ req, token }: LoginEvent) {
    req.session.user = token.claims!.sub
  },
}

/** What a job does for a user. */
const job =
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

const userInfo = ({ app }: Scene) => app.server.metadata.userinfo_endpoint
const told = { routes: { backchannelLogout: '/ended', frontchannelLogout: '/framed' } }

/** Claims of the ID Token that came last. */
function claimsOfLast({ app }: Scene): { iss: string; sub: string; sid: string } {
  const payload = app.server.issued.at(-1)?.idToken?.split('.')[1] ?? ''
  return JSON.parse(Buffer.from(payload, 'base64url').toString()) as never
}
const serverSessions = new WeakMap<Scene, { iss: string; sub: string; sid: string }>()
const signedInAndTold = async (scene: Scene) => {
  await signIn(scene)
  serverSessions.set(scene, claimsOfLast(scene))
}

async function logoutToken(scene: Scene) {
  const { sub } = serverSessions.get(scene)!
  const to = scene.app.url('/ended')
  const { status, body } = await scene.app.server.sendLogoutToken({ sub, to })
  scene.say('/ended', status, /"code":"(\w+)"/.exec(body)?.[1])
  if (status === 200) await ask('/members')(scene)
}

async function framed(scene: Scene) {
  const { iss, sid } = serverSessions.get(scene)!
  const query = new URLSearchParams({ iss, sid }).toString()
  const url = scene.app.url(`/framed?${query}`)
  // Without any cookie of ours, in the frame of another site.
  const { status, body } = await scene.elsewhere.request(url)
  scene.say('/framed', status, /"code":"(\w+)"/.exec(body)?.[1])
  if (status === 200) await ask('/members')(scene)
}

const silently = {
  act: open('/page'),
  anew: open('/login?returnTo=/page'),
  isOptional: true,
} as const

export const hostileFlows: readonly HostileFlow[] = [
  { name: 'first visit and login', act: open('/token') },
  { name: 'login from a session of the app', before: cart, act: open('/login') },
  { name: 'callback at the first visit', ...callback(() => Promise.resolve()) },
  { name: 'callback in a session of the app', ...callback(cart) },
  {
    name: 'callback when somebody else is signed in',
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
  { name: 'guarded request with an expired token', before: expired, act: ask('/token') },
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
  { name: 'logout here', before: signedIn, act: open('/leave') },
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
  { name: 'tokens per user: login', perUser: true, app: { flow: userFlow }, ...callback(cart) },
  {
    name: 'tokens per user: login when the same person is signed in',
    perUser: true,
    app: { flow: userFlow },
    ...callback(signedIn),
  },
  {
    name: 'tokens per user: guarded request with an expired token',
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

/** The app's pages, and `/who`, which says who is there and with what token. */
export function mountHostileRoutes(app: Express, flow: PkceFlow, isConnect: boolean): void {
  app.get('/own/:user', (req, res) => {
    req.session.user = req.params.user
    res.json({})
  })
  app.get('/cart', (req, res) => {
    Object.assign(req.session, { cart: 'full' })
    res.json({})
  })
  app.get(['/', '/public', '/logged-out'], (_req, res) => {
    res.json({})
  })
  app.get('/who', (req, res, next) => {
    const { user = null, cart: kept = null } = req.session as { user?: string; cart?: string }
    Promise.all([flow.claims(req), flow.status(req), flow.token(req)])
      .then(([claims, { signedIn: isSignedIn }, token]) =>
        res.json({
          ...{ user, cart: kept, signedIn: isSignedIn },
          sub: claims?.sub ?? null,
          token: token?.accessToken ?? null,
        }),
      )
      .catch(next)
  })
  app.get('/token', flow.requireToken(), (_req, res) => {
    res.json({})
  })
  app.get('/told', (req, res, next) => {
    flow
      .token(req)
      .then((token) => res.json({ token: token !== undefined }))
      .catch(next)
  })
  app.get('/status', (req, res, next) => {
    flow
      .status(req)
      .then((status) => res.json(status))
      .catch(next)
  })
  app.get('/disconnect', (req, res, next) => {
    flow
      .disconnect(req)
      .then(() => res.json({}))
      .catch(next)
  })
  app.get('/fetched', (req, res, next) => {
    const url = req.app.get('userinfo') as string
    flow
      .fetch(req, url)
      .then((response) => res.status(response.status).json({}))
      .catch(next)
  })
  if (isConnect) return
  app.get('/members', flow.requireLogin(), (_req, res) => {
    res.json({})
  })
  app.get('/recent', flow.requireLogin({ maxAge: 60_000 }), (_req, res) => {
    res.json({})
  })
  app.get('/leave', flow.logout({ atServer: false }))
  app.get('/page', flow.silentLogin(), (_req, res) => {
    res.json({})
  })
}
