import type { Token } from './token.ts'

declare global {
  // Merging into Express's request needs its namespace.
  // eslint-disable-next-line @typescript-eslint/no-namespace
  namespace Express {
    interface Request {
      /** The access token of the person at the browser, if there is a usable one. */
      token?: Token
    }
  }
}
