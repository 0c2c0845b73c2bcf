import { setImmediate as nextTurn } from 'node:timers/promises'
import type { World } from './world.ts'

/** Holds back the answers of an endpoint. */
export function hold(world: World, endpoint: 'token' | 'discovery'): { release: () => void } {
  let release = (): void => undefined
  const released = new Promise<void>((resolve) => (release = resolve))
  const stop = world.server.misbehave(endpoint, { delay: released })
  return {
    release() {
      stop()
      release()
    },
  }
}

/** Waits until it is so; the test's time limit is the end of it. */
export async function until(isSo: () => boolean): Promise<void> {
  const end = patience()
  while (!isSo()) {
    end(String(isSo))
    await nextTurn()
  }
}

/** Gives up some seconds later, so that a test that waits in vain says what for. */
export function patience(): (what: string) => void {
  const end = performance.now() + 15_000
  return (what) => {
    if (performance.now() > end) throw new Error(`Waited in vain for ${what}`)
  }
}
