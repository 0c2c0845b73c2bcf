import { arrangedLoginCookie, writeArrangedLogin, type ArrangedLogin } from './arranged-login.ts'
import type { TestAuthorizationServer } from './authorization-server.ts'
import { TestLoginError } from './login-error.ts'

/** As much of a Playwright page as is used here. */
export interface PlaywrightPage {
  goto(url: string): Promise<{ status(): number; text(): Promise<string> } | null>
  url(): string
  waitForURL(matches: (url: URL) => boolean): Promise<void>
  context(): {
    addCookies(cookies: { name: string; value: string; url: string }[]): Promise<void>
  }
}

/** Logs in by navigating: the page goes through the redirects itself. Gives the path where it ends. */
export async function logInByPage(
  page: PlaywrightPage,
  server: TestAuthorizationServer,
  arranged: ArrangedLogin,
  path: string,
): Promise<string> {
  const arrange = (login: ArrangedLogin): Promise<void> =>
    page
      .context()
      .addCookies([
        { name: arrangedLoginCookie, value: writeArrangedLogin(login), url: server.issuer },
      ])
  await arrange(arranged)
  try {
    const response = await page.goto(path)
    if (response && response.status() >= 400)
      throw new TestLoginError(`The login ended: the page answered ${response.status()}`, {
        status: response.status(),
        body: await response.text(),
      })
    // Pages that submit a form or refresh come in between.
    await page.waitForURL((url) => url.origin !== server.origin && !isCallback(url))
  } finally {
    // The person stays who they are; what else was arranged was for this login.
    await arrange(arranged.sub === undefined ? {} : { sub: arranged.sub })
  }
  const { pathname, search } = new URL(page.url())
  return pathname + search
}

/** The app's callback route, of whatever path: it has an answer, or goes on with one. */
function isCallback({ searchParams }: URL): boolean {
  return (
    searchParams.has('continue') ||
    (searchParams.has('state') && (searchParams.has('code') || searchParams.has('error')))
  )
}
