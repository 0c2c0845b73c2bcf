import { expect } from 'chai'
import type { PkceFlowError, PkceFlowErrorCode } from '../../src/index.ts'
import type { RunningApp } from '../support/app.ts'
import { type Browser, createBrowser, type Page } from '../support/browser.ts'

/** What a login led to. */
export interface Attempt {
  browser: Browser
  /** Where the browser ended. */
  page: Page
  /** What the app's error handler got. */
  error: PkceFlowError | undefined
}

/** Who the app says is signed in. */
export interface Home {
  sub: string | null
  status: { signedIn: boolean; connected: boolean; scope: string[]; expiresAt?: string }
}

/** A login in a browser of its own. */
export async function attemptLogin(app: RunningApp, browser = createBrowser()): Promise<Attempt> {
  const errorsBefore = app.errors.length
  const page = await browser.open(app.url('/login'))
  return { browser, page, error: app.errors[errorsBefore] as PkceFlowError | undefined }
}

/** What the app's `/` says to this browser. */
export async function home(app: RunningApp, browser: Browser): Promise<Home> {
  return JSON.parse((await browser.request(app.url('/'))).body) as Home
}

/** A login that must succeed. */
export async function logIn(app: RunningApp, browser = createBrowser()): Promise<Browser> {
  const { page, error } = await attemptLogin(app, browser)
  expect(error).to.equal(undefined)
  expect(page).to.include({ status: 200, url: app.url('/') })
  expect((await home(app, browser)).status.signedIn).to.equal(true)
  return browser
}

/** A login that must fail with this code, and sign nobody in. */
export async function failLogin(
  app: RunningApp,
  code: PkceFlowErrorCode,
  browser = createBrowser(),
): Promise<PkceFlowError> {
  const { page, error } = await attemptLogin(app, browser)
  expect(error, page.body).to.include({ code })
  expect(page.status).to.equal(error!.status)
  expect(await home(app, browser)).to.deep.include({ sub: null })
  expect((await home(app, browser)).status.signedIn).to.equal(false)
  return error!
}
