import type { Claims, LoginStatus } from 'express-pkce-flow'
import { html, renderPage } from './html.ts'
import type { Html } from './html.ts'
import { describeScope } from './scopes.ts'

/** Colours that a visitor can choose from; the first is everybody's at the beginning. */
export const colours = ['fern', 'lake', 'heather', 'amber'] as const
export type Colour = (typeof colours)[number]

/** Who looks at a page. `name` is of who is signed in; pages of errors do not look that up. */
export interface Visitor {
  colour: Colour | undefined
  name?: string | undefined
  /** Whether it is somebody who develops this app. */
  isDeveloper?: boolean | undefined
}

/** The API that the app calls with the access token. */
export interface ProtectedApi {
  url: string
  /** What it answers with: a word for the pages, and the path of the private page. */
  name: 'notes' | 'projects'
  /** Where people log in, for the pages. */
  loginAt: string
  /** Where a person can log out there. */
  accountUrl: string
  /** What helps a person to log in there. */
  loginHint?: string | undefined
}

/** Something to read, and one thing to do about it. */
export interface Message {
  title: string
  text: string
  action: { label: string; href: string }
  /** For those who look into it: the code of an error. */
  code?: string | undefined
}

/** A whole page of this app. */
export function page(visitor: Visitor, title: string, main: Html): string {
  return renderPage(
    {
      title,
      site: 'Example App',
      home: '/',
      header:
        visitor.name === undefined
          ? undefined
          : html`<span class="badge"
              ><span class="unseen">Signed in as</span> ${visitor.name}</span
            >`,
      theme: `theme-${visitor.colour ?? colours[0]}`,
      footer: html`The example of <strong>express-pkce-flow</strong>: OAuth 2.0 tokens for the users
        of an Express app. No page of it needs a script.
        ${visitor.isDeveloper === true && html`<a href="/doctor">Ask the doctor</a>`}`,
    },
    main,
  )
}

/** The name to call somebody by; `undefined` if nobody is signed in. */
export function nameOf(claims: Claims | undefined): string | undefined {
  if (claims === undefined) return undefined
  const names = [claims.name, claims.preferred_username, claims.sub]
  return names.find((name): name is string => typeof name === 'string' && name !== '')
}

/** The first page, for everybody; `more` is for who is signed in. */
export function homePage(
  visitor: Visitor,
  status: LoginStatus,
  api: ProtectedApi,
  more?: Html,
): string {
  return status.signedIn ? signedInPage(visitor, status, api, more) : signedOutPage(visitor, api)
}

function signedOutPage(visitor: Visitor, api: ProtectedApi): string {
  return page(
    visitor,
    'Welcome',
    html`<h1>Your ${api.name}, by your leave</h1>
      <p class="lead">
        Log in, and this app may read your ${api.name} from an API. The access token for it stays on
        the server: your browser never sees it.
      </p>
      <p class="actions">
        <a class="button" href="/login">Log in</a>
        <span class="hint">at ${api.loginAt}${api.loginHint && `: ${api.loginHint}`}</span>
      </p>
      <section class="card" aria-labelledby="steps">
        <h2 id="steps">What will happen</h2>
        <ol class="steps">
          <li>There you say who you are, and what this app may do. You can refuse.</li>
          <li>
            You come back with a code that is good once, and only together with a secret that this
            app kept (PKCE). The app gets a token for it.
          </li>
          <li>The app calls the API with your token and shows you your ${api.name}.</li>
        </ol>
      </section>
      ${colourCard(visitor)}`,
  )
}

function signedInPage(
  visitor: Visitor,
  status: LoginStatus,
  api: ProtectedApi,
  more: Html | undefined,
): string {
  return page(
    visitor,
    'Signed in',
    html`<h1>Hello, ${visitor.name}</h1>
      <p class="lead">
        You logged in at <a href="${api.accountUrl}">${api.loginAt}</a>.
        <a href="/profile">What it says about you</a>
      </p>
      ${status.connected ? tokenCard(status) : tokenEndedCard()}
      <div class="actions">
        ${
          status.connected &&
          html`<a class="button" href="/${api.name}">Call the API with my token</a>`
        }
        <form method="post" action="/logout"><button class="quiet">Log out</button></form>
      </div>
      ${more} ${colourCard(visitor)}`,
  )
}

function tokenCard({ scope, expiresAt }: LoginStatus): Html {
  return html`<section class="card" aria-labelledby="token">
    <h2 id="token">What this app may do with your token</h2>
    <ul class="ticks">
      ${scope.map((word) => html`<li>${describeScope(word)} <code>${word}</code></li>`)}
    </ul>
    <p class="hint">
      ${
        expiresAt
          ? html`It ends <time datetime="${expiresAt.toISOString()}">${fromNow(expiresAt)}</time>. `
          : 'The server did not say when it ends. '
      }
      The token itself never leaves the server.
    </p>
  </section>`
}

