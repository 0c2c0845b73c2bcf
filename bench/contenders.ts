/** An app that is measured: a file of `apps/`, and what it is told beside the issuer. */
export interface Contender {
  name: string
  file: string
  settings?: Record<string, unknown>
  /** How its login is started. Default: by `GET /login`. */
  start?: 'auth-js' | 'grant'
}

const ours = './apps/package.js'

/** What everything is compared with. */
export const bare: Contender = { name: 'bare express-session', file: './apps/bare.js' }
export const byHand: Contender = { name: 'openid-client by hand', file: './apps/by-hand.js' }

export const thisPackage: Contender = { name: 'express-pkce-flow', file: ours }
export const guarded: Contender = {
  name: 'express-pkce-flow, requireToken()',
  file: ours,
  settings: { guarded: true },
}
export const notAttached: Contender = {
  name: 'express-pkce-flow, attach: false',
  file: ours,
  settings: { attach: false },
}
export const sealed: Contender = {
  name: 'express-pkce-flow, sealed',
  file: ours,
  settings: { sealed: true },
}
export const sealedGuarded: Contender = {
  name: 'express-pkce-flow, sealed, requireToken()',
  file: ours,
  settings: { sealed: true, guarded: true },
}

export const unchecked: Contender = {
  name: 'openid-client by hand, no signature check',
  file: './apps/by-hand.js',
  settings: { signature: false },
}
export const inCookie: Contender = {
  name: 'express-openid-connect, cookie',
  file: './apps/express-openid-connect.js',
}
export const inStore: Contender = {
  name: 'express-openid-connect, store',
  file: './apps/express-openid-connect.js',
  settings: { stored: true },
}
export const passport: Contender = {
  name: 'passport + openid-client',
  file: './apps/passport.js',
}
export const authJs: Contender = {
  name: 'Auth.js (@auth/express)',
  file: './apps/auth-js.js',
  start: 'auth-js',
}
export const grant: Contender = {
  name: 'grant (no signature check)',
  file: './apps/grant.js',
  start: 'grant',
}
