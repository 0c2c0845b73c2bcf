import type { RequestHandler } from 'express'
import type { Flow } from './flow.ts'
import { asyncHandler } from './handler.ts'
import { keepPrivate } from './landing.ts'
import { queryParameters } from './query.ts'
import { isStoredSession, requireSession, setSessionAside } from './session.ts'
import { isPrefetch } from './user-agent.ts'

/** Of an issuer and a session together. Characters. */
const longestNames = 2_048

/**
 * The route that the authorization server loads in an iframe when the person logs out there (OpenID
 * Connect Front-Channel Logout 1.0 section 2). No signature, and no cookie of ours in the iframe of
 * another site: what counts is `iss` with a `sid` that a login recorded. Anything else ends nothing,
 * and is answered in the same way.
 */
export function frontchannelLogoutHandler(flow: Flow): RequestHandler {
  const { settings } = flow
  const issuer = settings.issuer ?? settings.server.issuer ?? settings.origin
  const policy = `default-src 'none'; frame-ancestors ${new URL(issuer).origin}`

  return asyncHandler(flow, async function frontchannelLogout(req, res) {
    keepPrivate(res)
    res.setHeader('Content-Security-Policy', policy)
    // An app may forbid frames everywhere; where both are there, older browsers heed this one.
    res.removeHeader('X-Frame-Options')
    if (settings.store === undefined) requireSession(req)
    const query = queryParameters(req)
    const [iss, sid] = [query.getAll('iss'), query.getAll('sid')]
    const [[issuedBy = ''], [session = '']] = [iss, sid]
    const isSaid = iss.length === 1 && sid.length === 1 && !isPrefetch(req)
    if (isSaid && issuedBy.length + session.length <= longestNames)
      await flow.records(req).serverEndings?.endServerSession(issuedBy, session)
    if (!isStoredSession(req)) setSessionAside(req)
    res.status(200).type('html').send('<!doctype html><title>Logged out</title>')
  })
}
