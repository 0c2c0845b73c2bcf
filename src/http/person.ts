import { createHash } from 'node:crypto'

/** Fingerprint of who this is: the same for the same `iss` and `sub`, `undefined` without claims. */
export function personOf(claims: { iss: string; sub: string } | undefined): string | undefined {
  if (claims === undefined) return undefined
  return fingerprint([claims.iss, claims.sub])
}

/** Fingerprint of a session at an authorization server: the same for the same `iss` and `sid`. */
export function serverSessionOf(iss: string, sid: unknown): string | undefined {
  return typeof sid === 'string' && sid !== '' ? fingerprint([iss, 'sid', sid]) : undefined
}

function fingerprint(identity: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(identity)).digest('base64url').slice(0, 22)
}
