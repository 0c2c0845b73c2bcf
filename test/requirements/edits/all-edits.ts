import { appEdits } from './app.ts'
import type { Edit } from './edit.ts'
import { logoutEdits } from './logout.ts'
import { requestAndAnswerEdits } from './request-and-answer.ts'
import { serverEdits } from './server.ts'
import { tokenEdits } from './tokens.ts'

/** Every edit. */
export const allEdits: readonly Edit[] = [
  requestAndAnswerEdits,
  tokenEdits,
  serverEdits,
  appEdits,
  logoutEdits,
].flat()

/** Rows that are tested and for which nothing of this package can be taken out, with the reason. */
export const nothingToTakeOut: Readonly<Record<string, string>> = {}
