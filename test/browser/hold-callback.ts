import type { Page } from 'playwright-core'

/** A request that the browser has not sent yet. */
export interface HeldRequest {
  url: string
  /** Sends it, with the cookies that the browser has by then. */
  send(): Promise<void>
}

/**
 * Holds the tab's next request to the callback route, which comes at the end of a chain of redirects:
 * Playwright's own routes see only the first of them.
 */
export async function holdCallback(page: Page): Promise<{ held: Promise<HeldRequest> }> {
  const session = await page.context().newCDPSession(page)
  const held = new Promise<HeldRequest>((resolve) => {
    session.once('Fetch.requestPaused', ({ requestId, request }) => {
      resolve({
        url: request.url,
        async send() {
          await session.send('Fetch.continueRequest', { requestId })
          await session.detach()
        },
      })
    })
  })
  await session.send('Fetch.enable', { patterns: [{ urlPattern: '*/callback*' }] })
  return { held }
}
