import type { NextFunction, Request, RequestHandler, Response } from 'express'
import { PkceFlowError } from '../errors.ts'
import type { Flow } from './flow.ts'

/**
 * The one place where a handler's rejection becomes `next(error)`: Express 4 knows nothing of
 * promises, and an unhandled rejection ends the process.
 */
export function asyncHandler(
  flow: Flow,
  handle: (req: Request, res: Response, next: NextFunction) => Promise<void>,
): RequestHandler {
  return function expressPkceFlow(req, res, next) {
    handle(req, res, next).catch((error: unknown) => {
      next(error instanceof PkceFlowError ? flow.describe(error) : asError(error))
    })
  }
}

/** Express takes `next(undefined)` for "go on", and `next('route')` for "skip". */
export function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error('Rejected with what is no Error')
}
