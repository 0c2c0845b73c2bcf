import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { PkceFlowErrorCode } from '../errors.ts'
import { createBegunLogins } from './begun-logins.ts'
import type { KeyValueStore } from './key-value-store.ts'
import { isPendingLogin } from './pending-login-shape.ts'
import { createRecordStore, recordKey } from './record-store.ts'
import type { Sealing } from './sealing.ts'

/** A login that was started: all that is needed to finish it, and what became of it. */
export interface PendingLogin {
  codeVerifier: string
  nonce: string
  /** Where the browser goes afterwards: a path, or a URL of an origin that the app named. */
  returnTo: string
  /** Milliseconds since the epoch. */
  startedAt: number
  /** Host name that the browser used at the start. */
  host: string
  /** Whether the browser sent the cookie of a stored session at the start. */
  inSession: boolean
  /** Fingerprint of the app's user who connects an account; absent at a login. */
  user?: string | undefined
  /** Whether the person asked for a page, not for a login: `prompt=none`. */
  isSilent?: boolean | undefined
  /** Scope that was asked for, if not the flow's own. */
  scope?: readonly string[] | undefined
  /** `max_age` that was asked for, in seconds. */
  maxAge?: number | undefined
  /** `acr_values` that were asked for; absent if none were. */
  acrValues?: readonly string[] | undefined
  /** Hash of the secret in the binding cookie. */
  secretHash: string
  /** The answer, kept while the browser is sent on to come back with its session cookie. */
  answer?: StoredAnswer | undefined
  outcome?: LoginOutcome | undefined
}

/** An authorization response that waits for the session cookie. */
export interface StoredAnswer {
  code?: string | undefined
  error?: string | undefined
  iss?: string | undefined
}

/** What became of a pending login. Without one it is still to be finished. */
export type LoginOutcome =
  | { status: 'taken'; at: number }
  | {
      status: 'done'
      at: number
      /** Where it led. */
      landing: string
      /** The session that it made; absent where an account was connected. */
      sessionId?: string | undefined
      /** The session that this one replaced, if the browser had a stored one. */
      replacedSessionId?: string | undefined
    }
  | {
      status: 'failed'
      code: PkceFlowErrorCode
      message: string
      oauthError?: string | undefined
      /** Seconds. */
      retryAfter?: number | undefined
    }

/** The pending logins of one flow in one store. */
export interface PendingLogins {
  /** Stores a login that was just started; resolves to the id and the secret of its cookie. */
  begin(
    state: string,
    login: Omit<PendingLogin, 'secretHash' | 'outcome' | 'answer'>,
  ): Promise<BindingSecret>
  /** The login, if there is one that `secret` belongs to. */
  find(id: string, secret: string): Promise<PendingLogin | undefined>
  /** Where a login began, for diagnosis only: says nothing about who asks. */
  hostOf(id: string): Promise<string | undefined>
  /** Writes a login back, for the rest of its lifetime. */
  update(id: string, login: PendingLogin): Promise<void>
  /** Removes logins whose cookies made place for others: three at most, if the secrets are right. */
  forget(bindings: readonly BindingSecret[]): Promise<void>
}

/** What binds a pending login to the browser that started it. */
export interface BindingSecret {
  id: string
  secret: string
}

/** Stores keep nothing for less than this many milliseconds reliably. */
const shortestLifetime = 2_000

/** A browser that sends many cookies must not make as many calls of the store. */
const mostForgotten = 3

/** The id of the pending login that was started with this `state`: 32 hex digits. */
export function pendingLoginId(state: string): string {
  return recordKey(state)
}

/**
 * Pending logins as records of a store.
 *
 * @param lifetime milliseconds
 * @param keepsExpired whether the store keeps what has expired until somebody asks for it, as
 *   MemoryStore does: those that are begun here are removed in passing, two with each that begins
 */
export function createPendingLogins(
  store: KeyValueStore,
  flow: string,
  lifetime: number,
  keepsExpired: boolean,
  sealing?: Sealing,
): PendingLogins {
  const records = createRecordStore(store, 'pl.', flow, sealing)
  const begun = keepsExpired ? createBegunLogins(lifetime + shortestLifetime) : undefined

  /** Nobody waits for it, and what stays is no record any more. */
  function removeExpired() {
    for (const id of begun?.takeExpired() ?? []) records.destroy(id).catch(() => undefined)
  }

  /** What is not written as we write it is no login. */
  async function read(id: string): Promise<PendingLogin | undefined> {
    const content = (await records.get(id))?.content
    return isPendingLogin(content) ? (content as PendingLogin) : undefined
  }

  async function find(id: string, secret: string) {
    const login = await read(id)
    return login !== undefined && isSame(login.secretHash, hash(secret)) ? login : undefined
  }

  return {
    async begin(state, login) {
      const id = pendingLoginId(state)
      const secret = randomBytes(16).toString('base64url')
      removeExpired()
      begun?.add(id)
      await records.set(id, { ...login, secretHash: hash(secret) }, lifetime)
      return { id, secret }
    },
    find,
    async forget(bindings) {
      for (const { id, secret } of bindings.slice(0, mostForgotten)) {
        const login = await find(id, secret)
        // Whoever is finishing it needs it, and so does who comes for what became of it.
        if (login !== undefined && login.outcome === undefined) await records.destroy(id)
      }
    },
    async hostOf(id) {
      return (await read(id))?.host
    },
    async update(id, login) {
      const left = login.startedAt + lifetime - Date.now()
      await records.set(id, login, Math.min(Math.max(left, shortestLifetime), lifetime))
    },
  }
}

function hash(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url')
}

/** Compares in constant time; an empty or foreign value is never the same. */
function isSame(stored: string, given: string): boolean {
  if (stored.length !== given.length) return false
  return timingSafeEqual(Buffer.from(stored), Buffer.from(given))
}
