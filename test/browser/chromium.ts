import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type LaunchOptions,
  type Page,
} from 'playwright-core'

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium'
const isInstalled = existsSync(executablePath)
const mustRun = process.env.CI === 'true'

/** The same without windows and profiles, which take half of the time: used if it is there. */
const headlessShell = `${executablePath}-headless-shell`

if (!isInstalled && !mustRun)
  console.warn(
    `\n!!! BROWSER TESTS SKIPPED: there is no ${executablePath}. Install it (apt-get install chromium), or say where one is: CHROMIUM=/path/to/chromium\n`,
  )

let launched: Promise<Browser> | undefined
let launchedWithCache: Promise<Browser> | undefined
let contexts: BrowserContext[] = []
const profiles: string[] = []

/** How Chromium is started for all these tests. Playwright itself keeps it from calling home. */
const launchOptions: LaunchOptions = {
  executablePath,
  chromiumSandbox: false, // it refuses root
  args: [
    '--disable-gpu',
    '--disable-quic',
    // Names of other sites, all on this machine; no name leads to the network.
    '--host-resolver-rules=MAP localhost 127.0.0.1, MAP *.example 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
  ],
}

// At the root: when the last of these suites is over.
after('close Chromium', async () => {
  for (const launching of [launched, launchedWithCache]) {
    const browser = await launching?.catch(() => undefined) // the tests have said so already
    await browser?.close()
  }
  for (const profile of profiles) rmSync(profile, { recursive: true, force: true, maxRetries: 5 })
})

/** A suite that needs Chromium: skipped where there is none, and with `CI=true` failed. */
export function describeInChromium(title: string, body: () => void): void {
  if (!isInstalled && !mustRun) {
    describe.skip(title, body) // a newcomer without Chromium can run the rest; CI=true cannot skip
    return
  }
  describe(title, function () {
    // Two cores and a browser: what takes half a second alone takes ten in bad company.
    this.timeout(90_000).slow(10_000)

    afterEach('close all tabs', async function () {
      if (this.currentTest?.state === 'failed') await describePages()
      await Promise.all(contexts.map((context) => context.close()))
      contexts = []
    })

    body()
  })
}

/** Opens a browser without cookies and history: gone after the test. */
export async function openBrowser(options?: BrowserContextOptions): Promise<BrowserContext> {
  launched ??= chromium.launch({
    ...launchOptions,
    ...(existsSync(headlessShell) && { executablePath: headlessShell }),
  })
  return newContext(await launched, options)
}

/**
 * The same with the back/forward cache that people's browsers have, which Playwright turns off: Back
 * shows pages as they were, without a request, unless something forbids it.
 */
export async function openBrowserWithCache(): Promise<BrowserContext> {
  const ignoreDefaultArgs = ['--disable-back-forward-cache']
  launchedWithCache ??= chromium.launch({ ...launchOptions, ignoreDefaultArgs })
  return newContext(await launchedWithCache)
}

/** A browser that takes and sends no cookies for hosts that match, as a person can set it. */
export async function openBrowserWithoutCookies(host: string): Promise<BrowserContext> {
  const profile = mkdtempSync(join(tmpdir(), 'chromium-'))
  mkdirSync(join(profile, 'Default'))
  const block = 2
  const exceptions = { cookies: { [`${host},*`]: { setting: block } } }
  const preferences = { profile: { content_settings: { exceptions } } }
  writeFileSync(join(profile, 'Default', 'Preferences'), JSON.stringify(preferences))
  profiles.push(profile)
  return keep(await chromium.launchPersistentContext(profile, launchOptions))
}

async function newContext(
  browser: Browser,
  options?: BrowserContextOptions,
): Promise<BrowserContext> {
  return keep(await browser.newContext({ ignoreHTTPSErrors: true, ...options }))
}

function keep(context: BrowserContext): BrowserContext {
  context.setDefaultTimeout(30_000)
  contexts.push(context)
  return context
}

/** Opens a tab in a browser of its own. */
export async function openTab(options?: BrowserContextOptions): Promise<Page> {
  return (await openBrowser(options)).newPage()
}

/** What a person would have seen when the test failed. */
async function describePages() {
  for (const page of contexts.flatMap((context) => context.pages())) {
    const text = await page
      .locator('body')
      .innerText({ timeout: 1_000 })
      .catch(() => '(nothing)')
    console.error(`      At ${page.url()}:\n${text.replace(/^/gm, '        | ')}`)
  }
}
