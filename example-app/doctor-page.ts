import type { Finding } from 'express-pkce-flow'
import { html } from './html.ts'
import type { Html } from './html.ts'
import { page } from './pages.ts'
import type { Visitor } from './pages.ts'

/** What the flows of this app find wrong: for who develops it. */
export function doctorPage(visitor: Visitor, findings: readonly Finding[]): string {
  const { length } = findings
  const title =
    length === 0
      ? 'Nothing is wrong'
      : `${length} ${length === 1 ? 'thing is' : 'things are'} wrong`
  return page(
    visitor,
    title,
    html`<h1>${title}</h1>
      <p class="lead">
        So say the flows of this app about their options, their authorization servers, and the way
        on which this page came to you. In production there is no such page.
      </p>
      ${findings.map(findingCard)}
      <p class="actions">
        <a class="button" href="/">Back</a>
        <a class="button quiet" href="/doctor">Look again</a>
      </p>`,
  )
}

function findingCard({ code, flow, message, remedy, guide }: Finding, at: number): Html {
  return html`<section class="card" aria-labelledby="finding-${at}">
    <h2 id="finding-${at}"><code>${code}</code> in ${flow}</h2>
    <p>${message}</p>
    <p>${remedy}</p>
    <p class="hint">More: <code>${guide}</code></p>
  </section>`
}
