import type { Express } from 'express'
import type { PkceFlow } from '../../src/index.ts'

/** Routes of the app that use the token. */
export function mountTokenRoutes(
  app: Express,
  flow: PkceFlow,
  issuers: Readonly<Record<'server' | 'second', string>>,
): void {
  app.get('/user-info', (req, res, next) => {
    flow.userInfo(req).then((claims) => res.json(claims), next)
  })
  // `{server}` and `{second}` in the URL are the issuers, `{host}` is that of the first.
  app.get('/fetch', (req, res, next) => {
    const { host } = new URL(issuers.server)
    const places = { ...issuers, host }
    const url = (req.query.url as string).replace(
      /\{(server|second|host)\}/,
      (_, name: keyof typeof places) => places[name],
    )
    flow
      .fetch(req, url)
      .then(async (answer) => res.json({ status: answer.status, text: await answer.text() }))
      .catch(next)
  })
  app.get('/disconnect', (req, res, next) => {
    flow.disconnect(req).then((done) => res.json(done), next)
  })
}
