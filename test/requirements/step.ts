import type {
  Fault,
  FaultyEndpoint,
  IdTokenFault,
  JsonObject,
  Misbehaviour,
  MisbehaviourOptions,
  TestServerEndpoint,
} from '../../src/testing/index.ts'
import type { StoredKind, StoredRow, StoreFault } from './scripted-store.ts'
import type { World } from './world.ts'

/** What a step's answer must be, where it is not the last one. */
export interface Gives {
  status: number
  code?: string
}

interface BrowserRequest {
  /** Which browser; its name. Default: `main`. */
  by?: string
  headers?: Readonly<Record<string, string>>
  method?: string
  body?: string
  /** Which app. Default: the first. */
  app?: 1 | 2
  gives?: Gives
}

export interface Start extends BrowserRequest {
  do: 'start'
  /** Which login this is. */
  tab: string
  path: string
}

export interface Answer extends BrowserRequest {
  do: 'answer'
  tab: string
  /** Changes the parameters of the real answer. */
  change?: (parameters: URLSearchParams) => void
  /** Changes them as text, after `change`. */
  rewrite?: (query: string) => string
  /** Where it is brought to. Default: where the authorization server says. */
  path?: string
  /** The callback of another login. */
  toCallbackOf?: string
  /** With `code` and `iss` of the answer to another login. */
  codeOf?: string
  /** The answer is in the query although it is a POST. */
  inQuery?: true
  /** Cookies that the browser does not send along. */
  without?: 'session cookie' | 'all cookies'
  /** While it waits for the outcome of another process, that one comes to its end. */
  otherProcessEnds?: true
  /** The connection may break before the answer to it has come. */
  mayBeLost?: true
  /** The browser goes away while the token request is on its way. */
  abort?: true
  /** Sends it so many times at once. */
  times?: number
  /** Sends it to both apps at once. */
  toBothApps?: true
}

export interface Visit extends BrowserRequest {
  do: 'visit'
  path: string
}

/** One thing that happens. */
export type Step =
  | Start
  | Answer
  | Visit
  /** The authorization server answers the login of this tab, the browser does not bring it yet. */
  | { do: 'authorize'; tab: string }
  | { do: 'server'; misbehaviour: Misbehaviour }
  /** Waits until it has got so many requests since the beginning. */
  | { do: 'server got'; endpoint: TestServerEndpoint; count: number }
  /** Checks: it has got so many since the beginning, and no more. */
  | { do: 'requests are'; endpoint: TestServerEndpoint; count: number }
  /** So many of the same request at once; all of them get the same answer. */
  | { do: 'visit together'; path: string; times: number }
  /** An endpoint redirects to the same one of the second flow's server. */
  | { do: 'redirect to the second server'; endpoint: 'discovery' | 'jwks' | 'userinfo' }
  /** For a server that is none: an answer with a code. */
  | { do: 'invent an answer'; tab: string }
  /** So many first requests at `/login`, all there before the metadata are. */
  | { do: 'start together'; times: number }
  /** The login, finished already, is as it was while another process was still at it. */
  | { do: 'another process is at it'; tab: string }
  /** A browser comes to where a login goes on after the session cookie stayed behind. */
  | { do: 'go on'; tab: string; by: string }
  /** Starts logins until one is sent to such a URL. */
  | { do: 'start until'; tab: string; sentTo: RegExp }
  | {
      do:
        | 'server behaves'
        | 'server stops'
        | 'server starts'
        | 'keys rotate'
        | 'keys rotate, ids kept'
    }
  | { do: 'authorize as'; sub: string | undefined }
  /** The server sends a logout token about the last login; gives the answer. */
  | { do: 'logout token'; sends: 'sid' | 'sub' | 'both'; fault?: IdTokenFault; gives?: Gives }
  /** The server sends the last logout token again. */
  | { do: 'logout token again' }
  /** Somebody posts to the back-channel route, or asks for the front-channel one. */
  | { do: 'raw request'; path: string; method: string; type?: string; body?: string }
  /** The server shows its front-channel frame; the parameters can be changed. */
  | { do: 'frame'; change?: (parameters: URLSearchParams) => void }
  | { do: 'store'; fault: StoreFault }
  /** `'store catches up'`: what hung is done and answered after all. */
  | { do: 'store behaves' | 'store catches up' | 'store disconnects' | 'store connects' }
  | { do: 'drop'; what: StoredKind }
  | { do: 'tamper'; what: StoredKind; change: (row: StoredRow) => object }
  | { do: 'forget cookies'; by: string; which: 'session' | 'all' }
  | { do: 'copy session cookie'; from: string; to: string }
  /** A cookie for the login of one tab, with the secret of another tab, in that one's browser. */
  | { do: 'forge binding cookie'; of: string; secretOf: string }
  /** Checks: two logins have no secret in common. */
  | { do: 'requests differ'; tabs: readonly [string, string] }
  /** Checks: the stored sessions have these members and no others. */
  | { do: 'session holds'; members: readonly string[] }
  | { do: 'let time pass'; milliseconds: number }
  /** A request of the app's own that took its session before, and ends with it after the steps in between. */
  | { do: 'slow request begins'; writes: boolean; by: string }
  | { do: 'slow request ends' }

