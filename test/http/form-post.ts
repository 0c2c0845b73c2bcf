import { expect } from 'chai'
import type { RunningApp } from '../support/app.ts'
import type { Browser, Page } from '../support/browser.ts'

/** Starts a login; gives what the form of the authorization server will post. */
export async function openForm(
  app: RunningApp,
  browser: Browser,
  path = '/login',
  headers: Record<string, string> = {},
): Promise<URLSearchParams> {
  const page = await browser.open(app.url(path), { headers })
  expect(page.body).to.include(`action="${app.url('/callback')}"`)
  const answer = new URLSearchParams()
  const fields = page.body.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)">/g)
  for (const [, name = '', value = ''] of fields) answer.append(name, value)
  return answer
}

/** Posts the form; no redirect is followed. */
export function postAnswer(
  app: RunningApp,
  browser: Browser,
  answer: URLSearchParams,
): Promise<Page> {
  return browser.request(app.url('/callback'), {
    method: 'POST',
    body: answer.toString(),
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      origin: app.server.origin,
      'sec-fetch-site': 'cross-site',
      'sec-fetch-mode': 'navigate',
      'sec-fetch-dest': 'document',
    },
  })
}
