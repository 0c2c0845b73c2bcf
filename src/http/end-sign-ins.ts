import type { Request } from 'express'
import { tryToRevoke, type RevocationOutcome } from '../protocol/revocation.ts'
import type { TokenRecord } from '../storage/token-records.ts'
import type { Flow } from './flow.ts'
import { flowsNamed } from './flows-by-name.ts'
import { loginReference, loginReferences, sessionLifetime } from './session.ts'

/** A sign-in that was ended here, with what there is to end at its authorization server. */
export interface EndedSignIn {
  flow: Flow
  record: TokenRecord
}

/**
 * Ends every sign-in that this session refers to, through whichever flow: what refers to them is about
 * to be destroyed. Rejects with `store_unavailable` if one cannot be ended.
 */
export async function endSignIns(flow: Flow, req: Request): Promise<EndedSignIn[]> {
  const ended = await Promise.all([endSignIn(flow, req), endOtherSignIns(flow, req)])
  return ended.flat().filter((each) => each !== undefined)
}

async function endSignIn(flow: Flow, req: Request): Promise<EndedSignIn | undefined> {
  const reference = loginReference(req, flow.settings.name)
  const record = reference && (await end(flow, req, reference.key))
  return record && { flow, record }
}

/** The same for all but this flow's. */
export async function endOtherSignIns(flow: Flow, req: Request): Promise<EndedSignIn[]> {
  const ended: EndedSignIn[] = []
  for (const [name, { key }] of loginReferences(req)) {
    if (name === flow.settings.name) continue
    for (const other of flowsNamed(name)) {
      // A flow of that name in another app of this process has no such record.
      const found = await other.records(req).tokenRecords.read(key)
      const record = typeof found === 'object' ? await end(other, req, key) : undefined
      if (record !== undefined) ended.push({ flow: other, record })
    }
  }
  return ended
}

function end(flow: Flow, req: Request, key: string): Promise<TokenRecord | undefined> {
  return flow.records(req).tokenRecords.end(key, sessionLifetime(req), (record) => {
    void revokeEnded({ flow, record })
  })
}

/** Revokes what an ended sign-in had, best effort; never rejects. */
export async function revokeEnded({ flow, record }: EndedSignIn): Promise<RevocationOutcome> {
  if (record.tokens === undefined) return 'not revoked'
  try {
    return await tryToRevoke(await flow.getServer(), record.tokens)
  } catch {
    return 'unreachable'
  }
}
