import { expect } from 'chai'
import type { Browser, Page } from '../support/browser.ts'
import { check, takeSnapshot } from './check.ts'
import { follow } from './follow.ts'
import { perform } from './perform.ts'
import type { Before, Row } from './row.ts'
import { answer, start, type Step, visit } from './step.ts'
import type { World } from './world.ts'

/** Does what the row says, in a world that nobody has used or that was reset, and compares. */
export async function runRow(row: Row, before: Before, world: World): Promise<void> {
  if (before === 'bob' && !world.bringBefore()) await signInBob(world)
  const snapshot = await takeSnapshot(world)
  let last: { page: Page; browser: Browser } | undefined
  for (const step of row.steps) {
    const page = await perform(world, step)
    if (page === undefined) continue
    last = { page, browser: world.browser(browserOf(step, world)) }
    if ('gives' in step && step.gives) {
      const { status, code } = step.gives
      expect(page.status, `${step.do}: ${page.body}`).to.equal(status)
      if (code !== undefined) expect(page.body).to.include(`"code":"${code}"`)
    }
  }
  await check(world, last!, row.expect, snapshot)
}

async function signInBob(world: World): Promise<void> {
  const main = world.browser('main')
  world.server.authorizeAs('bob')
  await perform(world, visit('/cart/books'))
  await perform(world, start('before'))
  await follow(world, main, (await perform(world, answer('before')))!)
  expect((await world.who(main)).signedIn, 'signed in before').to.equal(true)
  world.server.authorizeAs('alice')
  world.keepBefore()
}

function browserOf(step: Step, world: World): string {
  const by = 'by' in step ? step.by : undefined
  return by ?? ('tab' in step ? world.tabs.get(step.tab)?.by : undefined) ?? 'main'
}
