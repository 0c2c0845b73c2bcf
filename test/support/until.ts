import timers from 'node:timers/promises'

// As they are now: tests stop timers.
const { setImmediate: nextTurn, setTimeout: delay } = timers

/** Turns of the event loop in which what happens in this process has happened, as a rule. */
const turnsAtOnce = 20

/**
 * Settles as soon as the condition is true. It is looked at again at the next turn of the event loop;
 * after some of them, when another process is waited for, every two milliseconds.
 */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let turns = 0; !(await condition()); turns += 1)
    await (turns < turnsAtOnce ? nextTurn() : delay(2))
}
