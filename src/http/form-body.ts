import { urlencoded, type Request, type RequestHandler, type Response } from 'express'
import { PkceFlowError } from '../errors.ts'

/** Bytes. What is posted to us is a code and a state, a token, or the address of a page. */
const largestBody = 64 * 1024

const parseBody: RequestHandler = urlencoded({
  extended: false,
  limit: largestBody,
  inflate: false,
}) as RequestHandler

/** Parameters of the form that was posted, whether or not the app has parsed it already. */
export async function readForm(
  req: Request,
  res: Response,
): Promise<URLSearchParams | 'no form' | 'too large' | 'unreadable'> {
  if (req.is('application/x-www-form-urlencoded') === false) return 'no form'
  if (Number(req.headers['content-length']) > largestBody) return 'too large'
  const parsed: unknown = req.body
  if (typeof parsed === 'string' || Buffer.isBuffer(parsed))
    return new URLSearchParams(parsed.toString('utf8'))
  // Leaves a body alone that the app has parsed. Its errors hold the body: they stay here.
  const error = await new Promise<{ status?: unknown } | undefined>((resolve) => {
    void parseBody(req, res, resolve as () => void)
  })
  if (error !== undefined) return error.status === 413 ? 'too large' : 'unreadable'
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries((req.body ?? {}) as Record<string, unknown>))
    // What a parser made of repeated parameters, of `state[]=x` or `state[x]=1`, is no parameter.
    parameters.append(name, typeof value === 'string' ? value : '\0')
  return parameters
}

/** As {@link readForm}; throws `invalid_callback` for what is no form, cannot be read or is too large. */
export async function requireForm(req: Request, res: Response): Promise<URLSearchParams> {
  const form = await readForm(req, res)
  switch (form) {
    case 'no form':
      throw invalid('What is posted here has to come as a form.')
    case 'too large':
      throw invalid('The form is larger than 64 kB.')
    case 'unreadable':
      throw invalid('The form cannot be read.')
    default:
      return form
  }
}

function invalid(message: string): PkceFlowError {
  return new PkceFlowError('invalid_callback', `${message} Start the login again.`)
}