/** How each kind of step is done. What it gives, or resolves to, is its answer, if it has one. */
export type StepPerformers = {
  [Do in Step['do']]: (
    world: World,
    step: Step extends infer S
      ? S extends { do: infer Known }
        ? Do extends Known
          ? S
          : never
        : never
      : never,
  ) => unknown
}

/** Stands for the issuer, which rows cannot know beforehand, in addresses and forms. */
export const issuerName = 'THE-ISSUER'

/** A person starts a login that leads to `/here?x=1`. */
export function start(tab = 'main', options: Partial<Omit<Start, 'do' | 'tab'>> = {}): Start {
  return {
    do: 'start',
    tab,
    path: `/login?returnTo=${encodeURIComponent('/here?x=1')}`,
    ...options,
  }
}

/** Starts a login with this `returnTo`, which must be encoded for a query as far as it has to be. */
export function startWith(returnTo: string): Start {
  return start('main', { path: `/login?returnTo=${returnTo}` })
}

/** The browser brings the authorization server's answer. */
export function answer(tab = 'main', options: Partial<Omit<Answer, 'do' | 'tab'>> = {}): Answer {
  return { do: 'answer', tab, ...options }
}

/** An answer that was changed on its way. */
export function answerWith(
  change: (parameters: URLSearchParams) => void,
  options: Partial<Omit<Answer, 'do' | 'tab'>> = {},
): Answer {
  return answer('main', { change, ...options })
}

/** Changes of an answer, for {@link answerWith}. */
export const twice = (name: string) => (parameters: URLSearchParams) =>
  parameters.append(name, parameters.get(name) ?? 'x')
export const setTo = (name: string, value: string) => (parameters: URLSearchParams) =>
  parameters.set(name, value)
export const leftOut = (name: string) => (parameters: URLSearchParams) => parameters.delete(name)

export function visit(path: string, options: Partial<Omit<Visit, 'do' | 'path'>> = {}): Visit {
  return { do: 'visit', path, ...options }
}

/** The authorization server does something wrong from now on. */
export function server<Of extends FaultyEndpoint>(
  endpoint: Of,
  fault: Fault<Of>,
  when: MisbehaviourOptions = {},
): Step {
  return { do: 'server', misbehaviour: { ...when, endpoint, fault } as Misbehaviour }
}

/** The session store does something wrong from now on. */
export function store(
  operation: StoreFault['operation'],
  kind: StoredKind,
  how: StoreFault['how'],
  when: Pick<StoreFault, 'after' | 'times'> = {},
): Step {
  return { do: 'store', fault: { ...when, operation, kind, how } }
}

export function later(milliseconds: number): Step {
  return { do: 'let time pass', milliseconds }
}

/** The step, whose answer must be this one. */
export function gives<S extends Start | Answer | Visit>(step: S, status: number, code?: string): S {
  return { ...step, gives: { status, ...(code !== undefined && { code }) } }
}

export const storeBehaves: Step = { do: 'store behaves' }
export const serverBehaves: Step = { do: 'server behaves' }
export const serverStops: Step = { do: 'server stops' }
export const serverStarts: Step = { do: 'server starts' }
export const keysRotate: Step = { do: 'keys rotate' }

/** One login, to its end. */
export function logIn(tab = 'main'): Step[] {
  return [start(tab), gives(answer(tab), 302)]
}

/** The authorization endpoint answers with this error. */
export function refusal(error: string): Step {
  return server('authorization', { authorizationError: error })
}

/** A login for which the token endpoint does something wrong. */
export function exchange(fault: Fault<'token'>): Step[] {
  return [start(), server('token', fault), answer()]
}

/** A login for which the token response has other members; `undefined`: not there. */
export function response(members: JsonObject): Step[] {
  return exchange({ tokenResponse: (usual) => ({ ...usual, ...members }) })
}

/** Headers of a program that wants no page. */
export const program: Record<string, string> = { accept: 'application/json' }

/** What a browser says of a link that was clicked, an image or a frame (Fetch Metadata). */
export const navigation = (site: string): Record<string, string> => ({
  'sec-fetch-user': '?1',
  'sec-fetch-site': site,
  'sec-fetch-mode': 'navigate',
  'sec-fetch-dest': 'document',
})
export const image = (site: string): Record<string, string> => ({
  'sec-fetch-site': site,
  'sec-fetch-mode': 'no-cors',
  'sec-fetch-dest': 'image',
})
export const frame = (site: string): Record<string, string> => ({
  'sec-fetch-site': site,
  'sec-fetch-mode': 'navigate',
  'sec-fetch-dest': 'iframe',
})
export const script = (site: string): Record<string, string> => ({
  'sec-fetch-site': site,
  'sec-fetch-mode': 'cors',
  'sec-fetch-dest': 'empty',
})
