import type { LoginStatus } from 'express-pkce-flow'
import type { ProjectCount } from './connected-users.ts'
import { html } from './html.ts'
import type { Html } from './html.ts'
import { itemList, page } from './pages.ts'
import type { Visitor } from './pages.ts'

/** On the first page: whether an account is connected, and what to do about it. */
export function connectCard({ connected }: LoginStatus): Html {
  return html`<section class="card" aria-labelledby="projects">
    <h2 id="projects">Your projects at Gitshed</h2>
    ${
      connected
        ? html`<p>Your account there is connected to you, whichever browser you use.</p>
            <div class="actions">
              <a class="button" href="/projects">See my projects</a>
              ${disconnectForm}
            </div>`
        : html`<p>
              Connect your account there, and this app lists them. You stay who you are here.
            </p>
            <p><a class="button" href="/projects/login">Connect Gitshed</a></p>`
    }
  </section>`
}

/** What Gitshed answered; without `status` it did not answer. */
export function projectsPage(
  visitor: Visitor,
  status: number | undefined,
  body: unknown,
  count: ProjectCount | undefined,
): string {
  const answered = status === undefined ? 'did not answer' : `answered ${status}`
  return page(
    visitor,
    'Your projects',
    html`<h1>${Array.isArray(body) ? 'Your projects at Gitshed' : 'No luck with Gitshed'}</h1>
      <p class="lead">Gitshed ${answered} when the app asked with the token of your account.</p>
      ${Array.isArray(body) && itemList(body)}
      <p class="hint">${describeCount(count)}</p>
      <div class="actions">
        <a class="button" href="/">Back</a>
        <a class="button quiet" href="/projects">Ask again</a>
        ${disconnectForm}
      </div>`,
  )
}

const disconnectForm = html`<form method="post" action="/projects/logout">
  <button class="quiet">Disconnect</button>
</form>`

function describeCount(count: ProjectCount | undefined): Html {
  if (count === undefined)
    return html`A background job will count them, whether you are here or not.`
  const { projects, countedAt } = count
  const time = new Date(countedAt)
  return html`A background job counted ${projects} ${projects === 1 ? 'project' : 'projects'}, last
    counted <time datetime="${time.toISOString()}">${time.toUTCString()}</time>.`
}