function tokenEndedCard(): Html {
  return html`<section class="card" aria-labelledby="token">
    <h2 id="token">Your token has ended</h2>
    <p>You are still logged in, but this app can call the API no more.</p>
    <p><a class="button" href="/login">Get a new one</a></p>
  </section>`
}

function colourCard({ colour = colours[0] }: Visitor): Html {
  const swatch = (name: Colour) =>
    html`<button
      class="swatch theme-${name}"
      name="colour"
      value="${name}"
      aria-pressed="${name === colour ? 'true' : 'false'}"
    >
      ${name}
    </button>`
  return html`<section class="card" aria-labelledby="colour">
    <h2 id="colour">Your colour</h2>
    <p class="hint">
      The app keeps it in your session: choose before you log in, and it is still there afterwards.
    </p>
    <form class="swatches" method="post" action="/colour">${colours.map(swatch)}</form>
  </section>`
}

/** What the API answered; without `status` it did not answer. */
export function answerPage(
  visitor: Visitor,
  api: ProtectedApi,
  status: number | undefined,
  body: unknown,
): string {
  const answered = status === undefined ? 'did not answer' : `answered ${status}`
  return page(
    visitor,
    `Your ${api.name}`,
    html`<h1>${Array.isArray(body) ? `Your ${api.name}` : 'No luck with the API'}</h1>
      <p class="lead">The API ${answered} when the app called it with your token.</p>
      ${Array.isArray(body) && itemList(body)}
      ${
        body !== undefined &&
        html`<details class="card">
          <summary>The whole answer</summary>
          <pre
            tabindex="0"
            role="region"
            aria-label="The whole answer"
          ><code>${JSON.stringify(body, null, 2).slice(0, 20_000)}</code></pre>
        </details>`
      }
      <p class="actions">
        <a class="button" href="/">Back</a>
        <a class="button quiet" href="/${api.name}">Call it again</a>
      </p>`,
  )
}

/** Notes of our own API, or projects of GitLab and the like. */
export function itemList(items: readonly unknown[]): Html {
  if (items.length === 0) return html`<p class="card">There are none yet.</p>`
  return html`<ul class="items">
    ${items.map((item) => {
      const { title, text, name_with_namespace, description } = item as Record<string, unknown>
      return html`<li>
        <strong>${textOf(title ?? name_with_namespace)}</strong>
        <p>${textOf(text ?? description)}</p>
      </li>`
    })}
  </ul>`
}

/** What the authorization server said about a person. */
export function profilePage(visitor: Visitor, claims: Readonly<Record<string, unknown>>): string {
  return page(
    visitor,
    'About you',
    html`<h1>What this app knows about you</h1>
      <p class="lead">The claims of your ID Token, checked when you logged in.</p>
      <dl class="card">
        ${Object.entries(claims).map(
          ([name, value]) =>
            html`<dt><code>${name}</code></dt>
              <dd>${times.has(name) ? dateOf(value) : textOf(value)}</dd>`,
        )}
      </dl>
      <p class="actions"><a class="button" href="/">Back</a></p>`,
  )
}

/** Claims that are seconds since the epoch (OpenID Connect Core section 2). */
const times: ReadonlySet<string> = new Set(['auth_time', 'exp', 'iat'])

function dateOf(seconds: unknown): string {
  return new Date(Number(seconds) * 1000).toUTCString()
}

/** A page that says one thing. */
export function messagePage(visitor: Visitor, { title, text, action, code }: Message): string {
  return page(
    visitor,
    title,
    html`<h1>${title}</h1>
      <p class="lead">${text}</p>
      <p class="actions">
        <a class="button" href="${action.href}">${action.label}</a>
        ${action.href !== '/' && html`<a class="button quiet" href="/">First page</a>`}
      </p>
      ${code !== undefined && html`<p class="hint">Code: <code>${code}</code></p>`}`,
  )
}

export function notFoundPage(visitor: Visitor): string {
  return messagePage(visitor, {
    title: 'There is nothing here',
    text: 'The address is wrong, or what was here is gone.',
    action: { label: 'First page', href: '/' },
  })
}

function textOf(value: unknown): string {
  if (value === undefined || value === null) return ''
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** `in 14 minutes`, `in 2 hours`. */
function fromNow(date: Date): string {
  const minutes = Math.round((date.getTime() - Date.now()) / 60_000)
  if (minutes < 1) return 'in less than a minute'
  const words = new Intl.RelativeTimeFormat('en')
  if (minutes < 120) return words.format(minutes, 'minute')
  return words.format(Math.round(minutes / 60), 'hour')
}
