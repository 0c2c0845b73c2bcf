import http from 'node:http'

/** One answer of the app. */
export interface Answered {
  status: number
  headers: http.IncomingHttpHeaders
  body: string
}

/** What is asked, beside the path. */
export interface Asking {
  method?: string
  headers?: Record<string, string>
  body?: string
}

/** As much of a browser as ten thousand logins need: cookies of one host, nothing followed. */
export interface Tab {
  readonly cookies: Map<string, string>
  ask(path: string, asking?: Asking): Promise<Answered>
}

const agent = new http.Agent({ keepAlive: true, maxSockets: 40 })

/** Opens a tab at an app, with the cookies of another one if there is one. */
export function openTab(port: number, from?: Tab): Tab {
  const cookies = new Map(from?.cookies)
  return {
    cookies,
    ask: (path, { method = 'GET', headers, body } = {}) =>
      new Promise((resolve, reject) => {
        const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
        const sent = { accept: 'text/html', ...(cookie !== '' && { cookie }), ...headers }
        const options = { agent, host: '127.0.0.1', port, path, method, headers: sent }
        const request = http.request(options, (response) => {
          const chunks: Buffer[] = []
          response.on('data', (chunk: Buffer) => chunks.push(chunk))
          response.on('error', reject)
          response.on('end', () => {
            for (const line of response.headers['set-cookie'] ?? []) keep(cookies, line)
            resolve({
              status: response.statusCode ?? 0,
              headers: response.headers,
              body: Buffer.concat(chunks).toString(),
            })
          })
        })
        request.on('error', reject)
        request.end(body)
      }),
  }
}

function keep(cookies: Map<string, string>, line: string): void {
  const [pair = '', ...attributes] = line.split('; ')
  const name = pair.slice(0, pair.indexOf('='))
  if (attributes.includes('Max-Age=0')) cookies.delete(name)
  else cookies.set(name, pair.slice(name.length + 1))
}
