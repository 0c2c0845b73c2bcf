import type { Request, Response } from 'express'
import type { Flow } from './flow.ts'
import { asHtml, sendPage } from './landing.ts'
import { wasMoved } from './own-host.ts'
import { isFromOwnPage, mayStart } from './user-agent.ts'

/**
 * Whether the person has to say that an account is to be connected: their click on a page of this app
 * was sent here from another host of it, and what arrives looks as a link on another site does.
 */
export function needsConsent({ settings }: Flow, req: Request): boolean {
  return (
    settings.purpose === 'connect' &&
    wasMoved(req) &&
    !isFromOwnPage(req, settings.origin) &&
    mayStart(req)
  )
}

/**
 * Answers with a page whose link starts the same here. It is a page like those of the app that have
 * such a link: another site can lead to it, and only the person can follow the link. So nothing of
 * the way here needs to be believed, and nothing is started or kept before.
 */
export function askToConnect({ settings }: Flow, res: Response, samePlace: string): void {
  const { origin, name } = settings
  const title = `Connect an account at ${asHtml(name)}`
  // Browsers without Fetch Metadata say by the referrer that the link is on a page of ours.
  res.setHeader('Referrer-Policy', 'same-origin')
  sendPage(
    res,
    title,
    `<h1>${title}</h1><p>You are now at ${asHtml(new URL(origin).host)}.</p>` +
      `<p><a href="${asHtml(origin + samePlace)}">Connect</a></p>`,
  )
}
