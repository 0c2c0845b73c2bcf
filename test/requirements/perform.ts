import type { Page } from '../support/browser.ts'
import { browserSteps } from './browser-steps.ts'
import { logoutSteps } from './logout-steps.ts'
import { serverSteps, storeSteps } from './other-steps.ts'
import type { Step, StepPerformers } from './step.ts'
import type { World } from './world.ts'

const performers: StepPerformers = {
  ...browserSteps,
  ...serverSteps,
  ...storeSteps,
  ...logoutSteps,
}

/** Does what a step says, and gives its answer if it has one. */
export async function perform(world: World, step: Step): Promise<Page | undefined> {
  const performer = performers[step.do] as (world: World, step: Step) => unknown
  return (await performer(world, step)) as Page | undefined
}
