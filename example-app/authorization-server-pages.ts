import { html, renderPage } from './html.ts'
import type { Html } from './html.ts'
import { describeScope } from './scopes.ts'

/** The app that a person is on the way to. */
export interface AskingApp {
  name: string
  /** Host (and port) that the browser goes back to. */
  host: string
}

/** Where a person logs out, sent by an app or not. */
export const logOutPath = '/session/end'

/** Longest user name that is taken. */
export const longestName = 60

function page(title: string, main: Html): string {
  return renderPage(
    {
      title,
      site: 'Gatehouse',
      header: html`<span class="badge">demo authorization server</span>`,
      theme: 'theme-gatehouse',
      footer: html`A real OpenID Connect server (oidc-provider), started together with the example
      app. It forgets everybody when it stops.`,
    },
    main,
  )
}

/** Asks for a user name. `name` is who is signed in here; `wrong` says what to correct. */
export function logInPage(uid: string, app: AskingApp, name: string, wrong?: string): string {
  return page(
    'Log in',
    html`<h1>Who are you?</h1>
      <p class="lead"><strong>${app.name}</strong> at ${app.host} would like to know.</p>
      <form class="card" method="post" action="/interaction/${uid}">
        <p>
          <label for="name">User name</label>
          <input
            id="name"
            type="text"
            name="name"
            value="${name}"
            maxlength="${longestName}"
            autocomplete="username"
            autocapitalize="words"
            spellcheck="false"
            aria-describedby="${wrong !== undefined && 'wrong '}hint"
            aria-invalid="${wrong === undefined ? 'false' : 'true'}"
            required
            autofocus
          />
        </p>
        ${wrong !== undefined && html`<p class="wrong" id="wrong" role="alert">${wrong}</p>`}
        <p class="hint" id="hint">This is a demo: any name will do, and there is no password.</p>
        <div class="actions">
          <button>Continue</button>
          <button class="quiet" name="decision" value="refuse" formnovalidate>Cancel</button>
        </div>
      </form>
      ${
        name !== '' &&
        html`<p class="hint">
          You are signed in here as ${name}. <a href="${logOutPath}">Sign out everywhere</a>
        </p>`
      }`,
  )
}

/** Asks whether `app` may have a token with these scopes. */
export function consentPage(
  uid: string,
  app: AskingApp,
  name: string,
  scopes: readonly string[],
): string {
  return page(
    'Allow access',
    html`<h1>Allow access?</h1>
      <p class="lead">
        You are <strong>${name}</strong>. <strong>${app.name}</strong> at ${app.host} asks to:
      </p>
      <form class="card" method="post" action="/interaction/${uid}">
        <ul class="ticks">
          ${scopes.map((scope) => html`<li>${describeScope(scope)}</li>`)}
        </ul>
        <div class="actions">
          <button name="decision" value="allow">Allow</button>
          <button class="quiet" name="decision" value="refuse">Refuse</button>
        </div>
        <p class="hint">If you refuse, you go back and nothing is shared.</p>
      </form>`,
  )
}

/** What went wrong here, with a way back to the app. */
export function problemPage(text: string, appUrl: string | undefined): string {
  return page(
    'This did not work',
    html`<h1>This did not work</h1>
      <p class="lead">${text}</p>
      ${
        appUrl !== undefined &&
        html`<p class="actions"><a class="button" href="${appUrl}">Back to the app</a></p>`
      }`,
  )
}

/**
 * Asks whether the session here shall end, and with it those of all apps. `form` is markup from
 * oidc-provider; `byApp`: an app has logged the person out and asks for the rest.
 */
export function logOutPage(form: string, name: string, byApp: boolean): string {
  return page(
    'Sign out',
    html`<h1>${byApp ? 'Sign out here as well?' : html`You are signed in as ${name}`}</h1>
      <p class="lead">
        ${
          byApp &&
          html`The app has logged you out. Here you are still signed in as
            <strong>${name}</strong>.`
        }
        If you sign out here, Gatehouse tells every app that you came to from here.
      </p>
      ${{ markup: form }}
      <p class="actions">
        <button form="op.logoutForm" name="logout" value="yes" autofocus>
          Sign out everywhere
        </button>
        ${byApp && html`<button class="quiet" form="op.logoutForm">No, stay</button>`}
      </p>`,
  )
}

/** The end of a log-out that leads to no app. */
export function loggedOutPage(): string {
  return page(
    'Signed out',
    html`<h1>You are signed out</h1>
      <p class="lead">
        Here, and in every app that you came to from here. You can close this page.
      </p>`,
  )
}
