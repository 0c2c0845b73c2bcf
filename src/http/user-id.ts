import type { Request } from 'express'
import { PkceFlowError } from '../errors.ts'
import type { Settings } from '../options/settings.ts'

/** The app's user that a request comes from, `undefined` if from none. Throws `user_id_invalid`. */
export function userIdOf({ userId }: Pick<Settings, 'userId'>, req: Request): string | undefined {
  let id: unknown
  try {
    id = userId?.(req)
  } catch (error) {
    throw new PkceFlowError('user_id_invalid', 'The option "userId" threw an error.', {
      cause: error,
    })
  }
  return id === undefined || id === null ? undefined : requireUserId(id)
}

/** `id` as the id of a user. Throws `user_id_invalid`: an id like `"undefined"` would be everybody's. */
export function requireUserId(id: unknown): string {
  if (
    typeof id === 'string' &&
    id !== '' &&
    id !== 'undefined' &&
    id !== 'null' &&
    id.length <= 500
  )
    return id
  throw new PkceFlowError(
    'user_id_invalid',
    'A user id must be a string of 1 to 500 characters: the option "userId" gives it, no promise of ' +
      "it, or undefined when nobody is signed in. A number: write String(id). 'undefined' is no id.",
  )
}
