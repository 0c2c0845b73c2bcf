import type { Token } from './token.ts'

declare global {
  // oxlint-disable-next-line typescript/no-namespace -- merging into Express's request needs its namespace
  namespace Express {
    interface Request {
      /** The access token of the person at the browser, if there is a usable one. */
      token?: Token
    }
  }
}
