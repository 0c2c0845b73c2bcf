import net from 'node:net'

/** A request as it goes over the wire; every text is bytes, one a character. */
export interface WireRequest {
  method?: string
  /** The request target. Default: `/`. */
  target?: string
  /** In this order, repeated names too. `Host` and `Content-Length` are added where they are missing. */
  headers?: readonly (readonly [name: string, value: string])[]
  body?: string
  /** Sends no more than these bytes of the body, and then hangs up. */
  truncateAt?: number
}

/** An answer as it came over the wire; every text is bytes, one a character. */
export interface WireAnswer {
  status: number
  /** By name in lower case. */
  headers: Map<string, string[]>
  body: string
  /** All of it. */
  raw: string
}

/** Sends what no HTTP client lets through, and shows the bytes that came back. */
export interface RawClient {
  /** `undefined`: the connection was closed without an answer. */
  send(request: WireRequest): Promise<WireAnswer | undefined>
  close(): void
}

/** Keeps connections, as browsers do, but none on which more came back than one answer. */
export function createRawClient(origin: string): RawClient {
  const { port } = new URL(origin)
  const host = `127.0.0.1:${port}`
  const idle: net.Socket[] = []
  const all = new Set<net.Socket>()

  function connection(): net.Socket {
    let socket = idle.shift()
    while (socket?.destroyed === true || socket?.readableEnded === true) socket = idle.shift()
    if (socket !== undefined) return socket
    const opened = net.connect({ port: Number(port), host: '127.0.0.1', noDelay: true })
    // Also while it is idle: a connection that breaks then is opened anew.
    opened.on('error', () => opened.destroy())
    all.add(opened)
    opened.on('close', () => all.delete(opened))
    return opened
  }

  return {
    async send(request) {
      const socket = connection()
      const { raw, isReusable } = await exchange(socket, request, host)
      const answer = parse(raw, request.method)
      if (answer !== undefined && isReusable && answer.raw.length === raw.length) idle.push(socket)
      else socket.destroy()
      return answer
    },
    close() {
      for (const socket of all) socket.destroy()
    },
  }
}

function wireForm({ method = 'GET', target = '/', headers = [], body }: WireRequest, host: string) {
  const has = (wanted: string) => headers.some(([name]) => name.toLowerCase() === wanted)
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`)
  if (!has('host')) lines.unshift(`Host: ${host}\r\n`)
  if (body !== undefined && !has('content-length') && !has('transfer-encoding'))
    lines.push(`Content-Length: ${body.length}\r\n`)
  return `${method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n`
}

/** Writes the request, and reads until the answer is complete or the connection closed. */
function exchange(
  socket: net.Socket,
  request: WireRequest,
  host: string,
): Promise<{ raw: string; isReusable: boolean }> {
  return new Promise((resolve) => {
    let raw = ''
    const finish = (isReusable: boolean) => {
      socket.off('data', read).off('close', closed).off('end', closed)
      resolve({ raw, isReusable: isReusable && request.truncateAt === undefined })
    }
    const closed = () => finish(false)
    const read = (chunk: Buffer) => {
      raw += chunk.toString('latin1')
      const answer = parse(raw, request.method)
      if (answer !== undefined) finish(answer.headers.get('connection')?.[0] !== 'close')
    }
    socket.on('data', read).on('close', closed).on('end', closed)
    const { body = '', truncateAt } = request
    socket.write(wireForm(request, host) + body.slice(0, truncateAt), 'latin1')
    if (truncateAt !== undefined) socket.end()
  })
}

/** The first answer in `raw`, if all of it is there. */
function parse(raw: string, method = 'GET'): WireAnswer | undefined {
  const headEnd = raw.indexOf('\r\n\r\n')
  if (headEnd === -1) return undefined
  const [statusLine = '', ...lines] = raw.slice(0, headEnd).split('\r\n')
  const status = Number(statusLine.split(' ')[1])
  // Between `Expect: 100-continue` and the answer.
  if (status === 100) return parse(raw.slice(headEnd + 4), method)
  const headers = new Map<string, string[]>()
  for (const line of lines) {
    const colon = line.indexOf(':')
    const name = line.slice(0, colon).toLowerCase()
    headers.set(name, [...(headers.get(name) ?? []), line.slice(colon + 1).trim()])
  }
  const start = headEnd + 4
  const end = bodyEnd(raw, start, headers, method === 'HEAD' || status === 204 || status === 304)
  if (end === undefined) return undefined
  return { status, headers, body: raw.slice(start, end), raw: raw.slice(0, end) }
}

function bodyEnd(raw: string, start: number, headers: Map<string, string[]>, isEmpty: boolean) {
  if (isEmpty) return start
  if (headers.get('transfer-encoding')?.[0] === 'chunked') {
    const last = raw.indexOf('0\r\n\r\n', start)
    return last === -1 ? undefined : last + 5
  }
  const end = start + Number(headers.get('content-length')?.[0] ?? 0)
  return raw.length >= end ? end : undefined
}
