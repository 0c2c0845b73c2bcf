import { html, renderPage } from './html.ts'
import type { Html } from './html.ts'

function page(title: string, main: Html): string {
  return renderPage(
    {
      title,
      site: 'Gitshed',
      header: html`<span class="badge">demo of a code host</span>`,
      theme: 'theme-gitshed',
      footer: html`A plain OAuth 2.0 server, without OpenID Connect, started together with the
      example app. Its one account is Robin’s, and it forgets everything when it stops.`,
    },
    main,
  )
}

/** Asks whether the app at `host` may have a token. The form goes to where this page is. */
export function allowPage(host: string, scopes: readonly string[]): string {
  return page(
    'Connect an app',
    html`<h1>Connect this app?</h1>
      <p class="lead">
        You are <strong>Robin</strong>. <strong>Example App</strong> at ${host} asks to:
      </p>
      <form class="card" method="post">
        <ul class="ticks">
          ${scopes.map((scope) => html`<li>See your projects here <code>${scope}</code></li>`)}
        </ul>
        <div class="actions">
          <button name="decision" value="allow">Allow</button>
          <button class="quiet" name="decision" value="refuse">Refuse</button>
        </div>
        <p class="hint">If you refuse, you go back and nothing is connected.</p>
      </form>`,
  )
}

/** What went wrong here, where the browser cannot be sent back. */
export function wrongRequestPage(text: string): string {
  return page(
    'This did not work',
    html`<h1>This did not work</h1>
      <p class="lead">${text}</p>`,
  )
}
