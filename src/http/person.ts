import { createHash } from 'node:crypto'

/** Fingerprint of who this is: the same for the same `iss` and `sub`, `undefined` without claims. */
export function personOf(claims: { iss: string; sub: string } | undefined): string | undefined {
  if (claims === undefined) return undefined
  const identity = JSON.stringify([claims.iss, claims.sub])
  return createHash('sha256').update(identity).digest('base64url').slice(0, 22)
}
