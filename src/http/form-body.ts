import { urlencoded, type Request, type RequestHandler, type Response } from 'express'

/** Bytes. What an authorization server posts is a code and a state, or one token. */
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
