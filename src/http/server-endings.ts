import type { Request } from 'express'
import type { ServerLogout } from '../protocol/logout-token.ts'
import type { Endings, LoginMarks } from '../storage/login-marks.ts'
import type { FoundRecord, TokenRecord } from '../storage/token-records.ts'
import { claimsOf } from '../token.ts'
import { personOf, serverSessionOf } from './person.ts'
import { sessionLifetime, type LoginReference } from './session.ts'

/** What the authorization server says of sign-ins that have ended, and which sign-ins those are. */
export interface ServerEndings {
  /** Notes a new sign-in; resolves to what the session's reference says of the server's session. */
  note(req: Request, claims: SignInClaims | undefined): Promise<string | undefined>
  /** Ends the sign-ins that a logout token is about. */
  endBySignedRequest(req: Request, logout: ServerLogout): Promise<void>
  /** Ends the sign-ins of one of the server's sessions, if there was any. */
  endServerSession(iss: string, sid: string): Promise<void>
  /**
   * Whether the sign-in has ended, `reading` being its record: what is known of it is read at the same
   * time. Rejects with `store_unavailable`.
   */
  hasEnded(req: Request, reference: LoginReference, reading: Promise<FoundRecord>): Promise<boolean>
}

/** What tells whose sign-in it is. */
interface SignInClaims {
  iss: string
  sub: string
  sid?: unknown
}

/** Which of the server's messages this flow gets. */
export interface ExpectedMessages {
  backchannelLogout: string | undefined
  frontchannelLogout: string | undefined
}

/**
 * A logout token with `sid` ends the sign-ins of that session, and those of its `sub` that know no
 * session; one without, all of its `sub` (OpenID Connect Back-Channel Logout 1.0 section 2.4). So each
 * sign-in has two marks to look at, its person's and its session's or the one in place of that; only
 * the session's where no logout tokens come.
 */
export function createServerEndings(marks: LoginMarks, expected: ExpectedMessages): ServerEndings {
  const everywhere = (person: string) => `sub ${person}`
  const withoutSession = (person: string) => `sub ${person} without sid`
  const session = (serverSession: string) => `sid ${serverSession}`

  function marksOf(person: string | undefined, serverSession: string | undefined): string[] {
    const own = serverSession === undefined ? [] : [session(serverSession)]
    if (person === undefined || expected.backchannelLogout === undefined) return own
    const last = serverSession === undefined ? [withoutSession(person)] : own
    return [everywhere(person), ...last]
  }

  return {
    async note(req, claims) {
      if (claims === undefined) return undefined
      const serverSession = serverSessionOf(claims.iss, claims.sid)
      const lifetime = sessionLifetime(req)
      const names = marksOf(personOf(claims), serverSession)
      await Promise.all(names.map((name) => marks.note(name, lifetime)))
      return serverSession
    },
    async endBySignedRequest(req, { iss, sub, sid, issuedAt, tokenId }) {
      const ending = { issuedAt, receivedAt: Date.now(), tokenId }
      const person = sub === undefined ? undefined : personOf({ iss, sub })
      const serverSession = serverSessionOf(iss, sid)
      const names: string[] = []
      if (serverSession !== undefined) names.push(session(serverSession))
      if (person !== undefined)
        names.push(serverSession === undefined ? everywhere(person) : withoutSession(person))
      const lifetime = sessionLifetime(req)
      await Promise.all(names.map((name) => marks.end(name, ending, lifetime)))
    },
    async endServerSession(iss, sid) {
      const serverSession = serverSessionOf(iss, sid)
      if (serverSession !== undefined) await marks.endNoted(session(serverSession), Date.now())
    },
    async hasEnded(req, { person, serverSession }, reading) {
      const lifetime = sessionLifetime(req)
      const read = (name: string) => marks.read(name, lifetime)
      const [found, ...endings] = await Promise.all([
        reading,
        ...marksOf(person, serverSession).map(read),
      ])
      if (typeof found !== 'object' || found.idToken === undefined) return false
      const claims = claimsOf(found.idToken)
      // A sign-in from before these messages were expected has a reference that does not say.
      const later =
        serverSession === undefined ? serverSessionOf(claims.iss, claims.sid) : undefined
      // What ended those without a session did not mean it.
      if (later !== undefined) endings.splice(1, 1, await read(session(later)))
      return endings.some((ending) => endsSignIn(ending, found, claims.iat))
    },
  }
}

/**
 * By the server's clock, in which it tells the order. In the same second the one that began after the
 * logout token had come is a new one; any other may be the one that was ended, and whoever it was
 * logs in once more.
 */
function endsSignIn({ signed, unsigned }: Endings, record: TokenRecord, issuedAt: number): boolean {
  const { startedAt = record.connectedAt } = record
  if (unsigned !== undefined && startedAt <= unsigned) return true
  if (signed === undefined || issuedAt > signed.issuedAt) return false
  return issuedAt < signed.issuedAt || startedAt <= signed.receivedAt
}
