/**
 * What parts of programs in the guides take as given: a reader has an app, a flow and its options by
 * then. Names that a block declares itself go over these.
 */
export const given = {
  'given.d.ts': `
    declare const app: import('express').Express
    declare const options: {
      issuer: string
      clientId: string
      clientSecret: string
      redirectUri: string
    }
    declare const flow: import('express-pkce-flow').PkceFlow
    declare const pkceFlow: typeof import('express-pkce-flow').pkceFlow
    declare const session: (typeof import('express-session'))['default']
    declare const Keyv: (typeof import('keyv'))['default']
    declare const KeyvRedis: (typeof import('@keyv/redis'))['default']

    // As much of it as the guides use: it is not installed here.
    declare module 'helmet' {
      export default function helmet(options: {
        contentSecurityPolicy?: { directives?: Record<string, Iterable<string>> }
        referrerPolicy?: { policy?: string }
      }): import('express').RequestHandler
    }`,
  'given-session.d.ts': `
    import 'express-session'
    declare module 'express-session' {
      interface SessionData {
        userId?: string
      }
    }`,
}
