import { setImmediate as nextTurn } from 'node:timers/promises'

/** Settles as soon as the condition is true, looked at again at every turn of the event loop. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await nextTurn()
}
