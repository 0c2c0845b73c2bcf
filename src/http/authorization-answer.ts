import type { Request, Response } from 'express'
import { PkceFlowError } from '../errors.ts'
import {
  readAuthorizationResponse,
  type AuthorizationResponse,
} from '../protocol/authorization-response.ts'
import { pendingLoginId } from '../storage/pending-logins.ts'
import { requireForm } from './form-body.ts'
import { queryParameters } from './query.ts'

/** What came to the callback route. */
export interface CallbackRequest {
  /** Which pending login it is about. */
  id: string
  /** The answer, or `undefined` if the browser continues with one that was kept. */
  answer: AuthorizationResponse | undefined
}

/** Query parameter of the callback route by which a browser continues: the pending login's id. */
export const continueParameter = 'continue'

/** Reads the answer from the query or the body. Throws `invalid_callback`. */
export async function readCallback(
  req: Request,
  res: Response,
  responseMode: 'query' | 'form_post',
): Promise<CallbackRequest> {
  const query = queryParameters(req)
  if (req.method === 'GET') {
    const id = query.get(continueParameter)
    if (id !== null) return { id: requireId(id), answer: undefined }
    if (responseMode === 'form_post')
      throw invalid('The answer to this login has to come as a POST of a form.')
  }
  const answer = readAuthorizationResponse(
    req.method === 'POST' ? await requireForm(req, res) : query,
  )
  return { id: pendingLoginId(answer.state), answer }
}

function requireId(id: string): string {
  if (/^[0-9a-f]{32}$/.test(id)) return id
  throw invalid('This is not an address at which a login continues.')
}

function invalid(message: string): PkceFlowError {
  return new PkceFlowError('invalid_callback', `${message} Start the login again.`)
}
