import type { TestClock } from './clock.ts'
import { randomToken } from './grants.ts'

/** A person's session at the authorization server. */
export interface ServerSession {
  readonly sid: string
  readonly sub: string
  /** Seconds since the epoch. */
  authTime: number
}

/** Sessions at the authorization server, kept by a cookie of its own: browsers have one, plain requests do not. */
export interface ServerSessions {
  /** The session of the browser that sent this `Cookie` header, if it is one of `sub`, else a new one. */
  resume(cookieHeader: string | undefined, sub: string): { session: ServerSession; isNew: boolean }
  /** `Set-Cookie` for a new session. */
  cookie(session: ServerSession, path: string): string
  end(sid: string): void
}

const cookieName = 'test_authorization_server'

export function createServerSessions(clock: TestClock): ServerSessions {
  const sessions = new Map<string, ServerSession>()
  return {
    resume(cookieHeader = '', sub) {
      const sid = new RegExp(`(?:^|; )${cookieName}=([^;]*)`).exec(cookieHeader)?.[1] ?? ''
      const known = sessions.get(sid)
      if (known?.sub === sub) return { session: known, isNew: false }
      const session = { sid: randomToken(), sub, authTime: Math.floor(clock.now() / 1000) }
      sessions.set(session.sid, session)
      return { session, isNew: true }
    },
    cookie: (session, path) => `${cookieName}=${session.sid}; Path=${path}; HttpOnly; SameSite=Lax`,
    end: (sid) => void sessions.delete(sid),
  }
}
