import { PkceFlowError } from '../errors.ts'

/**
 * The error of ours that openid-client wrapped: it hands on what its `fetch` threw as the cause of
 * an error of its own, sometimes twice.
 */
export function flowErrorIn(thrown: unknown): PkceFlowError | undefined {
  for (let error = thrown, depth = 0; error instanceof Error && depth < 5; depth += 1) {
    if (error instanceof PkceFlowError) return error
    error = error.cause
  }
  return undefined
}
