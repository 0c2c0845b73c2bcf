import type { Page } from 'playwright-core'
import type { Example } from '../../example-app/start-example.ts'

/** Waits until a page shows this as its heading. */
export async function sees(page: Page, heading: string): Promise<void> {
  await page.getByRole('heading', { name: heading, exact: true, level: 1 }).waitFor()
}

/** Opens the app and goes to where one logs in. */
export async function goToLogIn(page: Page, example: Example): Promise<void> {
  await page.goto(example.url)
  await page.getByRole('link', { name: 'Log in' }).click()
  await sees(page, 'Who are you?')
}

/** On the log-in page: says who they are. */
export async function sayName(page: Page, name: string): Promise<void> {
  await page.getByLabel('User name').fill(name)
  await page.getByRole('button', { name: 'Continue' }).click()
  await sees(page, 'Allow access?')
}

/** On the log-in page: says who they are and allows what the app asks for. */
export async function logInHere(page: Page, name: string): Promise<void> {
  await sayName(page, name)
  await page.getByRole('button', { name: 'Allow' }).click()
}

/** On the page that asks: allows it, and does not wait for an answer that is held. */
export async function allowOnly(page: Page): Promise<void> {
  // oxlint-disable-next-line typescript/no-deprecated -- a click waits for where it leads
  await page.getByRole('button', { name: 'Allow' }).click({ noWaitAfter: true })
}

/** Logs in from the app's first page, and is back there. */
export async function logIn(page: Page, example: Example, name: string): Promise<void> {
  await goToLogIn(page, example)
  await logInHere(page, name)
  await sees(page, `Hello, ${name}`)
}

/** On the app's first page: logs out, of the authorization server as well, and is back there. */
export async function logOut(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Log out' }).click()
  await sees(page, 'Sign out here as well?')
  await signOutEverywhere(page)
  await sees(page, 'Your notes, by your leave')
}

/** On the authorization server's page that asks: ends its session, and that of every app. */
export async function signOutEverywhere(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Sign out everywhere' }).click()
}

/** On the app's first page: chooses a colour, which the app keeps in the session. */
export async function chooseColour(page: Page, colour: string): Promise<void> {
  await page.getByRole('button', { name: colour }).click()
  await seesColour(page, colour)
}

/** Waits until the page has this colour. */
export async function seesColour(page: Page, colour: string): Promise<void> {
  await page.locator(`body.theme-${colour}`).waitFor()
}

/** On the app's first page, signed in: goes to where an account is connected. */
export async function goToConnect(page: Page): Promise<void> {
  await page.getByRole('link', { name: 'Connect Gitshed' }).click()
  await sees(page, 'Connect this app?')
}
