import { asPkceFlowError } from '../errors.ts'

/** What a hook gives: it may be async, it need not. */
export type MaybePromise<T> = T | Promise<T>

/** Errors of stores carry the values that they were given; what is thrown on does not. */
export async function callHook<Result>(
  name: string,
  call: () => MaybePromise<Result>,
): Promise<Result> {
  try {
    return await call()
  } catch (error) {
    throw asPkceFlowError(error, 'store_unavailable', `${name}() of the PkceFlowManager failed.`)
  }
}
