import { until as lookUntil } from '../support/until.ts'
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

/** Waits until it is so, but not for ever. */
export function until(isSo: () => boolean): Promise<void> {
  const end = patience()
  return lookUntil(() => {
    end(String(isSo))
    return isSo()
  })
}

/** Gives up some seconds later, so that a test that waits in vain says what for. */
export function patience(): (what: string) => void {
  const end = performance.now() + 15_000
  return (what) => {
    if (performance.now() > end) throw new Error(`Waited in vain for ${what}`)
  }
}
