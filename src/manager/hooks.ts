import { asPkceFlowError, PkceFlowError } from '../errors.ts'

/** What a hook gives: it may be async, it need not. @inline */
export type MaybePromise<T> = T | Promise<T>

/** Every call of a hook is given up after this many milliseconds. */
const timeLimit = 5_000

/**
 * Calls a method of the subclass. Rejects with `store_unavailable` if it fails or does not settle in
 * time. Errors of stores carry the values that they were given; what is thrown on does not.
 */
export async function callHook<Result>(
  name: string,
  call: () => MaybePromise<Result>,
): Promise<Result> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    const message = `${name}() of the PkceFlowManager did not settle in time.`
    timer = setTimeout(() => reject(new PkceFlowError('store_unavailable', message)), timeLimit)
  })
  try {
    return await Promise.race([call(), late])
  } catch (error) {
    throw asPkceFlowError(error, 'store_unavailable', `${name}() of the PkceFlowManager failed.`)
  } finally {
    clearTimeout(timer)
  }
}
