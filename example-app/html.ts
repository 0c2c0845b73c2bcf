import { fileURLToPath } from 'node:url'
import express from 'express'
import type { RequestHandler } from 'express'

/** Text that is safe to put into a page as it is. Made by {@link html} only. */
export interface Html {
  readonly markup: string
}

/** What can stand in a template. */
export type HtmlValue = Html | string | number | false | undefined | readonly HtmlValue[]

/**
 * Template tag for HTML: every value is escaped, except what `html` itself made. Arrays are joined;
 * `undefined` and `false` leave nothing.
 */
export function html(strings: TemplateStringsArray, ...values: HtmlValue[]): Html {
  return { markup: String.raw({ raw: strings }, ...values.map(toMarkup)) }
}

function toMarkup(value: HtmlValue): string {
  if (value === undefined || value === false) return ''
  if (isList(value)) return value.map(toMarkup).join('')
  if (typeof value === 'object') return value.markup
  return String(value).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}

function isList(value: HtmlValue): value is readonly HtmlValue[] {
  return Array.isArray(value)
}

/** What is around the content of a page. */
export interface PageFrame {
  title: string
  /** Name of the site, as its header says it. */
  site: string
  /** Where the site's name leads; without it, it is only a name. */
  home?: string | undefined
  /** Content of the header beside the site's name. */
  header?: Html | undefined
  /** Class of `body`: which colours the page has. */
  theme: string
  footer: Html
}

/** A whole page. Styles come from `/style.css`; there is no script. */
export function renderPage(frame: PageFrame, main: Html): string {
  const { title, site, home, header, theme, footer } = frame
  const name = html`<span class="logo" aria-hidden="true"></span>${site}`
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <title>${title} · ${site}</title>
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <link rel="stylesheet" href="/style.css" />
        <link rel="icon" href="/icon.svg" type="image/svg+xml" />
      </head>
      <body class="${theme}">
        <a class="skip" href="#main">Skip to content</a>
        <header>
          ${
            home === undefined
              ? html`<span class="site">${name}</span>`
              : html`<a class="site" href="${home}">${name}</a>`
          }
          ${header}
        </header>
        <main id="main">${main}</main>
        <footer>${footer}</footer>
      </body>
    </html>`.markup
}

/** Serves the style sheet and the icon of every page. */
export function publicFiles(): RequestHandler {
  return express.static(fileURLToPath(new URL('public', import.meta.url)), { maxAge: '1h' })
}
