import type { Request } from 'express'
import type { SessionData } from 'express-session'
import { PkceFlowError } from '../errors.ts'
import type { SessionStore } from '../options/options.ts'
import { callStore, missingIsNoError } from '../storage/session-store.ts'

// The only file that touches req.session. Nothing secret is kept in it: a reference per flow.

/** What a session holds for us: for each flow the reference of its sign-in, see below. */
interface SessionWithReferences {
  pkceFlow?: Record<string, string>
}

/** How long browsers without a `maxAge` are taken to stay: what stores do with such sessions. */
export const defaultLifetime = 86_400_000

/**
 * Throws `session_missing` if there is no session to sign anybody in to, or `login_required` where the
 * request is to blame: its target has no path (RFC 9112 section 3.2), so that no cookie is for it.
 */
export function requireSession(req: Request): void {
  if (req.session !== undefined && req.session !== null && req.sessionStore !== undefined) return
  const path = req.path as string | null
  if (path?.startsWith('/') !== true)
    throw new PkceFlowError('login_required', 'Nobody is signed in to what is no page.')
  throw new PkceFlowError(
    'session_missing',
    'There is no req.session. Put app.use(session(…)) of express-session before this router, with a ' +
      'cookie path that the routes of this flow are in, and see that its store is connected.',
  )
}

/** The store that the session is in. */
export function sessionStore(req: Request): SessionStore {
  return req.sessionStore
}

/**
 * Throws `insecure_cookie` if express-session would leave out the session cookie: it says nothing
 * when a secure cookie meets a request that it takes to be plain http.
 */
export function requireSessionCookie(req: Request): void {
  if (req.session.cookie.secure !== true || req.secure) return
  throw new PkceFlowError(
    'insecure_cookie',
    'The session cookie is "secure" and this request came by http:, so it would never be set. ' +
      "Behind a proxy that ends TLS: app.set('trust proxy', 1), and have it send X-Forwarded-Proto. " +
      'For development without TLS: leave "secure" out of the session\'s cookie options.',
  )
}

/** Whether the browser sent the cookie of the session that `req.session` is, and it was stored. */
export function isStoredSession(req: Request): boolean {
  // A session that was just made has an id that no cookie can hold.
  const sent = req.headers.cookie
  return (
    sent !== undefined && req.session != null && sent.includes(encodeURIComponent(req.sessionID))
  )
}

/** Id of the session that the request has now. */
export function sessionId(req: Request): string {
  return req.sessionID
}

/** What the session cookie is set with. */
export interface SessionCookie {
  secure: boolean
  /** `undefined`: the browser decides. */
  sameSite: 'strict' | 'lax' | 'none' | undefined
  domain: string | undefined
  path: string
}

/** The session cookie's attributes; `undefined` if the request has no session now. */
export function sessionCookie(req: Request): SessionCookie | undefined {
  const cookie = req.session?.cookie
  if (cookie === undefined) return undefined
  const { secure, sameSite: given, domain, path = '/' } = cookie
  const sameSite = given === true ? 'strict' : String(given).toLowerCase()
  return {
    secure: secure === true,
    sameSite:
      sameSite === 'strict' || sameSite === 'lax' || sameSite === 'none' ? sameSite : undefined,
    domain: domain ?? undefined,
    path: path ?? '/',
  }
}

/** Whether the session cookie is `SameSite=Strict`, and so left out after a cross-site redirect. */
export function hasStrictCookie(req: Request): boolean {
  return sessionCookie(req)?.sameSite === 'strict'
}

/** Milliseconds that a session lives without being used. */
export function sessionLifetime(req: Request): number {
  // `cookie.expires = false` makes it false: until the browser is closed.
  const age: unknown = req.session?.cookie.originalMaxAge
  return typeof age === 'number' && age > 0 ? age : defaultLifetime
}

/** What a session says about its sign-in through a flow. */
export interface LoginReference {
  /** Key of the token record. */
  key: string
  /** Fingerprint of the person's `iss` and `sub`; `undefined` without an ID Token. */
  person: string | undefined
  /**
   * Fingerprint of `iss` and `sid`, the authorization server's session; `undefined` if its end need
   * not be known here, or the ID Token has none.
   */
  serverSession: string | undefined
}

/** The sign-in of this session through the flow, if any. */
export function loginReference(req: Request, flow: string): LoginReference | undefined {
  const references = storedReferences(req)
  return Object.hasOwn(references, flow) ? parseReference(references[flow]) : undefined
}

