import { urlencoded, type Request, type RequestHandler, type Response } from 'express'
import { PkceFlowError } from '../errors.ts'
import {
  readAuthorizationResponse,
  type AuthorizationResponse,
} from '../protocol/authorization-response.ts'
import { pendingLoginId } from '../storage/pending-logins.ts'
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

/** Bytes. An answer has a code and a state. */
const largestBody = 64 * 1024

const parseBody: RequestHandler = urlencoded({
  extended: false,
  limit: largestBody,
  inflate: false,
}) as RequestHandler

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
    req.method === 'POST' ? await bodyParameters(req, res) : query,
  )
  return { id: pendingLoginId(answer.state), answer }
}

function requireId(id: string): string {
  if (/^[0-9a-f]{32}$/.test(id)) return id
  throw invalid('This is not an address at which a login continues.')
}

function invalid(message: string, cause?: unknown): PkceFlowError {
  return new PkceFlowError('invalid_callback', `${message} Start the login again.`, { cause })
}

/** Parameters of the form that was posted, whether or not the app has parsed it already. */
async function bodyParameters(req: Request, res: Response): Promise<URLSearchParams> {
  if (req.is('application/x-www-form-urlencoded') === false)
    throw invalid('The answer to this login has to come as a form.')
  if (Number(req.headers['content-length']) > largestBody)
    throw invalid('The form of this answer is larger than 64 kB.')
  const parsed: unknown = req.body
  if (typeof parsed === 'string' || Buffer.isBuffer(parsed))
    return new URLSearchParams(parsed.toString('utf8'))
  await new Promise<void>((resolve, reject) => {
    // Leaves a body alone that the app has parsed.
    void parseBody(req, res, (error?: unknown) => {
      if (error === undefined) resolve()
      // Not as the cause: body-parser's errors hold the body.
      else reject(invalid('The form of this answer cannot be read, or is larger than 64 kB.'))
    })
  })
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries((req.body ?? {}) as Record<string, unknown>))
    // What a parser made of repeated parameters, of `state[]=x` or `state[x]=1`, is no parameter.
    parameters.append(name, typeof value === 'string' ? value : '\0')
  return parameters
}
