import { PkceFlowError } from '../errors.ts'

/**
 * The error of this kind that openid-client wrapped: it hands on what its `fetch` threw as the cause
 * of an error of its own, sometimes twice.
 */
export function errorInside<Kind extends Error>(
  thrown: unknown,
  kind: abstract new (...given: never[]) => Kind,
): Kind | undefined {
  for (let error = thrown, depth = 0; error instanceof Error && depth < 5; depth += 1) {
    if (error instanceof kind) return error
    error = error.cause
  }
  return undefined
}

/** The error of ours that openid-client wrapped. */
export function flowErrorIn(thrown: unknown): PkceFlowError | undefined {
  return errorInside(thrown, PkceFlowError)
}