/** The sign-ins of this session, by the names of their flows. */
export function loginReferences(req: Request): Map<string, LoginReference> {
  const found = new Map<string, LoginReference>()
  for (const [flow, stored] of Object.entries(storedReferences(req))) {
    const reference = parseReference(stored)
    if (reference !== undefined) found.set(flow, reference)
  }
  return found
}

/** As they came out of the store. */
function storedReferences(req: Request): Record<string, unknown> {
  const session = req.session as (SessionWithReferences & object) | undefined | null
  const references: unknown = session?.pkceFlow
  return typeof references === 'object' && references !== null
    ? (references as Record<string, unknown>)
    : {}
}

function parseReference(stored: unknown): LoginReference | undefined {
  const [, key, person, serverSession] =
    (typeof stored === 'string' && referencePattern.exec(stored)) || []
  return key === undefined ? undefined : { key, person, serverSession }
}

const referencePattern = /^([0-9a-f]{32})(?:\.([\w-]{22}))?(?:\.([\w-]{22}))?$/

/** Keeps a session out of this response: it is not saved and its cookie not set. */
export function setSessionAside(req: Request): void {
  ;(req as { session: unknown }).session = null
}

/** A session that has just replaced another one, nothing of it stored yet. */
export interface ReplacedSession {
  /** Id of the session before, if the browser had a stored one. */
  readonly replacedId: string | undefined
  /** Signs the new session in and stores it, then destroys the old one. */
  commit(flow: string, reference: LoginReference): Promise<void>
  /** Puts the old session back, and destroys what was stored of the new one. */
  readonly restore: () => Promise<void>
}

/**
 * Gives the request a session with a new id (P6), with the data of the old one as `keep` says.
 * Nothing is destroyed before `commit`.
 */
export function replaceSession(
  req: Request,
  keep: 'migrate' | 'new' | readonly string[],
): ReplacedSession {
  const { session: old, sessionID: oldId, sessionStore: store } = req
  const replacedId = isStoredSession(req) ? oldId : undefined
  const kept = copyOf(old, keep)
  store.generate(req)
  const { session, sessionID } = req
  Object.assign(session, kept)
  const destroy = (id: string) =>
    callStore((done) => {
      store.destroy(id, missingIsNoError(done))
    })
  return {
    replacedId,
    async commit(flow, { key, person, serverSession }) {
      // The app may have replaced the session in onLogin; what is there now is signed in.
      requireSession(req)
      const current: SessionWithReferences & typeof req.session = req.session
      const parts = [key, person, serverSession].filter((part) => part !== undefined)
      const reference = parts.join('.')
      current.pkceFlow = { ...current.pkceFlow, [flow]: reference }
      await callStore((done) => current.save(done))
      if (replacedId !== undefined) await destroy(replacedId)
    },
    async restore() {
      // The app may have made and saved yet another one.
      const made = new Set([sessionID, req.sessionID])
      req.session = old
      req.sessionID = oldId
      await Promise.all([...made].map(destroy))
    },
  }
}

/** A copy as the store would make one: what onLogin changes in it is not changed in the old session. */
function copyOf(session: object, keep: 'migrate' | 'new' | readonly string[]): object {
  const entries = Object.entries(session).filter(
    ([name]) =>
      name !== 'cookie' &&
      name !== '__proto__' &&
      (keep === 'migrate' || (keep !== 'new' && keep.includes(name))),
  )
  return JSON.parse(JSON.stringify(Object.fromEntries(entries))) as object
}

/** Puts this browser into a session that another answer made for it; false if that one is gone. */
export async function adoptSession(req: Request, id: string): Promise<boolean> {
  const { sessionStore: store } = req
  const data = await callStore<SessionData | null>((done) => {
    store.get(id, missingIsNoError(done))
  })
  if (data == null) return false
  req.sessionID = id
  store.createSession(req, data)
  return true
}

/** Ends the session: its row is gone when this resolves, and the request has none. */
export async function destroySession(req: Request): Promise<void> {
  const { sessionStore: store, sessionID } = req
  await callStore((done) => {
    store.destroy(sessionID, missingIsNoError(done))
  })
  setSessionAside(req)
}

/**
 * Ends the session and leaves the request an empty one, for handlers that expect one. It keeps its id:
 * the cookie of a new one could arrive after that of a login that was made in the meantime.
 */
export async function emptySession(req: Request): Promise<void> {
  const { session, sessionStore: store, sessionID } = req
  for (const name of Object.keys(session))
    if (name !== 'cookie') Reflect.deleteProperty(session, name)
  await callStore((done) => {
    store.destroy(sessionID, missingIsNoError(done))
  })
}
