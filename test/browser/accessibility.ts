import { readFileSync } from 'node:fs'
import type { Result } from 'axe-core'
import { expect } from 'chai'
import type { Page } from 'playwright-core'

/** A phone, held upright. */
export const phone = { width: 390, height: 844 }

/** A wide page zoomed in four times (WCAG 2.2 section 1.4.10), or the smallest of phones. */
const narrow = { width: 320, height: 640 }

const axe = readFileSync('node_modules/axe-core/axe.min.js', 'utf8')

/** Every rule that axe has on, and that buttons are large enough for fingers (WCAG 2.2 section 2.5.8). */
const rules = { 'target-size': { enabled: true } }

/**
 * Expects that axe finds nothing wrong with the page, in the light and in the dark, that nobody has to
 * scroll sideways, and that it has no script. The browser has to be one that bypasses the page's CSP.
 */
export async function expectAccessible(page: Page): Promise<void> {
  const title = await page.title()
  expect(await page.evaluate('document.scripts.length'), `scripts of "${title}"`).to.equal(0)
  await page.evaluate(axe)
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme })
    const violations = await page.evaluate<Result[]>(
      `axe.run({ rules: ${JSON.stringify(rules)} }).then(({ violations }) => violations)`,
    )
    expect(violations.map(describeViolation), `"${title}", ${colorScheme}`).to.deep.equal([])
  }
  await page.setViewportSize(narrow)
  expect(await page.evaluate('document.documentElement.scrollWidth'), title).to.equal(narrow.width)
  await page.setViewportSize(phone)
}

function describeViolation({ id, help, nodes }: Result): string {
  const places = nodes.map(({ target, failureSummary }) => `${target.join(' ')}: ${failureSummary}`)
  return `${id}: ${help}\n${places.join('\n')}`
}

/** What has the focus: how a person sees that, and whether it is on the screen. */
interface Focus {
  name: string
  outline: number
  isOnScreen: boolean
}

const readFocus = `(() => {
  const focused = document.activeElement
  const { outlineStyle, outlineWidth } = getComputedStyle(focused)
  const { top, bottom } = focused.getBoundingClientRect()
  return {
    name: focused === document.body ? '' : focused.textContent.trim().replace(/\\s+/g, ' '),
    outline: outlineStyle === 'none' ? 0 : parseFloat(outlineWidth),
    isOnScreen: top >= 0 && bottom <= innerHeight,
  }
})()`

/** Goes on by the Tab key; resolves to the text of what has the focus then, which can be seen. */
export async function pressTab(page: Page): Promise<string> {
  await page.keyboard.press('Tab')
  const { name, outline, isOnScreen } = await page.evaluate<Focus>(readFocus)
  if (name !== '') {
    expect(outline, `outline of "${name}"`).to.be.at.least(2)
    expect(isOnScreen, `"${name}" is on the screen`).to.equal(true)
  }
  return name
}

/** Goes on by the Tab key to this link or button, and presses Enter there. */
export async function press(page: Page, name: string): Promise<void> {
  const passed: string[] = []
  while (passed.at(-1) !== name) {
    passed.push(await pressTab(page))
    if (passed.length > 20) throw new Error(`No Tab leads to "${name}": ${passed.join(', ')}`)
  }
  await page.keyboard.press('Enter')
}
