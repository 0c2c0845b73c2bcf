import { PkceFlowError } from 'express-pkce-flow'
import type { Projects } from './projects.ts'

/** A job that goes on until it is stopped. */
export interface Job {
  stop: () => Promise<void>
}

/**
 * Counts the projects of every connected user, now and then: without a request, nobody needs to be at
 * a browser.
 *
 * @param interval milliseconds
 */
export function startCounting(projects: Projects, interval: number): Job {
  let running: Promise<void> | undefined
  const timer = setInterval(() => {
    running ??= countAll(projects).finally(() => (running = undefined))
  }, interval)
  timer.unref()
  return {
    async stop() {
      clearInterval(timer)
      await running
    },
  }
}

async function countAll(projects: Projects): Promise<void> {
  try {
    for (const id of await projects.users.ids()) await countOf(id, projects)
  } catch (error) {
    console.error('The job that counts projects:', error) // and the next time it is tried again
  }
}

async function countOf(id: string, { flow, url, users }: Projects): Promise<void> {
  try {
    const signal = AbortSignal.timeout(5_000)
    const response = await flow.forUser(id).fetch(url, { signal })
    if (!response.ok) throw new Error(`The projects were answered with ${response.status}.`)
    const found = (await response.json()) as unknown[]
    await users.setCount(id, { projects: found.length, countedAt: Date.now() })
  } catch (error) {
    // Disconnected, here or there. Anything else may pass.
    const { code } = error instanceof PkceFlowError ? error : {}
    if (code === 'not_connected' || code === 'reauthorization_required') await users.remove(id)
    else console.error('The job that counts projects:', error)
  }
}
