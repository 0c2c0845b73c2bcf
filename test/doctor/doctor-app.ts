import type { Express } from 'express'
import type { Finding, PkceFlow } from '../../src/index.ts'
import { type AppSetUp, type RunningApp, startApp } from '../support/app.ts'
import { createBrowser, type Navigation } from '../support/browser.ts'

/** An app whose page `/doctor` is what `diagnose` says of the request. */
export function startDoctorApp(setUp: AppSetUp = {}): Promise<RunningApp> {
  return startApp({
    ...setUp,
    routes(app, flow) {
      setUp.routes?.(app, flow)
      mountDoctor(app, flow)
    },
  })
}

/** For every path that nothing else is at, as a page for what is not found is. */
export function mountDoctor(app: Express, flow: Pick<PkceFlow, 'diagnose'>): void {
  app.use((req, res, next) => {
    flow.diagnose(req).then((findings) => res.json(findings), next)
  })
}

/** Headers of a person's navigation, without Fetch Metadata: of an older browser, or by plain http. */
export const person = { accept: 'text/html' }

/** The same of one who clicked on a page of this origin, which is in the address bar. */
export const personAt = (origin: string): Record<string, string> => ({
  ...person,
  'sec-fetch-site': 'same-origin',
  'sec-fetch-mode': 'navigate',
  'sec-fetch-dest': 'document',
  referer: `${origin}/some-page`,
})

/** What is found of one request, which comes by plain http, as from the proxy next to the app. */
export async function findingsOf(
  app: Pick<RunningApp, 'origin'>,
  headers: Navigation['headers'] = person,
  path = '/doctor',
): Promise<Finding[]> {
  const url = app.origin.replace('https:', 'http:') + path
  const page = await createBrowser().request(url, { headers: headers ?? {} })
  if (page.status !== 200) throw new Error(`${page.status}: ${page.body}`)
  return JSON.parse(page.body) as Finding[]
}

export const codesOf = (findings: readonly Finding[]): string[] => findings.map(({ code }) => code)
