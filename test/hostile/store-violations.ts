import { PkceFlowError } from '../../src/index.ts'
import type { TestAuthorizationServer } from '../../src/testing/index.ts'
import { everythingIn } from '../support/everything-in.ts'
import type { FaultyCalls } from './faulty-calls.ts'

/** What there is when something was done, and what must still be as it was. */
export interface Aftermath {
  /** What nobody caught. */
  crashes: readonly unknown[]
  /** Somebody else who is signed in: their rows. */
  bystander: { rows: Record<string, string>; userRows: Map<string, unknown> }
  faults: Pick<FaultyCalls, 'rows' | 'userRows'>
  /** Whether tokens belong to users, not to sessions. */
  isPerUser: boolean
  /** What came to the app's error handler. */
  errors: readonly unknown[]
  secrets: readonly string[]
  /** Tokens that have to be kept or revoked. */
  issued: TestAuthorizationServer['issued']
}

/** What must not be: empty if all is well. */
export function violationsOf({
  crashes,
  bystander,
  faults,
  isPerUser,
  errors,
  secrets,
  issued,
}: Aftermath): string[] {
  const found: string[] = []
  for (const error of crashes) found.push(`crashed: ${String(error)}`)
  for (const [key, row] of Object.entries(bystander.rows))
    if (faults.rows[key] !== row) found.push(`touched the bystander's row ${key}`)
  for (const [key, row] of bystander.userRows)
    if (JSON.stringify(faults.userRows.get(key)) !== JSON.stringify(row))
      found.push(`touched the bystander's tokens`)
  for (const error of errors) {
    if (!(error instanceof PkceFlowError)) {
      const { command, code } = error as { command?: string; code?: string }
      // What the store tells express-session goes to the app as it is.
      if (command === undefined) found.push(`an error of nobody's: ${code} ${String(error)}`)
      continue
    }
    const shown = everythingIn(error)
    const hidden = [...secrets, ...Object.keys(faults.rows).filter((key) => !key.includes('.'))]
    if (hidden.some((secret) => shown.includes(secret))) found.push(`a secret is in ${shown}`)
  }
  const kept = reachable(faults, isPerUser)
  for (const { refreshToken, refreshable, sub } of issued) {
    if (refreshToken !== undefined && refreshable && !kept.includes(refreshToken))
      found.push(`a token of ${sub} is nowhere`)
  }
  return found
}

/** Token records that a session refers to, or a user. */
function reachable({ rows, userRows }: Aftermath['faults'], isPerUser: boolean): string {
  const sessions = Object.entries(rows).flatMap(([key, row]) => (key.includes('.') ? [] : row))
  const isReferredTo = (id: string) => sessions.some((session) => session.includes(id))
  const records = Object.entries(rows).filter(
    ([key]) => key.startsWith('tr.') && (isPerUser || isReferredTo(key.slice(3))),
  )
  return JSON.stringify([records, [...userRows.values()]])
}
