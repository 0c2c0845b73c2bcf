import type { Request, Response } from 'express'

/**
 * Sends the browser to a URL of our own making. `res.redirect` would repeat the URL in a page, and
 * lets through what `safeReturnTo` refuses.
 */
export function redirect(req: Request, res: Response, url: string): void {
  // After a POST the browser must come back with a GET, and must not send the body again.
  sendTo(res, url, req.method === 'GET' || req.method === 'HEAD' ? 302 : 303)
}

/** The same, whatever the browser asked for: what is there is another page (RFC 9110 section 15.4.4). */
export function seeOther(res: Response, url: string): void {
  sendTo(res, url, 303)
}

function sendTo(res: Response, url: string, status: 302 | 303): void {
  res.statusCode = status
  res.setHeader('Location', url)
  res.setHeader('Content-Length', '0')
  res.end()
}

/**
 * Sends the browser on by a page that refreshes at once. What a redirect leads to counts as caused
 * by the site that the redirect chain began at, so `SameSite=Strict` cookies stay behind; what our
 * own page leads to is ours.
 */
export function refresh(res: Response, url: string): void {
  const target = asHtml(url)
  sendPage(
    res,
    'One moment',
    `<p><a href="${target}">Continue</a></p>`,
    `<meta http-equiv="refresh" content="0;url=${target}">`,
  )
}

/** Answers with a page of ours: no script, no frame around it. */
export function sendPage(res: Response, title: string, body: string, head = ''): void {
  res.statusCode = 200
  res.setHeader('Content-Type', 'text/html; charset=utf-8')
  res.setHeader('Content-Security-Policy', "default-src 'none'; frame-ancestors 'none'")
  res.end(
    `<!doctype html><html lang="en"><meta charset="utf-8"><title>${title}</title>` +
      `<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">` +
      `${head}${body}</html>`,
  )
}

/** `text` as the text or an attribute of a page. */
export function asHtml(text: string): string {
  return text.replace(/[&"'<>]/g, (character) => `&#${character.charCodeAt(0)};`)
}

/** Marks an answer as one that no cache may keep and no page may be told about. */
export function keepPrivate(res: Response): void {
  res.setHeader('Cache-Control', 'no-store')
  res.setHeader('Referrer-Policy', 'no-referrer')
}

/** Keeps an answer out of the frames of other pages, unless the app has a policy of its own. */
export function forbidFraming(res: Response): void {
  if (!res.hasHeader('Content-Security-Policy'))
    res.setHeader('Content-Security-Policy', "frame-ancestors 'none'")
}
